"""The figures of the paper whose model this is, beside what was measured here.

Lives here: published numbers with where they stand, and nothing that was measured. Invariant: a
system for which the paper gives no figure has none.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, NamedTuple

import polars as pl

from hrsnn_rs.events.columns import check_table
from hrsnn_rs.words import counted

CITATION = (
    "Chakraborty & Mukhopadhyay (2023), Heterogeneous recurrent spiking neural network for "
    "spatio-temporal classification, Front. Neurosci. 17:994517, abstract"
)
"""Where the figures stand."""


class Published(NamedTuple):
    """What the paper says of a data set.

    Attributes
    ----------
    accuracy : float
        Share of test clips that its heterogeneous network (here HeNHeS) names rightly.
    whole : str
        How much the whole data set holds, by its own files.
    """

    accuracy: float
    whole: str


PUBLISHED = MappingProxyType(
    {
        "KTH": Published(0.9432, "2,391 sub-sequences of 599 clips"),
        "UCF11": Published(0.7958, "1,600 clips"),
        "UCF101": Published(0.7753, "13,320 clips"),
        "DVS128Gesture": Published(0.9654, "1,464 clips, 1,341 with one of each class"),
    }
)
"""Figures by kind of data set; see `CITATION`."""

PAPER_SCHEMA: dict[str, Any] = {
    "system": pl.String,
    "paper": pl.Float64,
    "here": pl.Float64,
    "sd": pl.Float64,
    "n_seeds": pl.Int64,
    "n_clips": pl.Int64,
}
"""Columns of the table that stands beside the paper; accuracies are shares."""


class BesidePaper(NamedTuple):
    """What the paper says, and what came out here.

    Attributes
    ----------
    table : polars.DataFrame
        One row per system with the columns of `PAPER_SCHEMA`: `paper` is null where the paper
        gives no figure, `sd` is over seeds.
    words : str
        Where the paper's figure stands, and how protocols differ.
    """

    table: pl.DataFrame
    words: str


def beside_paper(rows: pl.DataFrame) -> BesidePaper | None:
    """Set the accuracies of rows beside the paper's figure for their data set.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows of one data set, as `compare` gives them. Not changed.

    Returns
    -------
    BesidePaper or None
        `None` where the data set is none of the paper's.

    Raises
    ------
    ParameterError
        If rows are none.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import ROW_SCHEMA, beside_paper
    >>> rows = pl.DataFrame(
    ...     [{"system": "untrained", "seed": 0, "kind": "KTH", "accuracy": 0.8},
    ...      {"system": "HeNHeS", "seed": 0, "kind": "KTH", "accuracy": 0.9}], schema=ROW_SCHEMA)
    >>> beside_paper(rows).table.select("system", "paper", "here").rows()
    [('untrained', None, 0.8), ('HeNHeS', 0.9432, 0.9)]
    """
    check_table("rows", rows, "kind", "system", "accuracy", "predictions", "split")
    kinds = rows["kind"].unique().to_list()
    if len(kinds) != 1 or kinds[0] not in PUBLISHED:
        return None
    published = PUBLISHED[kinds[0]]
    table = rows.group_by("system", maintain_order=True).agg(
        pl.col("accuracy").mean().alias("here"),
        pl.col("accuracy").std().alias("sd"),
        pl.len().cast(pl.Int64).alias("n_seeds"),
        pl.col("predictions").list.eval(pl.element().struct.field("clip")).explode()
        .drop_nulls().n_unique().cast(pl.Int64).alias("n_clips"),
    )  # fmt: skip
    is_of_paper = pl.col("system") == "HeNHeS"
    table = table.with_columns(
        paper=pl.when(is_of_paper).then(published.accuracy).otherwise(None)
    ).select(*PAPER_SCHEMA)
    tested = rows["split"].drop_nulls().unique(maintain_order=True).to_list()
    here = tested[0] if len(tested) == 1 else "other groups with each seed"
    n_clips = table.select(pl.max("n_clips")).item()
    clips = counted(n_clips, "test clip") if n_clips else "which test clips, nobody kept"
    words = (
        f"Paper: {CITATION}, which gives one figure for each data set and says neither which clips "
        f"were tested nor with how many neurons and seeds: protocols may differ. Here: {here}; "
        f"{clips}. The whole set has {published.whole}."
    )
    return BesidePaper(table, words)
