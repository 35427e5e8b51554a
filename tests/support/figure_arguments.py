"""Good arguments of the names of plotting and report, for test_bad_arguments."""

from dataclasses import replace
from functools import cache

import hrsnn_rs as hr
import numpy as np
import polars as pl
from bad_arguments import Target, network, sensor_events
from hrsnn_rs import datasets, plotting, report
from hrsnn_rs.learning import ROW_SCHEMA, TASK_SCHEMA, Clips
from matplotlib.figure import Figure


def of_task() -> pl.DataFrame:
    """Make rows of a constant and a law, in two conditions with a number."""
    return pl.DataFrame(
        [
            {"condition": f"{n} neurons", "system": name, "constant": tau, "seed": 0, "score": 0.5}
            for n in (100, 200)
            for name, tau in (("20 ms", 20.0), ("wide", None))
        ],
        schema=TASK_SCHEMA,
    )


def of_balance() -> pl.DataFrame:
    cells = [
        {"condition": balance, "system": system, "rate": 4.0, "score": 1.0, "seed": 0}
        for balance, system in (("untrained",) * 2, ("1", "one rule"), ("2", "one rule"))
    ]
    return pl.DataFrame(cells, schema=TASK_SCHEMA)


def compared() -> pl.DataFrame:
    said = {"clip": 7, "person": "ann", "label": "wave"}
    return pl.DataFrame(
        [
            {"system": system, "seed": 0, "accuracy": accuracy, "kind": "KTH"}
            | {"predictions": [said | {"predicted": guess}]}
            for system, accuracy, guess in (("untrained", 0.0, "clap"), ("HeNHeS", 1.0, "wave"))
        ],
        schema=ROW_SCHEMA,
    )


@cache
def _clips() -> Clips:
    clips = Clips.of_dataset(datasets.make_gestures(3, 1, size=16, duration=100_000))
    # Fields are not learned where channels have no places, which takes the most time.
    return replace(clips, encoder=None)


def _trace() -> pl.DataFrame:
    return pl.DataFrame({"t": [0, 100], "neuron": [1, 1], "v": [0.5, 0.25]})


def _spikes() -> pl.DataFrame:
    return pl.DataFrame({"t": [100, 900], "neuron": [2, 0]})


def _of_plotting() -> dict[str, Target]:
    return {
        "plotting.balance_outcome": Target(
            plotting.balance_outcome, lambda: {"rows": of_balance()}
        ),
        "plotting.clip_frames": Target(
            plotting.clip_frames, lambda: {"events": sensor_events(), "n_frames": 1}
        ),
        "plotting.clip_gif": Target(
            plotting.clip_gif, lambda: {"path": "clip.gif", "events": sensor_events()}
        ),
        "plotting.confusion": Target(
            plotting.confusion, lambda: {"matrix": [[3, 1], [0, 4]], "classes": ["left", "right"]}
        ),
        "plotting.laws": Target(
            plotting.laws, lambda: {"panels": {"tau_m": {"start": hr.Gamma(mean=80.0)}}}
        ),
        "plotting.png": Target(plotting.png, lambda: {"figure": Figure(figsize=(1.0, 1.0))}),
        "plotting.raster": Target(
            plotting.raster,
            lambda: {
                "spikes": _spikes(),
                "inhibitory": [False, False, True],
                "duration": 1000,
            },
        ),
        "plotting.receptive_fields": Target(
            plotting.receptive_fields, lambda: {"fields": np.ones((2, 1, 3, 3))}
        ),
        "plotting.scores": Target(plotting.scores, lambda: {"rows": compared()}),
        "plotting.sweep_outcome": Target(plotting.sweep_outcome, lambda: {"rows": of_task()}),
        "plotting.task_gains": Target(plotting.task_gains, lambda: {"rows": of_task()}),
        "plotting.task_outcome": Target(plotting.task_outcome, lambda: {"rows": of_task()}),
        "plotting.time_constants": Target(
            plotting.time_constants, lambda: {"tau_m": [20.0, 25.0, 60.0]}
        ),
        "plotting.traces": Target(
            plotting.traces, lambda: {"record": _trace(), "spikes": _spikes()}
        ),
        "plotting.weights": Target(
            plotting.weights, lambda: {"before": [0.5, 0.7, 0.9], "after": [0.4, 0.8, 0.9]}
        ),
    }


def figure_targets() -> dict[str, Target]:
    """Names of plotting and report, with arguments that are fine."""
    return _of_plotting() | {
        "report.demo_figures": Target(
            report.demo_figures,
            lambda: {"clips": _clips(), "rows": compared(), "n_neurons": 40, "n_threads": 1},
        ),
        "report.format_comparisons": Target(
            report.format_comparisons, lambda: {"rows": compared()}
        ),
        "report.format_paper": Target(report.format_paper, lambda: {"rows": compared()}),
        "report.format_parts": Target(report.format_parts, lambda: {"rows": compared()}),
        "report.format_summary": Target(report.format_summary, lambda: {"rows": compared()}),
        "report.write_report": Target(
            report.write_report,
            lambda: {
                "path": "page.html",
                "rows": compared(),
                "command": "hrsnn demo",
                "network": network(),
            },
        ),
    }


#: What looks bad and is valid, as in valid_arguments.
VALID_IN_FIGURES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("None",): (
        "plotting.task_outcome.theory",
        "plotting.time_constants.inhibitory",
        "plotting.traces.spikes",
        "report.demo_figures.make_network",
        "report.demo_figures.n_threads",
        "report.write_report.network",
    ),
    ("None", "text"): ("report.format_comparisons.system",),
    ("zero",): ("report.demo_figures.seed",),
    ("a half",): ("plotting.clip_gif.every", "plotting.clip_gif.slower"),
    ("a half", "huge", "huge float"): ("plotting.clip_frames.tau",),
    ("text",): (
        "plotting.clip_frames.title",
        "plotting.clip_gif.path",
        "plotting.confusion.title",
        "plotting.laws.title",
        "plotting.raster.title",
        "plotting.receptive_fields.title",
        "plotting.traces.title",
        "report.write_report.command",
        "report.write_report.path",
        "report.write_report.title",
    ),
    ("empty list",): ("report.write_report.figures",),
    ("wrong length",): ("plotting.raster.inhibitory", "plotting.time_constants.tau_m"),
    ("negative array",): ("plotting.weights.after", "plotting.weights.before"),
    (
        "array of text",
        "array of objects",
        "array of bool",
        "array of complex",
        "big-endian NaN",
    ): ("plotting.confusion.classes",),
}
