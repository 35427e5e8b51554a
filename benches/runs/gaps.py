"""How far one system is ahead of another, clip by clip and seed by seed."""

import polars as pl
from hrsnn_rs.learning import PairedDifference, paired_difference


def between(rows: pl.DataFrame, first: str, second: str) -> PairedDifference | None:
    """Compare two systems over the seeds that both were measured with, if any.

    `rows` have the columns system, seed, clip, person and right. A system that was measured with
    one seed alone, since it draws nothing, stands beside each seed of the other.
    """
    one, other = (
        rows.filter(system=name).select("seed", "clip", "person", "right")
        for name in (first, second)
    )
    key = ["clip"] if other["seed"].n_unique() == 1 else ["seed", "clip"]
    both = one.join(other.drop("person"), on=key, validate="m:1")
    if both.is_empty():
        return None
    return paired_difference(
        both["right"],
        both["right_right"],
        seed=both["seed"],
        clip=both["clip"],
        person=both["person"],
    )


def in_points(gap: PairedDifference) -> str:
    """Say a difference in points, with its interval where there is one."""
    if not gap.is_judged:
        return f"{100 * gap.mean:+.1f}"
    return f"{100 * gap.mean:+.1f} [{100 * gap.low:+.1f}, {100 * gap.high:+.1f}]"
