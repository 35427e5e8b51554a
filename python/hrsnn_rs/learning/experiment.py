"""Experiments: one row per system and seed, and what the rows together say.

Validation is always on groups (persons) that nothing was fitted to: neither gain, nor
weights, nor readout. All systems of a seed share clips, split, readout and network seed.
"""

from __future__ import annotations

import subprocess
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from sklearn.base import clone

from hrsnn_rs import _hrsnn
from hrsnn_rs.datasets.splits import split_for
from hrsnn_rs.errors import DataWarning, ParameterError
from hrsnn_rs.learning.metrics import direction_accuracy
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.statistics import PairedDifference, paired_difference
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
}
"""Columns of a table of rows. `rate` is in Hz; operations and spikes are per sample."""

_MEASURED = ("accuracy", "memory", "spikes_per_sample", "rate", "synaptic_operations", "seconds")


class Summary(NamedTuple):
    """What several seeds say together.

    Attributes
    ----------
    table : polars.DataFrame
        One row per system: `system`, `n_seeds`, and for each measured column its `_mean` and
        `_sd` over seeds.
    differences : dict of str to PairedDifference
        HeNHeS minus HoNHoS, for accuracy and memory, where both are there.
    """

    table: pl.DataFrame
    differences: dict[str, PairedDifference]


def compare(
    dataset: EventSamples | Clips,
    seeds: Sequence[int] = (0, 1, 2),
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
    seeds : sequence of int, default=(0, 1, 2)
        Seed of network and split; validation is on two groups, which go round with it.
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
        null outside a checkout.

    Raises
    ------
    ParameterError
        If a variant, control or seed is unknown, or there are fewer than three groups.
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
    ):
        for one in given:
            if one not in known:
                raise ParameterError(f"{name} must be of {known}; got {one!r}.")
    clips = dataset
    if not isinstance(clips, Clips):
        clips = Clips.of_dataset(clips, encoder, progress=progress)
    if make_network is None:
        make_network = partial(default_network, clips.events[0].n_channels, n_neurons=n_neurons)
    settings = {
        "epochs": epochs, "rate": rate, "n_calibration": n_calibration, "n_windows": n_windows,
        "windows": windows, "memory": memory, "n_threads": n_threads,
    }  # fmt: skip
    systems = [*controls, *variants]
    steps = [(seed, system) for seed in seeds for system in systems]
    rows = []
    for done, (seed, system) in enumerate(steps):
        if progress is not None:
            progress(done, len(steps), f"{system}, seed {seed}")
        training, words, warning = split_for(
            clips.groups, seed, split, subjects_known=clips.subjects_known
        )
        if warning is not None:
            warnings.warn(f"{clips.name}: {warning}.", DataWarning, stacklevel=2)
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


def summarize(rows: pl.DataFrame) -> Summary:
    """Give mean and spread of each system over seeds, and the paired difference.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows of one data set, as `compare` gives them. Not changed.

    Returns
    -------
    Summary
        Table of systems in their order, and HeNHeS minus HoNHoS paired by seed.

    Raises
    ------
    ParameterError
        If there is no row.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA, summarize
    >>> rows = pl.DataFrame(
    ...     [{"system": "HoNHoS", "seed": 0, "accuracy": 0.80},
    ...      {"system": "HeNHeS", "seed": 0, "accuracy": 0.82},
    ...      {"system": "HoNHoS", "seed": 1, "accuracy": 0.84},
    ...      {"system": "HeNHeS", "seed": 1, "accuracy": 0.86}], schema=ROW_SCHEMA)
    >>> str(summarize(rows).differences["accuracy"])
    '+0.020 [+0.020, +0.020] (95 %, 2 seeds)'
    """
    if rows.height == 0:
        raise ParameterError("rows must hold at least one row; got 0.")
    table = rows.group_by("system", maintain_order=True).agg(
        pl.len().alias("n_seeds"),
        *(pl.col(name).mean().alias(f"{name}_mean") for name in _MEASURED),
        *(pl.col(name).std().alias(f"{name}_sd") for name in _MEASURED),
    )
    differences = {}
    for metric in ("accuracy", "memory"):
        gap = difference(rows, "HeNHeS", "HoNHoS", metric)
        if gap is not None:
            differences[metric] = gap
    return Summary(table, differences)


def difference(
    rows: pl.DataFrame, first: str, second: str, metric: str = "accuracy"
) -> PairedDifference | None:
    """Give one system minus another, paired by seed.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows as `compare` gives them. Not changed.
    first, second : str
        Systems.
    metric : str, default="accuracy"
        Column.

    Returns
    -------
    PairedDifference or None
        `None` if no seed has both.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA, difference
    >>> rows = pl.DataFrame(
    ...     [{"system": "untrained", "seed": 0, "memory": 0.75},
    ...      {"system": "HeNHeS", "seed": 0, "memory": 0.5}], schema=ROW_SCHEMA)
    >>> difference(rows, "HeNHeS", "untrained", "memory").mean
    -0.25
    """
    sides = [
        rows.filter(pl.col("system") == name).select("seed", pl.col(metric).alias(side))
        for name, side in ((first, "first"), (second, "second"))
    ]
    both = sides[0].join(sides[1], on="seed", how="inner").drop_nulls().sort("seed")
    if both.height == 0:
        return None
    return paired_difference(both["first"].to_numpy(), both["second"].to_numpy())


def verdict(rows: pl.DataFrame, system: str = "HeNHeS") -> str:
    """Say in a sentence what the rows do and do not show about a system.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows as `compare` gives them. Not changed.
    system : str, default="HeNHeS"
        System to judge against all others.

    Returns
    -------
    str
        For accuracy and memory: which others `system` exceeds, or falls short of, by more than
        the standard deviation over seeds of the paired difference, and from which it does not
        differ.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA, verdict
    >>> rows = pl.DataFrame(
    ...     [{"system": "untrained", "seed": 0, "accuracy": 0.80},
    ...      {"system": "HeNHeS", "seed": 0, "accuracy": 0.82},
    ...      {"system": "untrained", "seed": 1, "accuracy": 0.84},
    ...      {"system": "HeNHeS", "seed": 1, "accuracy": 0.83}], schema=ROW_SCHEMA)
    >>> print(verdict(rows))
    Beyond the spread over 2 seeds: in accuracy HeNHeS does not differ from untrained (+0.005).
    """
    others = [name for name in rows["system"].unique(maintain_order=True) if name != system]
    n_seeds = rows["seed"].n_unique()
    parts = []
    for metric in ("accuracy", "memory"):
        sides: dict[str, list[str]] = {
            "exceeds": [],
            "falls short of": [],
            "does not differ from": [],
        }
        for other in others:
            gap = difference(rows, system, other, metric)
            if gap is not None:
                sides[_relation(gap)].append(f"{other} ({gap.mean:+.3f})")
        words = [f"{relation} {', '.join(names)}" for relation, names in sides.items() if names]
        if words:
            parts.append(f"in {metric} {system} " + "; it ".join(words))
    if not parts:
        return f"No row of {system} to judge."
    how = (
        f"Beyond the spread over {n_seeds} seeds" if n_seeds > 1 else "On one seed, without spread"
    )
    return f"{how}: {'; '.join(parts)}."


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


def _relation(gap: PairedDifference) -> str:
    """Say in words how a paired difference compares with its spread over seeds."""
    spread = gap.sd if gap.n > 1 else 0.0
    if abs(gap.mean) <= spread:
        return "does not differ from"
    return "exceeds" if gap.mean > 0 else "falls short of"


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
    return {
        "system": system,
        "variant": variant,
        "dataset": clips.name,
        "subjects_known": clips.subjects_known,
        "n_training": int(training.sum()),
        "n_validation": int((~training).sum()),
        "n_neurons": features.n_neurons,
        "n_synapses": features.n_synapses,
        "accuracy": fitted.score(features.counts[~training], clips.labels[~training]),
        "memory": _memory(clips, training, features, clone(template)) if memory else None,
        "spikes_per_sample": features.spikes_per_sample,
        "rate": features.rate,
        "synaptic_operations": features.synaptic_operations,
        "weight_updates": features.weight_updates,
        "gain": features.gain,
        "alpha": fitted.alpha_,
        "version": _hrsnn.__version__,
        "commit": library_commit(),
    }


def _memory(
    clips: Clips, training: NDArray[np.bool_], features: Features, readout: Readout
) -> float:
    """Ask a readout of one window for gesture and direction; score the direction."""
    # Counts add up, so the windows of the forward clip together are its one window.
    forwards = features.counts.sum(axis=1, keepdims=True)
    backwards = features.reversed_counts
    assert backwards is not None
    both = (training, ~training)
    samples = [np.concatenate([forwards[side], backwards[side]]) for side in both]
    labels = [np.concatenate([2 * clips.labels[side], 2 * clips.labels[side] + 1]) for side in both]
    groups = np.concatenate([clips.groups[training], clips.groups[training]])
    readout.fit(samples[0], labels[0], groups=groups)
    return direction_accuracy(readout.decision_function(samples[1]), readout.classes_, labels[1])
