"""Good arguments of the names of the wing learning, for test_bad_arguments."""

import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import hrsnn_rs as hr
import live_models
import numpy as np
import polars as pl
from bad_arguments import Target, network
from hrsnn_rs import learning
from hrsnn_rs.learning.task_order import ORDER_SYSTEMS, PAUSES, clip_pairs

CLASSES = ("left", "right")


def _of(call: Callable[..., Any], like: Callable[..., Any], *without: str) -> Callable[..., Any]:
    """Give a call the signature of what it stands for, without some of its arguments."""
    signature = inspect.signature(like)
    kept = [one for name, one in signature.parameters.items() if name not in without]
    call.__signature__ = signature.replace(parameters=kept)
    return call


@cache
def clips() -> learning.Clips:
    """Six clips of three persons, on three channels; must not be changed."""
    found = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        t = np.sort(random.integers(0, 20_000, 60))
        channel = np.where(random.random(60) < 0.6, seed % 2, 2)
        found.append(hr.Events(t, channel, n_channels=3, duration=20_000))
    return learning.Clips("six", found, [0, 1] * 3, [0, 0, 1, 1, 2, 2], CLASSES)


@cache
def gestures() -> Any:
    return hr.make_gestures(3, 1, size=16, duration=20_000)


@cache
def gesture_clips() -> learning.Clips:
    """Clips of a sensor, which have a place for each channel."""
    return learning.Clips.of_dataset(gestures())


def training() -> np.ndarray:
    return np.array([True] * 4 + [False] * 2)


@cache
def rows() -> pl.DataFrame:
    """What two systems said of two clips with one seed."""
    said = [
        {"clip": clip, "person": f"{clip}", "label": "left", "predicted": CLASSES[clip]}
        for clip in range(2)
    ]
    systems = [
        {"system": system, "seed": 0, "kind": "KTH", "accuracy": 0.5, "predictions": said}
        for system in ("untrained", "HeNHeS")
    ]
    return pl.DataFrame(systems, schema=learning.ROW_SCHEMA)


@cache
def task_rows() -> pl.DataFrame:
    """Scores of a constant and of a law."""
    cells = [
        {"condition": "c", "system": name, "constant": tau, "seed": seed, "score": 0.5}
        for name, tau in (("20 ms", 20.0), ("wide", None))
        for seed in range(2)
    ]
    return pl.DataFrame(cells, schema=learning.TASK_SCHEMA)


@cache
def balance_rows() -> pl.DataFrame:
    cells = [{"condition": "untrained", "system": "untrained"}]
    cells += [{"condition": balance, "system": "one rule"} for balance in "124"]
    whole = [{"rate": 4.0, "score": 1.0, "seed": 0} | cell for cell in cells]
    return pl.DataFrame(whole, schema=learning.TASK_SCHEMA)


def _counts() -> dict[str, Any]:
    return {"clips": clips(), "n_windows": 2, "windows": "events", "memory": True}


def of_systems() -> dict[str, Target]:
    of_network = {"rate": 100.0, "spikes": None, "n_calibration": 4, "epochs": 0}

    def best(
        network: Any, variant: Any, clips: Any, training: Any, readout: Any, *, memory: Any,
        epochs: Any, rate: Any, spikes: Any, n_calibration: Any, n_windows: Any, windows: Any,
        n_threads: Any,
    ) -> Any:  # fmt: skip
        given = dict(locals())
        positional = [given.pop(name) for name in ("network", "variant", "clips")]
        return learning.best_homogeneous_features(*positional, **given)

    def with_network() -> dict[str, Any]:
        return {"network": network(), **_counts(), "training": training(), "n_threads": None}

    return {
        "learning.Clips": Target(
            learning.Clips,
            lambda: {
                "name": "two",
                "events": clips().events,
                "labels": [0, 1] * 3,
                "groups": [0, 0, 1, 1, 2, 2],
                "classes": CLASSES,
            },
        ),
        "learning.Clips.of_dataset": Target(
            learning.Clips.of_dataset, lambda: {"dataset": gestures().subset([0, 12])}
        ),
        "learning.Clips.subset": Target(clips().subset, lambda: {"indices": [0, 3]}),
        "learning.best_homogeneous_features": Target(
            best,
            lambda: (
                with_network() | of_network | {"variant": "HoNHoS", "readout": learning.Readout()}
            ),
        ),
        "learning.count_features": Target(learning.count_features, _counts),
        "learning.feature_features": Target(
            learning.feature_features,
            lambda: {
                "system": "pooled counts",
                "seed": 0,
                "clips": gesture_clips(),
                "training": gesture_clips().groups < 2,
                "readout": learning.Readout(),
                "n_windows": 1,
                "windows": "events",
                "memory": False,
                "n_threads": None,
            },
        ),
        "learning.network_features": Target(
            learning.network_features, lambda: with_network() | of_network
        ),
        "learning.window_counts": Target(
            learning.window_counts, lambda: {"events": clips().events[0], "n_windows": 2}
        ),
        "learning.default_encoder": Target(
            learning.default_encoder, lambda: {"height": 8, "width": 9}
        ),
        "learning.default_layer": Target(
            _of(
                lambda **given: learning.default_layer(**given), learning.default_layer, "settings"
            ),
            lambda: {"encoder": hr.EventEncoder(8, 8)},
        ),
        "learning.compare": Target(
            learning.compare,
            lambda: {
                "dataset": clips(),
                "seeds": [0],
                "variants": [],
                "controls": ["event counts"],
                "memory": False,
            },
        ),
    }


def of_numbers() -> dict[str, Target]:
    labels = {"y": [0, 1, 1], "predicted": [0, 1, 0]}
    directions = {"decision": [[0.9, 0.1], [0.2, 0.3]], "classes": [0, 1], "y": [0, 1]}
    gap = learning.PairedDifference(0.02, 0.01, -0.008, 0.048, 0.12, 5, 10, 220)
    sizes = ("n_synaptic_events", "n_spikes", "n_samples", "duration")
    sizes += ("n_inputs", "n_neurons", "n_synapses")
    return {
        "learning.PairedDifference.smallest_seen": Target(gap.smallest_seen, dict),
        "learning.accuracy": Target(learning.accuracy, labels.copy),
        "learning.confusion_matrix": Target(learning.confusion_matrix, labels.copy),
        "learning.recall_of_classes": Target(learning.recall_of_classes, labels.copy),
        "learning.direction_accuracy": Target(learning.direction_accuracy, directions.copy),
        "learning.direction_scores": Target(learning.direction_scores, directions.copy),
        "learning.holm": Target(learning.holm, lambda: {"p": [0.03, 0.01]}),
        "learning.library_commit": Target(learning.library_commit, dict),
        "learning.paired_difference": Target(
            learning.paired_difference,
            lambda: {
                "first": [1, 0, 1],
                "second": [1, 1, 1],
                "seed": [0, 1, 2],
                "clip": [0, 1, 2],
                "person": ["a", "b", "c"],
            },
        ),
        "learning.spread": Target(learning.spread, lambda: {"values": [0.8, 0.9]}),
        "learning.synaptic_operations": Target(
            learning.synaptic_operations, lambda: dict.fromkeys(sizes, 10)
        ),
        "learning.beside_paper": Target(learning.beside_paper, lambda: {"rows": rows()}),
        "learning.comparisons": Target(learning.comparisons, lambda: {"rows": rows()}),
        "learning.difference": Target(
            learning.difference,
            lambda: {"rows": rows(), "first": "HeNHeS", "second": "untrained"},
        ),
        "learning.predictions": Target(learning.predictions, lambda: {"rows": rows()}),
        "learning.summarize": Target(learning.summarize, lambda: {"rows": rows()}),
        "learning.verdict": Target(learning.verdict, lambda: {"rows": rows()}),
        "learning.best_constants": Target(
            learning.best_constants, lambda: {"rows": task_rows(), "condition": "c"}
        ),
        "learning.outcome": Target(learning.outcome, lambda: {"rows": task_rows()}),
        "learning.useful_ranges": Target(learning.useful_ranges, lambda: {"rows": balance_rows()}),
        "learning.predict_interval": Target(learning.predict_interval, dict),
    }


def _stream() -> learning.LiveStream:
    return live_models.classifier("features").stream()


def _push(events: Any, until: Any = None) -> Any:
    return _stream().push(events, until=until)


def _stream_file() -> str:
    _stream().save("stream")
    return "stream"


def _samples() -> list[Any]:
    return [hr.Events([100, 5000], [0, 2], n_channels=3)] * 3


def _transform(
    network: Any, samples: Any, n_windows: Any = 1, *, batch: Any = 32, windows: Any = "events"
) -> Any:
    return learning.parallel_transform(network, samples, n_windows, batch=batch, windows=windows)


def _to_parquet(
    model: Any, samples: Any, folder: Any, *, batch: Any = 32, progress: Any = None,
    n_windows: Any = 1,
) -> Any:  # fmt: skip
    options = {"batch": batch, "progress": progress, "n_windows": n_windows}
    return learning.features_to_parquet(model, samples, folder, **options)


def of_models() -> dict[str, Target]:
    bars = [live_models.bar(False, 0), live_models.bar(True, 1)]
    return {
        "learning.LiveStream": Target(
            learning.LiveStream, lambda: {"classifier": live_models.classifier("features")}
        ),
        "learning.LiveStream.push": Target(_push, lambda: {"events": ([5], [1], [1], [0])}),
        "learning.LiveStream.save": Target(_stream().save, lambda: {"path": "stream"}),
        "learning.LiveStream.load": Target(
            learning.LiveStream.load,
            lambda: {"path": _stream_file(), "classifier": live_models.classifier("features")},
        ),
        "learning.early_recognition": Target(
            learning.early_recognition,
            lambda: {
                "classifier": live_models.classifier("features"),
                "samples": bars,
                "y": ["flat", "upright"],
                "shares": [0.5],
            },
        ),
        "learning.parallel_features": Target(
            learning.parallel_features,
            lambda: {"classifier": live_models.classifier("features"), "samples": bars},
        ),
        "learning.parallel_transform": Target(
            _transform, lambda: {"network": network(), "samples": _samples()}
        ),
        "learning.features_to_parquet": Target(
            _to_parquet, lambda: {"model": network(), "samples": _samples(), "folder": "parts"}
        ),
    }


#: Clips, rows and sizes with which a task is done before it begins.
KEPT = "kept.parquet"
_FILES: dict[str, bytes] = {}


def _kept(task: str, conditions: Any, n_samples: int, n_neurons: Any, found: Any = None) -> None:
    """Write rows that a task goes on from, so that nothing is left to measure."""
    if task not in _FILES:
        learning.run_task(
            task, conditions, [0, 1], lambda condition, seed: lambda system: {"score": 0.5},
            n_neurons=n_neurons, n_samples=n_samples, output=KEPT,
            clips=None if found is None else found.digest,
        )  # fmt: skip
        _FILES[task] = Path(KEPT).read_bytes()
    Path(KEPT).write_bytes(_FILES[task])


def _task(
    measure: Callable[..., Any], kept: Callable[[], None], good: Callable[[], dict[str, Any]]
) -> Target:
    """Give a task whose rows are all there; the file's name is tried with `run_task`."""

    def call(**given: Any) -> Any:
        kept()
        return measure(output=KEPT, **given)

    return Target(_of(call, measure, "output"), lambda: {"seeds": [0], **good()})


def of_tasks() -> dict[str, Target]:
    from hrsnn_rs.learning import (
        task_direction,
        task_interval,
        task_kinds,
        task_memory,
        task_speed,
        task_sweeps,
    )
    from hrsnn_rs.learning.task_balance import RULES

    six, n = clips(), 5
    pairs = clip_pairs(six.labels, six.groups, 2)[0]
    kinds = {"thresholds": task_kinds.KINDS["thresholds"]}
    balances = {"untrained": {"untrained": None}, "1": dict.fromkeys(RULES)}
    sizes, systems = task_sweeps.SWEEPS["training"]
    return {
        "learning.run_task": Target(
            learning.run_task,
            lambda: {
                "task": "toy",
                "conditions": ["quiet"],
                "seeds": [0],
                "prepare": lambda condition, seed: lambda law: {"score": 0.5},
                "n_neurons": n,
                "n_samples": 1,
            },
        ),
        "learning.measure_balance": _task(
            learning.measure_balance,
            lambda: _kept("balance", balances, 400, n),
            lambda: {"balances": [1.0], "n_neurons": n, "n_samples": 400},
        ),
        "learning.measure_direction": _task(
            learning.measure_direction,
            lambda: _kept("direction", task_direction.CONDITIONS, 6, n, six),
            lambda: {"clips": six, "n_neurons": n},
        ),
        "learning.measure_interval": _task(
            learning.measure_interval,
            lambda: _kept("interval", task_interval.CONDITIONS, 2, n),
            lambda: {"n_neurons": n, "n_samples": 2},
        ),
        "learning.measure_kinds": _task(
            learning.measure_kinds,
            lambda: _kept("kinds", kinds, 2, n),
            lambda: {"kinds": ["thresholds"], "n_neurons": n, "n_samples": 2},
        ),
        "learning.measure_memory": _task(
            learning.measure_memory,
            lambda: _kept("memory", list(task_memory.CONDITIONS), 400, n),
            lambda: {"n_neurons": n, "n_samples": 400},
        ),
        "learning.measure_order": _task(
            learning.measure_order,
            lambda: _kept("order", dict.fromkeys(PAUSES, ORDER_SYSTEMS), len(pairs), n, six),
            lambda: {"clips": six, "n_classes": 2, "n_neurons": n},
        ),
        "learning.measure_speed": _task(
            learning.measure_speed,
            lambda: _kept("speed", task_speed.CONDITIONS, 6, n, six),
            lambda: {"clips": six, "n_neurons": n},
        ),
        "learning.measure_sweep": _task(
            learning.measure_sweep,
            lambda: _kept("sweep-training", dict.fromkeys(sizes, systems), 2, n),
            lambda: {"of": "training", "n_neurons": n, "n_samples": 2},
        ),
    }


def learning_targets() -> dict[str, Target]:
    """Names of the wing learning, with arguments that are fine."""
    return of_systems() | of_numbers() | of_models() | of_tasks()
