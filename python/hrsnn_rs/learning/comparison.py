"""What the rows of an experiment say together: means, paired differences, a verdict.

Not here: how rows are measured (`experiment`), and how sure a difference is (`statistics`). All
comparisons that a verdict makes are corrected for their number together.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from hrsnn_rs.arguments import check_choice, check_kind
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.columns import check_table
from hrsnn_rs.learning.feature_systems import FEATURE_SYSTEMS
from hrsnn_rs.learning.statistics import (
    FEWEST_PERSONS,
    FEWEST_SEEDS,
    LEVEL,
    PairedDifference,
    holm,
    paired_difference,
)
from hrsnn_rs.words import counted

_MEASURED = ("accuracy", "memory", "spikes_per_sample", "rate", "synaptic_operations", "seconds")
_SCORES = ("accuracy", "memory")
_KEYS = ("dataset", "system", "seed", "predictions", "split_warning")
# What is judged where nothing else is asked for.
_LEAD = ("features", "HeNHeS")

COMPARISON_SCHEMA: dict[str, Any] = {
    "metric": pl.String,
    "system": pl.String,
    "other": pl.String,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "standard_error": pl.Float64,
    "p": pl.Float64,
    "p_holm": pl.Float64,
    "outcome": pl.String,
    "smallest_seen": pl.Float64,
    "n_seeds": pl.Int64,
    "n_persons": pl.Int64,
    "n_clips": pl.Int64,
}
"""Columns of a table of comparisons; what cannot be said is null."""


class Summary(NamedTuple):
    """What several seeds say together.

    Attributes
    ----------
    table : polars.DataFrame
        One row per system: `system`, `n_seeds`, `n_persons` and `n_clips` that it was tested on
        (different ones, over all seeds; null where nobody kept them), and for each measured
        column its `_mean` and `_sd` over seeds.
    comparisons : polars.DataFrame
        HeNHeS against each other system, as `comparisons` gives it.
    """

    table: pl.DataFrame
    comparisons: pl.DataFrame


def check_rows(rows: Any, *further: str) -> None:
    """Refuse what is no table of rows.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows as `compare` gives them. Not changed.
    *further : str
        Columns that are needed beside those of every summary.

    Raises
    ------
    ParameterError
        If it is none, or lacks a column.
    """
    check_table("rows", rows, *_KEYS, *_MEASURED, *further)


def predictions(rows: pl.DataFrame) -> pl.DataFrame:
    """Give what each system said of each clip that it was tested on.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows of one data set, as `compare` gives them. Not changed.

    Returns
    -------
    polars.DataFrame
        Columns `system`, `seed`, `clip` (its place in the data set), `person` (null where nobody
        knows), `label` and `predicted` (names of classes), `accuracy` (1 right, 0 wrong) and
        `memory` (share of the clip and its reversed copy whose direction is right; null without
        the memory task).

    Raises
    ------
    ParameterError
        If rows are none, are of several data sets, or have a system twice for one seed.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA, predictions
    >>> said = [{"clip": 7, "person": "ann", "label": "wave", "predicted": "clap"}]
    >>> rows = pl.DataFrame(
    ...     [{"system": "HeNHeS", "seed": 0, "predictions": said}], schema=ROW_SCHEMA)
    >>> predictions(rows)["accuracy"].to_list()
    [0.0]
    """
    check_rows(rows)
    if rows["dataset"].n_unique() > 1:
        names = ", ".join(map(repr, rows["dataset"].unique(maintain_order=True)))
        raise ParameterError(f"rows must be of one data set; got {names}.")
    for system, seed in (
        rows.select("system", "seed").filter(pl.struct("system", "seed").is_duplicated()).rows()
    ):
        raise ParameterError(
            f"rows must have each system once for a seed; got {system}, {seed} twice."
        )
    return (
        rows.select("system", "seed", "predictions")
        .explode("predictions")
        .drop_nulls("predictions")
        .unnest("predictions")
        .with_columns(accuracy=(pl.col("label") == pl.col("predicted")).cast(pl.Float64))
        .select("system", "seed", "clip", "person", "label", "predicted", "accuracy", "memory")
    )


def summarize(rows: pl.DataFrame) -> Summary:
    """Give mean and spread of each system over seeds, and what HeNHeS is against the others.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows of one data set, as `compare` gives them. Not changed.

    Returns
    -------
    Summary
        Table of systems in their order, and the comparisons.

    Raises
    ------
    ParameterError
        If there is no row; as for `predictions`.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA, summarize
    >>> rows = pl.DataFrame(
    ...     [{"system": "HoNHoS", "seed": 0, "accuracy": 0.80},
    ...      {"system": "HoNHoS", "seed": 1, "accuracy": 0.84}], schema=ROW_SCHEMA)
    >>> summarize(rows).table["accuracy_mean"].round(3).to_list()
    [0.82]
    """
    check_rows(rows)
    if rows.height == 0:
        raise ParameterError("rows must hold at least one row; got 0.")
    tested = (
        predictions(rows)
        .group_by("system")
        .agg(
            pl.col("person").drop_nulls().n_unique().cast(pl.Int64).alias("n_persons"),
            pl.col("clip").n_unique().cast(pl.Int64).alias("n_clips"),
        )
    )
    table = (
        rows.group_by("system", maintain_order=True)
        .agg(
            pl.len().alias("n_seeds"),
            *(pl.col(name).mean().alias(f"{name}_mean") for name in _MEASURED),
            *(pl.col(name).std().alias(f"{name}_sd") for name in _MEASURED),
        )
        .join(tested, on="system", how="left", maintain_order="left")
    )
    counts = ("system", "n_seeds", "n_persons", "n_clips")
    return Summary(table.select(*counts, pl.exclude(counts)), comparisons(rows))


def difference(
    rows: pl.DataFrame, first: str, second: str, metric: str = "accuracy"
) -> PairedDifference | None:
    """Give one system minus another, paired by clip and seed.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows of one data set, as `compare` gives them. Not changed.
    first, second : str
        Systems.
    metric : {"accuracy", "memory"}, default="accuracy"
        Score.

    Returns
    -------
    PairedDifference or None
        Over the clips and seeds that both have; `None` if there are none.

    Raises
    ------
    ParameterError
        If the metric is unknown, or a system no text; as for `predictions`.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA, difference
    >>> said = {"clip": 7, "person": "ann", "label": "wave"}
    >>> rows = pl.DataFrame(
    ...     [{"system": "untrained", "seed": 0, "predictions": [said | {"predicted": "clap"}]},
    ...      {"system": "HeNHeS", "seed": 0, "predictions": [said | {"predicted": "wave"}]}],
    ...     schema=ROW_SCHEMA)
    >>> str(difference(rows, "HeNHeS", "untrained"))
    '+1.000 (no interval; 1 seed, 1 person, 1 clip)'
    """
    check_choice("metric", metric, _SCORES)
    for name, system in (("first", first), ("second", second)):
        check_kind(name, system, str)
    return _difference(predictions(rows), first, second, metric)


def comparisons(rows: pl.DataFrame, system: str | None = None) -> pl.DataFrame:
    """Compare a system with each other one, in accuracy and in memory.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows of one data set, as `compare` gives them. Not changed.
    system : str, default=None
        System to judge against all others. `None` means "features" against its controls, event
        counts and HeNHeS; and HeNHeS against event counts, its controls and the other variants.

    Returns
    -------
    polars.DataFrame
        One row per metric and other system, with the columns of `COMPARISON_SCHEMA`:
        `difference` of `system` minus the other, its 95 % interval, `p` alone and `p_holm`
        corrected for all rows of the table. `outcome` is "higher" or "lower" where `p_holm` is at
        most 0.05, else "not resolved"; "no verdict" below five seeds or three persons.
        `smallest_seen` is the true difference that four of five such experiments would have
        resolved, beside the comparisons that this one left unresolved.

    Raises
    ------
    ParameterError
        As for `predictions`.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA, comparisons
    >>> said = {"clip": 7, "person": "ann", "label": "wave"}
    >>> rows = pl.DataFrame(
    ...     [{"system": "untrained", "seed": 0, "predictions": [said | {"predicted": "clap"}]},
    ...      {"system": "HeNHeS", "seed": 0, "predictions": [said | {"predicted": "wave"}]}],
    ...     schema=ROW_SCHEMA)
    >>> comparisons(rows).select("metric", "other", "difference", "outcome").row(0)
    ('accuracy', 'untrained', 1.0, 'no verdict')
    """
    check_kind("system", system, str, type(None))
    said = predictions(rows)
    pairs = _pairs(rows["system"].unique(maintain_order=True).to_list(), system)
    made = [
        (metric, first, other, gap)
        for metric in _SCORES
        for first, other in pairs
        if (gap := _difference(said, first, other, metric)) is not None
    ]
    judged = [gap for *_, gap in made if gap.is_judged]
    corrected = dict(zip(map(id, judged), holm([gap.p for gap in judged]), strict=True))
    n_open = sum(p > LEVEL for p in corrected.values())
    table = []
    for metric, first, other, gap in made:
        row: dict[str, Any] = {"metric": metric, "system": first, "other": other} | gap.to_dict()
        row["difference"] = row.pop("mean")
        p = corrected.get(id(gap))
        row["p_holm"], row["outcome"] = p, _outcome(gap, p)
        row["smallest_seen"] = gap.smallest_seen(LEVEL / max(n_open, 1))
        table.append(row)
    return pl.DataFrame(table, schema=COMPARISON_SCHEMA).with_columns(
        pl.col(pl.Float64).fill_nan(None)
    )


def verdict(rows: pl.DataFrame, system: str | None = None) -> str:
    """Say what the rows do and do not show about a system, a line for each metric.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows of one data set, as `compare` gives them. Not changed.
    system : str, default=None
        As for `comparisons`.

    Returns
    -------
    str
        For accuracy and memory: which others `system` exceeds or falls short of by the test of
        `comparisons`, and from which it is not resolved, with the difference that would have been
        seen. Below five seeds or three persons there is no verdict.

    Raises
    ------
    ParameterError
        As for `predictions`.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA, verdict
    >>> said = {"clip": 7, "person": "ann", "label": "wave", "predicted": "wave"}
    >>> rows = pl.DataFrame(
    ...     [{"system": "untrained", "seed": 0, "predictions": [said]},
    ...      {"system": "HeNHeS", "seed": 0, "predictions": [said]}], schema=ROW_SCHEMA)
    >>> print(verdict(rows))
    No verdict: 1 seed and 1 person; it takes at least 5 seeds and 3 persons.
    """
    said = verdict_parts(rows, comparisons(rows, system), system)
    if not said.parts:
        return said.opening + said.end
    lines = [said.opening, *(f"- {part}." for part in said.parts), said.end.strip()]
    return "\n".join(lines).rstrip()


class Verdict(NamedTuple):
    """A verdict in pieces.

    Attributes
    ----------
    opening : str
        Over how many comparisons, seeds, persons and clips; or why there is no verdict.
    parts : list of str
        One for each metric and system that is judged.
    end : str
        What to beware of, or nothing.
    """

    opening: str
    parts: list[str]
    end: str


def verdict_parts(rows: pl.DataFrame, table: pl.DataFrame, system: str | None = None) -> Verdict:
    """Give what `verdict` says, in pieces, of rows and their comparisons."""
    if table.height == 0:
        return Verdict(_nothing_to_judge(rows, system), [], "")
    beware = rows["split_warning"].drop_nulls().unique(maintain_order=True).to_list()
    end = f" Beware: {beware[0]}." if beware else ""
    judged = table.filter(pl.col("outcome") != "no verdict")
    if judged.height == 0:
        most = table.row(int(np.argmax(table["n_seeds"].to_numpy())), named=True)
        n_seeds, n_persons = most["n_seeds"], most["n_persons"]
        persons = counted(n_persons, "person") if n_persons else "nobody knows which persons"
        opening = (
            f"No verdict: {counted(n_seeds, 'seed')} and {persons}; it takes at least "
            f"{FEWEST_SEEDS} seeds and {FEWEST_PERSONS} persons."
        )
        return Verdict(opening, [], end)
    parts = []
    for metric, first in itertools.product(_SCORES, _LEAD if system is None else (system,)):
        group = table.filter(metric=metric, system=first)
        if group.height == 0:
            continue
        sides: dict[str, list[str]] = {}
        for row in group.sort("outcome", maintain_order=True).iter_rows(named=True):
            seen = ""
            if row["outcome"] == "not resolved":
                seen = f", {row['smallest_seen']:.3f} would have been seen"
            sides.setdefault(_WORDS[row["outcome"]], []).append(
                f"{row['other']} ({row['difference']:+.3f}{seen})"
            )
        words = [f"{relation} {', '.join(names)}" for relation, names in sides.items()]
        parts.append(f"in {metric} {first} " + "; it ".join(words))
    n_seeds, n_persons, n_clips = judged.select(pl.max("n_seeds", "n_persons", "n_clips")).row(0)
    opening = (
        f"By {counted(judged.height, 'comparison')} over {counted(n_seeds, 'seed')}, "
        f"{counted(n_persons, 'person')} and {counted(n_clips, 'test clip')}, with a chance of 5 % "
        "of any false one:"
    )
    return Verdict(opening, parts, end)


def _nothing_to_judge(rows: pl.DataFrame, system: str | None) -> str:
    """Say why there is no comparison."""
    leads = _LEAD if system is None else (system,)
    there = [name for name in leads if name in rows["system"]]
    if not there:
        return f"No verdict: there is no row of {' or of '.join(leads)}."
    words = " and ".join(there)
    asked = predictions(rows)["system"]
    if not any(name in asked for name in there):
        return f"No verdict: rows of {words} do not say what was predicted for each clip."
    return f"No verdict: there is no other system to hold {words} against, on the same clips."


_WORDS = {
    "higher": "exceeds",
    "lower": "falls short of",
    "not resolved": "is not resolved from",
    "no verdict": "has too few seeds or persons for a verdict on",
}


def _pairs(systems: list[str], system: str | None) -> list[tuple[str, str]]:
    """Pair the systems that are judged with those that they are held against."""
    if system is not None:
        return [(system, other) for other in systems if other != system]
    of_features = [name for name in systems if name in FEATURE_SYSTEMS]
    rest = [name for name in systems if name not in of_features]
    against = {
        "features": [*of_features, "event counts", "HeNHeS"],
        "HeNHeS": rest,
    }
    return [
        (lead, other)
        for lead in _LEAD
        for other in systems
        if other != lead and other in against[lead]
    ]


def _difference(
    said: pl.DataFrame, first: str, second: str, metric: str
) -> PairedDifference | None:
    """Pair what two systems said."""
    keys = ("seed", "clip")
    one, two = (
        said.filter(pl.col("system") == name).select(*keys, "person", pl.col(metric).alias(side))
        for name, side in ((first, "first"), (second, "second"))
    )
    both = one.join(two.drop("person"), on=keys, how="inner").drop_nulls(["first", "second"])
    if both.height == 0:
        return None
    both = both.sort(keys)
    person = None if both["person"].null_count() else both["person"].to_numpy()
    return paired_difference(
        both["first"].to_numpy(),
        both["second"].to_numpy(),
        seed=both["seed"].to_numpy(),
        clip=both["clip"].to_numpy(),
        person=person,
    )


def _outcome(gap: PairedDifference, p: float | None) -> str:
    if p is None:
        return "no verdict"
    if p > LEVEL:
        return "not resolved"
    return "higher" if gap.mean > 0 else "lower"
