"""Which part of what was compared carried the score, and what chance alone would have given.

Lives here: what each comparison of an experiment says of a part. Not here: the comparisons
themselves; no difference is tested here that is not in their table, so none is corrected twice.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from hrsnn_rs.learning.comparison import comparisons, predictions

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Chance", "chance", "format_parts"]

# What is added to the second system to have the first.
_PARTS = (
    ("fields at every place, over counts of events there", "features", "pooled counts"),
    ("what these fields have learned", "features", "drawn features"),
    ("a recurrent network, over counts of events", "HeNHeS", "event counts"),
    ("recurrence of that network", "HeNHeS", "no recurrence"),
    ("what that network has learned", "HeNHeS", "untrained"),
    ("that its neurons and synapses differ", "HeNHeS", "HoNHoS"),
)
_STACKED = ("a recurrent network on top of features", "HeNHeS", "features")
_BESIDE = ("features in place of the recurrent network", "features", "HeNHeS")


class Part(NamedTuple):
    """What a part of a system adds to the accuracy.

    Attributes
    ----------
    name : str
        What was taken out, or put in the place of something else.
    without : float
        Mean accuracy without it.
    adds : float
        Difference that it makes.
    interval : str
        Of the difference.
    outcome : str
        As in `comparisons`, of the system that has it.
    """

    name: str
    without: float
    adds: float
    interval: str
    outcome: str


class Chance(NamedTuple):
    """What can be had without looking at a clip.

    Attributes
    ----------
    n_classes : int
        Classes among the tested clips.
    level : float
        Accuracy of guessing: one of them.
    most_frequent : float
        Accuracy of always saying the most frequent class.
    """

    n_classes: int
    level: float
    most_frequent: float


def chance(rows: pl.DataFrame) -> Chance | None:
    """Tell what chance gives, over the clips that were tested; `None` where nobody kept them."""
    labels = predictions(rows).unique(["seed", "clip"])["label"].drop_nulls()
    if labels.len() == 0:
        return None
    counts = labels.value_counts()["count"].to_list()
    return Chance(len(counts), 1.0 / len(counts), max(counts) / labels.len())


def format_parts(rows: pl.DataFrame) -> list[list[str]]:
    """Give the table of parts as text: a heading, then what each part adds to the accuracy.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows as `experiment.compare` gives them. Not changed.

    Returns
    -------
    list of list of str
        The part, accuracy with and without it, the difference with its 95 % interval, and whether
        it helps; lines of `format_comparisons` in other words. Empty where no part was taken out.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA
    >>> from hrsnn_rs.report import format_parts
    >>> said = {"clip": 7, "person": "ann", "label": "wave"}
    >>> rows = pl.DataFrame(
    ...     [{"system": "untrained", "seed": 0, "predictions": [said | {"predicted": "clap"}]},
    ...      {"system": "HeNHeS", "seed": 0, "predictions": [said | {"predicted": "wave"}]}],
    ...     schema=ROW_SCHEMA)
    >>> format_parts(rows)[1]
    ['what that network has learned', '1.000', '0.000', '+1.000', '-', 'no verdict']
    """
    return part_lines(parts_of(rows, comparisons(rows)))


def part_lines(parts: list[Part]) -> list[list[str]]:
    """Give what `format_parts` does, of parts."""
    lines = [
        [part, f"{mean + gap:.3f}", f"{mean:.3f}", f"{gap:+.3f}", interval, _WORDS[outcome]]
        for part, mean, gap, interval, outcome in parts
    ]
    heading = ["part", "with it", "without", "adds", "95 % interval", "outcome"]
    return [heading, *lines] if lines else []


def said_of_parts(parts: list[Part]) -> str:
    """Say in a sentence which parts helped, hurt, and were not seen to do either."""
    sides: dict[str, list[str]] = {}
    for part, _, gap, _, outcome in parts:
        sides.setdefault(outcome, []).append(f"{part} ({gap:+.3f})")
    if not sides:
        return "No part was taken out of any system."
    if set(sides) == {"no verdict"}:
        return "Too few seeds or persons to say which part carried the score."
    words = {"higher": "What helps: ", "lower": "What costs: ", "not resolved": "Not resolved: "}
    return " ".join(f"{words[side]}{'; '.join(sides[side])}." for side in words if side in sides)


_WORDS = {
    "higher": "helps",
    "lower": "costs",
    "not resolved": "not resolved",
    "no verdict": "no verdict",
}
_OTHER_SIDE = {"higher": "lower", "lower": "higher"}


def parts_of(rows: pl.DataFrame, table: pl.DataFrame) -> list[Part]:
    """Find what of rows and their comparisons tells of a part."""
    table = table.filter(metric="accuracy")
    said = predictions(rows)
    parts = []
    for part, first, second in (*_PARTS, _STACKED if _is_stacked(rows) else _BESIDE):
        sign = 1.0
        row = table.filter(system=first, other=second)
        if row.height == 0:
            sign, row = -1.0, table.filter(system=second, other=first)
        if row.height == 0:
            continue
        found: dict[str, Any] = row.row(0, named=True)
        ends = [found["low"], found["high"]]
        interval = "-"
        if None not in ends:
            low, high = sorted(sign * end for end in ends)
            interval = f"{low:+.3f} … {high:+.3f}"
        outcome: str = found["outcome"]
        # Over the clips that both have been asked for, as the difference is.
        mine, others = (
            said.filter(system=name).select("seed", "clip", "accuracy") for name in (first, second)
        )
        alone = others.join(mine.drop("accuracy"), on=["seed", "clip"], how="semi")
        parts.append(
            Part(
                part,
                float(alone["accuracy"].to_numpy().mean()),
                sign * found["difference"],
                interval,
                outcome if sign > 0 else _OTHER_SIDE.get(outcome, outcome),
            )
        )
    return parts


def _is_stacked(rows: pl.DataFrame) -> bool:
    settings = rows["settings"].drop_nulls()
    return settings.len() > 0 and json.loads(settings[0]).get("layers") == "stacked"
