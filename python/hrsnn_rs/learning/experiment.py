"""Experiments: one row per system and seed, with what it said of every clip it was tested on.

What the rows say together stands in `comparison`. Validation is always on groups (persons) that
nothing was fitted to: neither gain, nor weights, nor readout. All systems of a seed share clips,
split, readout and network seed.
"""

from __future__ import annotations

import subprocess
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from sklearn.base import clone

from hrsnn_rs import _hrsnn
from hrsnn_rs.datasets.splits import split_for
from hrsnn_rs.errors import DataWarning, ParameterError
from hrsnn_rs.learning.metrics import direction_scores
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.systems import CONTROLS, Clips, Features, count_features, network_features
from hrsnn_rs.network.network import VARIANTS
from hrsnn_rs.network.presets import default_network

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from hrsnn_rs.datasets.samples import EventSamples
    from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
    from hrsnn_rs.network.network import Network

ROW_SCHEMA: dict[str, Any] = {
    "system": pl.String,
    "variant": pl.String,
    "seed": pl.Int64,
    "dataset": pl.String,
    "split": pl.String,
    "split_warning": pl.String,
    "subjects_known": pl.Boolean,
    "n_training": pl.Int64,
    "n_validation": pl.Int64,
    "n_persons": pl.Int64,
    "n_neurons": pl.Int64,
    "n_synapses": pl.Int64,
    "accuracy": pl.Float64,
    "memory": pl.Float64,
    "spikes_per_sample": pl.Float64,
    "rate": pl.Float64,
    "synaptic_operations": pl.Float64,
    "weight_updates": pl.Int64,
    "gain": pl.Float64,
    "alpha": pl.Float64,
    "seconds": pl.Float64,
    "version": pl.String,
    "commit": pl.String,
    "predictions": pl.List(
        pl.Struct(
            {
                "clip": pl.Int64,
                "person": pl.String,
                "label": pl.String,
                "predicted": pl.String,
                "memory": pl.Float64,
            }
        )
    ),
}
"""Columns of a table of rows. `rate` is in Hz; operations and spikes are per sample.

`n_persons` are those among the validation clips, null where nobody knows them. `predictions` has
one entry per validation clip: see `predictions`.
"""


def compare(
    dataset: EventSamples | Clips,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    variants: Sequence[str] = tuple(VARIANTS),
    controls: Sequence[str] = CONTROLS,
    *,
    split: str = "group",
    memory: bool = True,
    n_neurons: int = 1000,
    make_network: Callable[..., Network] | None = None,
    encoder: SensorEncoder | None = None,
    readout: Readout | None = None,
    n_windows: int = 4,
    windows: str = "events",
    epochs: int = 1,
    rate: float = 3.0,
    n_calibration: int = 64,
    n_threads: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Measure the variants of a network beside the controls, over seeds.

    A system is calibrated and trained on the training clips without labels, its spikes are
    counted in `n_windows` windows, and a ridge readout names the gesture. The memory task asks
    more: clips and their time-reversed copies, counts of one window over the whole clip, and
    the share in which the direction is right given the gesture. Counts alone have 0.5 there.

    Parameters
    ----------
    dataset : EventSamples or Clips
        Clips of at least three groups, as `make_gestures` or `load_folder` give them. Encoded
        once.
    seeds : sequence of int, default=(0, 1, 2, 3, 4)
        Seed of network and split; validation is on two groups, which go round with it. Fewer than
        five give no verdict.
    variants : sequence of str, default=all four
        Of HoNHoS, HeNHoS, HoNHeS and HeNHeS.
    controls : sequence of str, default=all three
        Of "event counts" (no network), "untrained" (HeNHeS before training) and
        "no recurrence" (HeNHeS without recurrent synapses, calibrated anew).
    split : {"group", "clip"}, default="group"
        "group": no subject is on both sides. "clip": every fifth clip at random, which leaks; a
        warning says so, and so does the column `split_warning`.
    memory : bool, default=True
        Whether to do the memory task.
    n_neurons : int, default=1000
        Neurons of the default network.
    make_network : callable, default=None
        Called with `seed`; gives a HeNHeS network. `None` means `presets.default_network` for
        the clips' channels.
    encoder : EventEncoder or TrackingEncoder, default=None
        `None` means 32x32 pixels and two polarities.
    readout : Readout, default=None
        Readout to clone for each task. `None` means `Readout()`.
    n_windows : int, default=4
        Windows of the class task.
    windows : {"events", "time"}, default="events"
        Kind of windows.
    epochs : int, default=1
        Passes of unsupervised training.
    rate : float, default=3.0
        Mean rate in Hz to which every network is calibrated before training.
    n_calibration : int, default=64
        Training clips that calibration looks at.
    n_threads : int, default=None
        Threads; the result does not depend on them. `None` means all cores.
    progress : callable, default=None
        Called with steps done, steps in all, and what comes next.

    Returns
    -------
    polars.DataFrame
        One row per system and seed, with the columns of `ROW_SCHEMA`. `memory` is null
        without the memory task; `rate` and `gain` are null without a network; `commit` is
        null outside a checkout. `summarize` and `verdict` say what they show.

    Raises
    ------
    ParameterError
        If a variant, control or seed is unknown, none or named twice, or there are fewer than
        three groups.
    CalibrationError
        If a network cannot reach the rate.

    Examples
    --------
    >>> from hrsnn_rs.learning import compare
    >>> from hrsnn_rs.datasets import make_gestures
    >>> gestures = make_gestures(3, 1, size=32, duration=200_000)
    >>> rows = compare(gestures, seeds=[0], variants=[], controls=["event counts"])
    >>> rows["memory"].to_list()
    [0.5]
    """
    for name, given, known in (
        ("variants", variants, tuple(VARIANTS)),
        ("controls", controls, CONTROLS),
        ("seeds", seeds, None),
    ):
        for place, one in enumerate(given):
            if known is not None and one not in known:
                raise ParameterError(f"{name} must be of {known}; got {one!r}.")
            if one in given[:place]:
                raise ParameterError(f"{name} must be different; got {one!r} twice.")
    systems = [*controls, *variants]
    for name, n in (("variants and controls", len(systems)), ("seeds", len(seeds))):
        if n == 0:
            raise ParameterError(f"{name} must hold at least one; got none.")
    clips = dataset
    if not isinstance(clips, Clips):
        clips = Clips.of_dataset(clips, encoder, progress=progress)
    if make_network is None:
        make_network = partial(default_network, clips.events[0].n_channels, n_neurons=n_neurons)
    settings = {
        "epochs": epochs, "rate": rate, "n_calibration": n_calibration, "n_windows": n_windows,
        "windows": windows, "memory": memory, "n_threads": n_threads,
    }  # fmt: skip
    steps = [(seed, system) for seed in seeds for system in systems]
    # All of them before any work: a seed that cannot be had must not cost the rows of others.
    splits = {
        seed: split_for(clips.groups, seed, split, subjects_known=clips.subjects_known)
        for seed in seeds
    }
    for leaking in dict.fromkeys(one.warning for one in splits.values() if one.warning):
        warnings.warn(f"{clips.name}: {leaking}.", DataWarning, stacklevel=2)
    rows = []
    for done, (seed, system) in enumerate(steps):
        if progress is not None:
            progress(done, len(steps), f"{system}, seed {seed}")
        training, words, warning = splits[seed]
        begin = time.perf_counter()
        features = _features(system, seed, clips, training, make_network, settings)
        row = _row(system, clips, training, features, readout, memory)
        row["seed"] = seed
        row["split"], row["split_warning"] = words, warning
        row["seconds"] = time.perf_counter() - begin
        rows.append(row)
    if progress is not None:
        progress(len(steps), len(steps), "done")
    return pl.DataFrame(rows, schema=ROW_SCHEMA)


def library_commit() -> str | None:
    """Give the commit of the source checkout that this package runs from.

    Returns
    -------
    str or None
        Abbreviated commit, with "+" when files differ from it; `None` if the package is not
        in a checkout of its own.

    Examples
    --------
    >>> from hrsnn_rs.learning import library_commit
    >>> library_commit() is None or len(library_commit()) >= 7
    True
    """
    checkout = Path(__file__).resolve().parents[3]
    if not (checkout / ".git").exists():
        return None
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(checkout), *words],
                capture_output=True, text=True, check=True, timeout=10,
            ).stdout.strip()
            for words in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "-uno"))
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}+" if changes else commit


def _features(
    system: str,
    seed: int,
    clips: Clips,
    training: NDArray[np.bool_],
    make_network: Callable[..., Network],
    settings: dict[str, Any],
) -> Features:
    """Let one system turn the clips into counts."""
    if system == "event counts":
        names = ("n_windows", "windows", "memory")
        return count_features(clips, **{name: settings[name] for name in names})
    network = make_network(seed=seed)
    if system in VARIANTS:
        network = network.variant(system)
    elif system == "no recurrence":
        network = network.without_recurrence()
    if system == "untrained" or not _can_learn(network):
        settings = settings | {"epochs": 0}
    return network_features(network, clips, training, **settings)


def _can_learn(network: Network) -> bool:
    return network.describe()["parameter"].str.ends_with(".a_plus").any()


def _row(
    system: str,
    clips: Clips,
    training: NDArray[np.bool_],
    features: Features,
    readout: Readout | None,
    memory: bool,
) -> dict[str, Any]:
    """Fit the readouts on training clips and measure on the others."""
    template = Readout() if readout is None else readout
    fitted = clone(template).fit(
        features.counts[training], clips.labels[training], groups=clips.groups[training]
    )
    variant = system if system in VARIANTS else None if system == "event counts" else "HeNHeS"
    tested = np.flatnonzero(~training)
    predicted = fitted.predict(features.counts[~training])
    directions = _memory(clips, training, features, clone(template)) if memory else None
    said = _predictions(clips, tested, predicted, directions)
    return {
        "system": system,
        "variant": variant,
        "dataset": clips.name,
        "subjects_known": clips.subjects_known,
        "n_training": int(training.sum()),
        "n_validation": len(tested),
        "n_persons": len(np.unique(clips.groups[tested])) if clips.subjects_known else None,
        "n_neurons": features.n_neurons,
        "n_synapses": features.n_synapses,
        "accuracy": float((predicted == clips.labels[tested]).mean()),
        "memory": None if directions is None else float(directions.mean()),
        "spikes_per_sample": features.spikes_per_sample,
        "rate": features.rate,
        "synaptic_operations": features.synaptic_operations,
        "weight_updates": features.weight_updates,
        "gain": features.gain,
        "alpha": fitted.alpha_,
        "version": _hrsnn.__version__,
        "commit": library_commit(),
        "predictions": said,
    }


def _predictions(
    clips: Clips,
    tested: NDArray[np.intp],
    predicted: NDArray[Any],
    directions: NDArray[np.float64] | None,
) -> list[dict[str, Any]]:
    """Note what was said of each clip, and who is in it if that is known."""
    return [
        {
            "clip": int(clip),
            "person": str(clips.groups[clip]) if clips.subjects_known else None,
            "label": str(clips.classes[int(clips.labels[clip])]),
            "predicted": str(clips.classes[int(predicted[place])]),
            "memory": None if directions is None else float(directions[place]),
        }
        for place, clip in enumerate(tested)
    ]


def _memory(
    clips: Clips, training: NDArray[np.bool_], features: Features, readout: Readout
) -> NDArray[np.float64]:
    """Ask a readout of one window for gesture and direction; score the direction of each clip."""
    # Counts add up, so the windows of the forward clip together are its one window.
    forwards = features.counts.sum(axis=1, keepdims=True)
    backwards = features.reversed_counts
    assert backwards is not None
    both = (training, ~training)
    samples = [np.concatenate([forwards[side], backwards[side]]) for side in both]
    labels = [np.concatenate([2 * clips.labels[side], 2 * clips.labels[side] + 1]) for side in both]
    groups = np.concatenate([clips.groups[training], clips.groups[training]])
    readout.fit(samples[0], labels[0], groups=groups)
    scores = direction_scores(readout.decision_function(samples[1]), readout.classes_, labels[1])
    return np.asarray(scores.reshape(2, -1).mean(axis=0))
