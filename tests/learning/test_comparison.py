import numpy as np
import polars as pl
import pytest
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning.comparison import (
    COMPARISON_SCHEMA,
    comparisons,
    difference,
    predictions,
    summarize,
    verdict,
)
from hrsnn_rs.learning.experiment import ROW_SCHEMA
from hrsnn_rs.learning.statistics import holm, paired_difference

N_CLIPS = 20


def rows_of(
    chances, n_seeds=5, n_persons=10, *, memory=True, known=True, dataset="made up", **more
):
    """Rows of systems that are right with these chances, each seed on two persons."""
    rows = []
    for system, chance in chances.items():
        for seed in range(n_seeds):
            random = np.random.default_rng([seed, len(rows)])
            said = []
            for k in range(2 * N_CLIPS):
                person = (2 * seed + k // N_CLIPS) % n_persons
                right = random.random() < chance
                said.append(
                    {
                        "clip": person * N_CLIPS + k % N_CLIPS,
                        "person": f"person {person}" if known else None,
                        "label": "wave",
                        "predicted": "wave" if right else "clap",
                        "memory": 0.5 * random.integers(0, 3) if memory else None,
                    }
                )
            score = np.mean([one["predicted"] == "wave" for one in said])
            row = {"system": system, "seed": seed, "dataset": dataset, "accuracy": score}
            rows.append(row | {"predictions": said} | more)
    return pl.DataFrame(rows, schema=ROW_SCHEMA)


CHANCES = {"worse": 0.3, "same": 0.8, "better": 1.0, "HeNHeS": 0.8}


def test_differences_are_paired_by_clip_and_seed():
    rows = rows_of(CHANCES)
    said = predictions(rows).sort("seed", "clip")
    one, two = (said.filter(system=name) for name in ("HeNHeS", "worse"))
    expected = paired_difference(
        one["accuracy"], two["accuracy"], seed=one["seed"], clip=one["clip"], person=one["person"]
    )
    mixed = rows.sample(fraction=1.0, shuffle=True, seed=4).with_columns(
        pl.col("predictions").list.reverse()
    )
    assert difference(mixed, "HeNHeS", "worse") == expected
    means = dict(rows.group_by("system").agg(pl.col("accuracy").mean()).rows())
    assert expected.mean == pytest.approx(means["HeNHeS"] - means["worse"])
    assert difference(rows, "HeNHeS", "luck") is None
    # What one of both lacks is left out.
    few = rows.filter(~((pl.col("system") == "worse") & (pl.col("seed") == 2)))
    assert difference(few, "HeNHeS", "worse").n_seeds == 4


def test_all_comparisons_are_corrected_together():
    table = comparisons(rows_of(CHANCES))
    assert table.schema == pl.Schema(COMPARISON_SCHEMA)
    assert table.select("metric", "other").rows() == [
        (metric, other)
        for metric in ("accuracy", "memory")
        for other in CHANCES
        if other != "HeNHeS"
    ]
    assert table["p_holm"].to_list() == holm(table["p"].to_numpy()).tolist()
    assert table["outcome"].to_list() == ["higher", "not resolved", "lower", *["not resolved"] * 3]
    assert table["n_clips"].to_list() == [200] * 6
    for row in table.iter_rows(named=True):
        assert row["low"] < row["difference"] < row["high"]
        assert row["smallest_seen"] > row["high"] - row["difference"]


def test_summary_counts_seeds_persons_and_clips():
    rows = rows_of(CHANCES, n_seeds=7, n_persons=5)
    table = summarize(rows).table
    assert table["system"].to_list() == list(CHANCES)
    assert table.select("n_seeds", "n_persons", "n_clips").rows() == [(7, 5, 100)] * 4
    line = table.filter(system="worse").row(0, named=True)
    assert line["accuracy_mean"] == pytest.approx(rows.filter(system="worse")["accuracy"].mean())
    assert summarize(rows).comparisons.equals(comparisons(rows))
    bare = rows.with_columns(pl.lit(None, ROW_SCHEMA["predictions"]).alias("predictions"))
    assert summarize(bare).table["n_clips"].null_count() == 4
    words = "rows of HeNHeS do not say what was predicted for each clip"
    assert verdict(bare) == f"No verdict: {words}."


def test_verdict_says_what_is_and_what_is_not_resolved():
    said = verdict(rows_of(CHANCES, memory=False))
    table = comparisons(rows_of(CHANCES, memory=False))
    gaps = dict(zip(table["other"], table["difference"], strict=True))
    seen = dict(zip(table["other"], table["smallest_seen"], strict=True))
    assert said == (
        "By 3 comparisons over 5 seeds, 10 persons and 200 test clips, with a chance of 5 % of any "
        f"false one:\n- in accuracy HeNHeS exceeds worse ({gaps['worse']:+.3f}); it falls short of "
        f"better ({gaps['better']:+.3f}); it is not resolved from same ({gaps['same']:+.3f}, "
        f"{seen['same']:.3f} would have been seen)."
    )
    assert "HeNHeS" not in verdict(rows_of(CHANCES), system="luck").partition("luck")[0]


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_a_system_is_not_resolved_from_itself(score):
    table = comparisons(rows_of({"one": score}).vstack(rows_of({"HeNHeS": score})))
    accuracy = table.row(0, named=True)
    if score != 0.5:
        assert (accuracy["difference"], accuracy["p"]) == (0.0, 1.0)
        assert accuracy["high"] > 0.0
    assert set(table["outcome"]) == {"not resolved"}


@pytest.mark.parametrize(
    ("size", "says"),
    [
        (
            {"n_seeds": 1},
            "No verdict: 1 seed and 2 persons; it takes at least 5 seeds and 3 persons.",
        ),
        ({"n_seeds": 4}, "No verdict: 4 seeds and 8 persons; it"),
        ({"n_persons": 2}, "No verdict: 5 seeds and 2 persons; it"),
        ({"n_seeds": 30, "n_persons": 2}, "No verdict: 30 seeds and 2 persons; it"),
        ({"known": False}, "No verdict: 5 seeds and nobody knows which persons; it"),
    ],
)
def test_too_few_give_no_verdict(size, says):
    rows = rows_of({"worse": 0.0, "HeNHeS": 1.0}, **size)
    assert verdict(rows).startswith(says)
    table = comparisons(rows)
    assert set(table["outcome"]) == {"no verdict"}
    for name in ("low", "high", "standard_error", "p", "p_holm", "smallest_seen"):
        assert table[name].null_count() == table.height
    assert table["difference"].to_list()[0] == 1.0


def test_a_split_that_leaks_is_said():
    rows = rows_of(CHANCES, split_warning="the split leaks: all of them")
    assert verdict(rows).splitlines()[-1] == "Beware: the split leaks: all of them."


@pytest.mark.parametrize("judge", [predictions, summarize, comparisons, verdict])
def test_rows_that_do_not_belong_together_are_refused(judge):
    rows = rows_of({"one": 0.5, "HeNHeS": 0.5})
    with pytest.raises(ParameterError, match=r"one data set; got 'made up', 'other'"):
        judge(rows.vstack(rows_of({"one": 0.5}, dataset="other")))
    with pytest.raises(ParameterError, match=r"each system once for a seed; got one, 0 twice"):
        judge(rows.vstack(rows))


def test_nothing_and_nonsense_are_refused():
    rows = rows_of({"one": 0.5, "HeNHeS": 0.5})
    with pytest.raises(ParameterError, match="at least one row"):
        summarize(rows.head(0))
    with pytest.raises(ParameterError, match=r"metric must be one of .* got 'seconds'"):
        difference(rows, "one", "HeNHeS", "seconds")
    words = "there is no row of features or of HeNHeS"
    assert verdict(rows.filter(system="one")) == f"No verdict: {words}."
    words = "there is no other system to hold HeNHeS against, on the same clips"
    assert verdict(rows.filter(system="HeNHeS")) == f"No verdict: {words}."
    for wrong, message in (
        (3, r"^rows must be a polars DataFrame; got a int"),
        (rows.to_dicts(), r"^rows must be a polars DataFrame"),
        (rows.drop("accuracy"), r"^rows must have the column 'accuracy'; it has"),
        (rows.drop("seed"), r"^rows must have .* 'seed'"),
    ):
        for use in (summarize, predictions, comparisons, verdict):
            with pytest.raises(ParameterError, match=message):
                use(wrong)


def test_a_difference_says_on_how_many_it_rests():
    one = rows_of({"one": 0.5, "HeNHeS": 0.5}, n_seeds=1, n_persons=1).filter(seed=0)
    assert str(difference(one, "one", "HeNHeS")).endswith(
        "(no interval; 1 seed, 1 person, 20 clips)"
    )
