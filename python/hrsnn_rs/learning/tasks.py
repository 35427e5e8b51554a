"""What the tasks share: a sweep of constants beside laws, rows to go on from, what they say.

A task asks whether a spread of membrane time constants is worth more than any single one. So its
control is the best constant of a sweep, for each seed chosen on the other seeds alone. All systems
of a seed see the same stimuli, have the same graph and are calibrated to the same rate.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy import stats

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import (
    check_callable,
    check_choice,
    check_integer,
    check_kind,
    check_list,
    check_mapping,
    check_progress,
)
from hrsnn_rs.description import Constant, Distribution, Gamma, LogUniform
from hrsnn_rs.errors import CalibrationError, CalibrationWarning, ParameterError
from hrsnn_rs.events.columns import check_table
from hrsnn_rs.learning.experiment import library_commit
from hrsnn_rs.learning.homogeneous import CONSTANTS
from hrsnn_rs.learning.rows_file import RowsFile
from hrsnn_rs.words import counted

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    #: Measures a system; made anew for each condition and seed, whose stimuli it holds.
    Measure = Callable[[Any], dict[str, Any]]

LAWS: dict[str, Distribution] = {
    "log-uniform 5-500 ms": LogUniform(5.0, 500.0),
    "Gamma 80 ms": Gamma(80.0, 3.0),
}
"""The heterogeneous systems, fixed before anything was measured."""

SYSTEMS: dict[str, Distribution] = {f"{law.value:g} ms": law for law in CONSTANTS} | LAWS
"""All systems of a task by name: the constants, then the laws."""

TASK_SCHEMA: dict[str, Any] = {
    "task": pl.String,
    "condition": pl.String,
    "system": pl.String,
    "constant": pl.Float64,
    "seed": pl.Int64,
    "n_neurons": pl.Int64,
    "n_samples": pl.Int64,
    "clips": pl.String,
    "score": pl.Float64,
    "linear": pl.Float64,
    "theory": pl.Float64,
    "by_lag": pl.List(pl.Float64),
    "spikes_per_sample": pl.Float64,
    "rate": pl.Float64,
    "gain": pl.Float64,
    "suprathreshold": pl.Float64,
    "synaptic_operations": pl.Float64,
    "seconds": pl.Float64,
    "version": pl.String,
    "commit": pl.String,
}
"""Columns of a task's rows. `constant`, the value that all neurons or synapses have (mostly `tau_m`
in ms), is null where they differ, `score` where a network cannot reach the rate; `clips`, a hash of
what was encoded, where a task makes its own samples; `linear`, `theory` and `by_lag` are of the
memory task alone."""

_KEY = ("condition", "system", "seed")
_COMPARED = (*_KEY, "constant", "score")


def run_task(
    task: str,
    conditions: Sequence[str] | Mapping[str, Mapping[str, Any]],
    seeds: Iterable[int],
    prepare: Callable[[str, int], Measure],
    *,
    n_neurons: int | Mapping[str, int],
    n_samples: int,
    clips: str | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Measure every system in every condition and seed that `output` does not have yet.

    Parameters
    ----------
    task : str
        Name.
    conditions : sequence of str, or mapping of str to mapping
        Names of the conditions, or of each its systems by name, in place of `SYSTEMS`: those that
        are a `Constant` are the controls.
    seeds : iterable of int
        Seeds in [0, 2**63).
    prepare : callable
        Called with condition and seed; gives what turns a system, a law of `tau_m` if none are
        named, into the measured columns.
    n_neurons : int or mapping of str to int
        Neurons, at least 2; or those of each condition.
    n_samples : int
        Samples; part of every row.
    clips : str, default=None
        `Clips.digest` of clips that are not made by the task; part of every row.
    output : str or path-like, default=None
        Parquet file of the rows, written after each; a later call goes on from it.
    progress : callable, default=None
        Called with steps done, steps in all, and what comes next.

    Returns
    -------
    polars.DataFrame
        One row per condition, system and seed, with the columns of `TASK_SCHEMA`, in that order.

    Raises
    ------
    ParameterError
        If an argument is not what it should be, no seed is given, or the rows in `output` are of
        another task, size, version or clips.
    FormatError
        If `output` is no table of rows.

    Examples
    --------
    >>> from hrsnn_rs.learning import run_task
    >>> rows = run_task("toy", ["quiet"], [0], lambda condition, seed: lambda law: {"score": 0.5},
    ...                 n_neurons=2, n_samples=1)
    >>> rows.height
    10
    """
    check_kind("task", task, str)
    check_kind("clips", clips, str, type(None))
    check_callable("prepare", prepare, "condition", 0)
    check_progress(progress)
    conditions = _checked_conditions(conditions)
    numbers = list(
        dict.fromkeys(
            check_integer(f"seeds[{place}]", seed, high=2**63 - 1)
            for place, seed in enumerate(check_list("seeds", seeds))
        )
    )
    if not numbers:
        raise ParameterError("seeds must hold at least one seed; got none.")
    same: dict[str, Any] = {
        "task": task,
        "n_samples": check_integer("n_samples", n_samples, 1),
        "clips": clips,
        "version": _hrsnn.__version__,
    }
    sizes = n_neurons
    if not isinstance(sizes, Mapping):
        same["n_neurons"] = check_integer("n_neurons", sizes, 2)
        sizes = dict.fromkeys(conditions, same["n_neurons"])
    for condition in conditions:
        check_integer(f"n_neurons[{condition!r}]", sizes.get(condition), 2)
    file = RowsFile(output, TASK_SCHEMA, _KEY, same)
    steps = [
        (condition, system, seed)
        for seed in numbers
        for condition, systems in conditions.items()
        for system in systems
    ]
    commit = library_commit()
    file.warn_of_others(commit)
    measure, prepared = None, None
    for done, step in enumerate(steps):
        condition, system, seed = step
        if progress is not None:
            progress(done, len(steps), f"{condition}, {system}, seed {seed}")
        if step in file:
            continue
        begin = time.perf_counter()
        if measure is None or prepared != (condition, seed):
            measure, prepared = prepare(condition, seed), (condition, seed)
        value = conditions[condition][system]
        row = _measured(measure, value) | dict(zip(_KEY, step, strict=True)) | {"commit": commit}
        row["n_neurons"] = sizes[condition]
        row["constant"] = value.value if isinstance(value, Constant) else None
        row["seconds"] = time.perf_counter() - begin
        file.add(row)
    if progress is not None:
        progress(len(steps), len(steps), "done")
    return file.table(steps)


def _checked_conditions(
    conditions: Sequence[str] | Mapping[str, Mapping[str, Any]],
) -> dict[str, Mapping[str, Any]]:
    """Give the systems of each condition by name."""
    if not isinstance(conditions, Mapping):
        conditions = dict.fromkeys(
            [
                check_kind(f"conditions[{place}]", one, str)
                for place, one in enumerate(check_list("conditions", conditions))
            ],
            SYSTEMS,
        )
    if not conditions:
        raise ParameterError("conditions must hold at least one condition; got none.")
    return {
        check_kind("conditions", name, str): check_mapping(f"conditions[{name!r}]", systems)
        for name, systems in conditions.items()
    }


def best_constants(rows: pl.DataFrame, condition: str) -> dict[int, str]:
    """Give the constant that each seed is compared with: the best on the other seeds.

    With one seed there are no others; the best on itself is taken, which favours the control.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows as `run_task` gives them. Not changed.
    condition : str
        Condition.

    Returns
    -------
    dict of int to str
        Name of a constant for each seed; one that missed the rate with any seed is no choice.

    Raises
    ------
    ParameterError
        If no constant reached the rate with all seeds, or rows are none or have no such condition.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import TASK_SCHEMA, best_constants
    >>> rows = pl.DataFrame(
    ...     [{"condition": "c", "system": f"{tau} ms", "constant": tau,
    ...       "seed": seed, "score": score}
    ...      for tau, scores in ((20.0, (0.9, 0.5, 0.5)), (40.0, (0.6, 0.6, 0.6)))
    ...      for seed, score in enumerate(scores)], schema=TASK_SCHEMA)
    >>> best_constants(rows, "c")
    {0: '40.0 ms', 1: '20.0 ms', 2: '20.0 ms'}
    """
    check_table("rows", rows, *_COMPARED)
    check_choice("condition", condition, rows["condition"].drop_nulls().unique(maintain_order=True))
    names, seeds, scores = _table(
        rows.filter((pl.col("condition") == condition) & pl.col("constant").is_not_null())
    )
    reached = np.isfinite(scores).all(axis=0)
    if not reached.any():
        raise ParameterError(
            f"rows must hold a constant that reached the rate in {condition!r} with all seeds; got "
            f"{_missed(names, seeds, scores)}: take clips with more events, more neurons, or leave "
            "out seeds."
        )
    scores = np.where(reached, scores, -np.inf)
    chosen = {}
    for place, seed in enumerate(seeds):
        others = scores if len(seeds) == 1 else np.delete(scores, place, axis=0)
        chosen[seed] = names[int(others.mean(axis=0).argmax())]
    return chosen


def outcome(rows: pl.DataFrame, theory: pl.DataFrame | None = None) -> pl.DataFrame:
    """Compare each law with the best constant, paired by seed.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows of one task, as `run_task` gives them. Not changed.
    theory : polars.DataFrame, default=None
        What is expected: `condition`, `system`, `theory`. Not changed.

    Returns
    -------
    polars.DataFrame
        One row per condition and law: `score`, `best` (the constant chosen by most seeds) and
        `best_score`; `difference` with its 95 % interval `low` to `high` over `n_seeds`;
        `spikes` and `best_spikes` per sample; `theory`, `best_theory` and `theory_difference`, null
        where there is none. A law that missed the rate with any seed has nulls.

    Raises
    ------
    ParameterError
        If no constant reached the rate with all seeds in a condition, or rows or theory are none.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import TASK_SCHEMA, outcome
    >>> rows = pl.DataFrame(
    ...     [{"condition": "c", "system": name, "constant": tau, "seed": seed, "score": score}
    ...      for name, tau, score in (("20 ms", 20.0, 0.5), ("wide", None, 0.75))
    ...      for seed in range(3)], schema=TASK_SCHEMA)
    >>> outcome(rows).select("system", "best", "difference").row(0)
    ('wide', '20 ms', 0.25)
    """
    check_table("rows", rows, *_COMPARED, "spikes_per_sample")
    if theory is not None:
        columns = ("condition", "system", "theory")
        theory = check_table("theory", theory, *columns).select(columns)
    found = []
    laws = rows.filter(pl.col("constant").is_null())
    expected = {} if theory is None else {(c, s): value for c, s, value in theory.iter_rows()}
    for condition, system in laws.select("condition", "system").unique(maintain_order=True).rows():
        best = best_constants(rows, condition)
        here = rows.filter(pl.col("condition") == condition)
        of = {(row["system"], row["seed"]): row for row in here.iter_rows(named=True)}
        mine = [of[system, seed] for seed in best]
        control = [of[name, seed] for seed, name in best.items()]
        usual = max(dict.fromkeys(best.values()), key=list(best.values()).count)
        row: dict[str, Any] = {"condition": condition, "system": system, "best": usual}
        row |= {"n_seeds": len(best), "best_score": _mean(control, "score")}
        row |= {"best_spikes": _mean(control, "spikes_per_sample")}
        row |= {"theory": expected.get((condition, system))}
        row |= {"best_theory": expected.get((condition, usual))}
        if all(one["score"] is not None for one in mine):
            gap = paired_interval(*([one["score"] for one in side] for side in (mine, control)))
            row |= {"score": _mean(mine, "score"), "spikes": _mean(mine, "spikes_per_sample")}
            row |= dict(zip(("difference", "low", "high"), gap, strict=True))
            row["would_be_seen"] = _smallest_seen(gap[2] - gap[0], len(best))
        found.append(row)
    numbers = (
        "score best_score difference low high would_be_seen n_seeds spikes best_spikes theory "
        "best_theory"
    )
    kinds: dict[str, Any] = {
        name: pl.Int64 if name == "n_seeds" else pl.Float64 for name in numbers.split()
    }
    words: dict[str, Any] = dict.fromkeys(("condition", "system", "best"), pl.String)
    return pl.DataFrame(found, schema=words | kinds).with_columns(
        theory_difference=pl.col("theory") - pl.col("best_theory")
    )


def _measured(measure: Measure, system: Any) -> dict[str, Any]:
    """Measure a system; one that cannot reach the rate has no score."""
    with warnings.catch_warnings():
        # Their share is a column of every row.
        warnings.simplefilter("ignore", CalibrationWarning)
        try:
            return measure(system)
        except CalibrationError:
            return {}


def _table(rows: pl.DataFrame) -> tuple[list[str], list[int], NDArray[np.float64]]:
    """Give systems, seeds, and scores of shape (n_seeds, n_systems); NaN where there is none."""
    names = rows["system"].unique(maintain_order=True).to_list()
    seeds = rows["seed"].unique(maintain_order=True).to_list()
    scores = np.full((len(seeds), len(names)), np.nan)
    for system, seed, score in rows.select("system", "seed", "score").iter_rows():
        if score is not None:
            scores[seeds.index(seed), names.index(system)] = score
    return names, seeds, scores


def _missed(names: list[str], seeds: list[int], scores: NDArray[np.float64]) -> str:
    """Say with which seeds each constant has no score."""
    words = []
    for name, column in zip(names, scores.T, strict=True):
        without = [seeds[place] for place in np.flatnonzero(~np.isfinite(column))]
        more = f" and {counted(len(without) - 1, 'other')}" if len(without) > 1 else ""
        words.append(f"{name}, which missed it with seed {without[0]}{more}")
    return "; ".join(words) or "no constant"


def _mean(rows: list[dict[str, Any]], name: str) -> float | None:
    values = [row[name] for row in rows if row[name] is not None]
    return float(np.mean(values)) if values else None


def paired_interval(mine: list[float], control: list[float]) -> tuple[float, float, float]:
    """Give the mean difference by seed, and the ends of its 95 % Student t interval."""
    gaps = np.subtract(mine, control)
    mean, n = float(gaps.mean()), len(gaps)
    if n < 2:
        return mean, float("nan"), float("nan")
    half = float(stats.t.ppf(0.975, n - 1) * gaps.std(ddof=1) / n**0.5)
    return mean, mean - half, mean + half


def _smallest_seen(half: float, n: int) -> float:
    """Give the true difference that is resolved in four of five cases, from half an interval."""
    if n < 2:
        return float("nan")
    known, power = (float(stats.t.ppf(share, n - 1)) for share in (0.975, 0.8))
    return half * (1.0 + power / known)
