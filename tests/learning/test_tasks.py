"""Sweeps, pairing, rows to go on from, and that docs/experiments.md says what its rows say."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hrsnn_rs.errors import CalibrationError, FormatError, ParameterError
from hrsnn_rs.learning import predict_interval, useful_ranges
from hrsnn_rs.learning.tasks import (
    CONSTANTS,
    LAWS,
    SYSTEMS,
    TASK_SCHEMA,
    best_constants,
    outcome,
    run_task,
)
from scipy import stats

DOCS = Path(__file__).parents[2] / "docs"
SIZES = {"n_neurons": 3, "n_samples": 5}
CONDITIONS = ("still", "loud")


class Calls:
    """Scores that depend on condition, seed and law; counts what is asked, and may stop."""

    def __init__(self, stop_at=None, error=KeyboardInterrupt):
        self.prepared, self.measured = [], []
        self.stop_at, self.error = stop_at, error

    def __call__(self, condition, seed):
        self.prepared.append((condition, seed))

        def measure(law):
            if len(self.measured) == self.stop_at:
                raise self.error
            self.measured.append((condition, seed, law))
            random = np.random.default_rng(
                [len(condition), seed, list(SYSTEMS.values()).index(law)]
            )
            return {"score": random.random(), "spikes_per_sample": 7.0}

        return measure


def toy(calls, seeds=(0, 4, 2), **options):
    return run_task("toy", CONDITIONS, seeds, calls, **(SIZES | options))


def told(rows):
    return rows.drop("seconds")


def made_rows(scores, names=("20 ms", "40 ms", "wide")):
    """One condition; a column of `scores` for each constant, the last for the law."""
    taus = [20.0, 40.0, None]
    cells = [
        {"condition": "c", "system": name, "constant": tau, "seed": 10 * seed, "score": row[column]}
        for seed, row in enumerate(scores)
        for column, (name, tau) in enumerate(zip(names, taus, strict=True))
    ]
    return pl.DataFrame(cells, schema=TASK_SCHEMA)


def test_each_system_meets_each_seed_and_shares_its_stimuli():
    calls = Calls()
    rows = toy(calls)
    assert rows.height == len(CONDITIONS) * len(SYSTEMS) * 3
    # Stimuli are made once for a condition and seed, and used by all systems.
    assert calls.prepared == [(c, s) for s in (0, 4, 2) for c in CONDITIONS]
    assert rows["constant"].drop_nulls().unique().sort().to_list() == [c.value for c in CONSTANTS]
    assert set(rows.filter(pl.col("constant").is_null())["system"]) == set(LAWS)
    assert rows.schema == TASK_SCHEMA


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ValueError])
@pytest.mark.parametrize("n_done", [0, 1, 13, 59])
def test_a_stopped_run_goes_on(tmp_path, n_done, error):
    path = tmp_path / "rows.parquet"
    with pytest.raises(error):
        toy(Calls(n_done, error), output=path)
    rest = Calls()
    rows = toy(rest, output=path)
    assert len(rest.measured) == 60 - n_done
    assert told(rows).equals(told(toy(Calls())))
    assert told(pl.read_parquet(path)).equals(told(rows))
    assert [file.name for file in tmp_path.iterdir()] == ["rows.parquet"]


def test_further_seeds_join_and_fewer_are_a_part(tmp_path):
    path = tmp_path / "rows.parquet"
    toy(Calls(), seeds=[0, 1], output=path)
    calls = Calls()
    assert toy(calls, seeds=[2], output=path)["seed"].unique().to_list() == [2]
    assert {seed for _, seed, _ in calls.measured} == {2}
    calls = Calls()
    assert toy(calls, seeds=[1, 1], output=path).height == 20
    assert calls.prepared == []
    assert pl.read_parquet(path)["seed"].unique().sort().to_list() == [0, 1, 2]


@pytest.mark.parametrize(
    ("column", "value"),
    [("task", "other"), ("n_neurons", 4), ("n_samples", 6), ("version", "0"), ("clips", "others")],
)
def test_rows_of_something_else_are_refused(tmp_path, column, value):
    path = tmp_path / "rows.parquet"
    toy(Calls(), output=path)
    place = 17
    rows = pl.read_parquet(path).with_columns(
        pl.when(pl.int_range(pl.len()) == place)
        .then(pl.lit(value, TASK_SCHEMA[column]))
        .otherwise(pl.col(column))
        .alias(column)
    )
    rows.write_parquet(path)
    before = path.read_bytes()
    with pytest.raises(ParameterError, match=rf"{column} .*got {value!r} in row {place}\."):
        toy(Calls(), output=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"PAR1 but not really", b"\0" * 400, "columns"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "rows.parquet"
    if content == "columns":
        pl.DataFrame({"score": [1.0]}).write_parquet(path)
    else:
        path.write_bytes(content)
    with pytest.raises(FormatError, match=r"rows\.parquet must"):
        toy(Calls(), output=path)


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ([], "seeds must hold at least one seed; got none."),
        ([0, -1], "seeds[1] must be at least 0; got -1."),
        ([0.5], "seeds[0] must be a whole number; got 0.5."),
    ],
)
def test_bad_seeds(seeds, message):
    with pytest.raises(ParameterError) as caught:
        toy(Calls(), seeds=seeds)
    assert str(caught.value) == message


def test_the_choice_for_a_seed_does_not_know_its_scores():
    random = np.random.default_rng(5)
    for _ in range(50):
        scores = random.random((4, 3))
        changed = scores.copy()
        changed[2] = random.random(3)
        one, other = (best_constants(made_rows(s), "c")[20] for s in (scores, changed))
        assert one == other
        others = np.delete(scores, 2, axis=0)[:, :2].mean(axis=0)
        assert one == ("20 ms", "40 ms")[int(others.argmax())]


def test_the_control_is_that_of_the_choice():
    scores = np.array([[0.9, 0.6, 0.8], [0.5, 0.6, 0.8], [0.5, 0.6, 0.7]])
    # Seed 0 alone likes 20 ms; so the others are given 20 ms, and it is given 40.
    row = outcome(made_rows(scores)).row(0, named=True)
    gaps = scores[:, 2] - [0.6, 0.5, 0.5]
    interval = stats.ttest_1samp(gaps, 0.0).confidence_interval()
    found = [row["difference"], row["low"], row["high"]]
    np.testing.assert_allclose(found, [gaps.mean(), *interval])
    assert (row["best"], row["n_seeds"]) == ("20 ms", 3)
    assert row["theory_difference"] is None


def test_theory_stands_beside():
    theory = pl.DataFrame(
        {"condition": ["c"] * 2, "system": ["20 ms", "wide"], "theory": [0.25, 0.75]}
    )
    rows = made_rows(np.array([[0.9, 0.6, 0.8]] * 2))
    assert outcome(rows, theory)["theory_difference"].to_list() == [0.5]


def test_who_misses_the_rate_has_no_score_and_is_no_choice():
    def prepare(condition, seed):
        def measure(law):
            if seed == 1 and law in (SYSTEMS["80 ms"], *LAWS.values()):
                raise CalibrationError("out of reach")
            return {"score": 0.9 if law == SYSTEMS["80 ms"] else 0.5}

        return measure

    rows = run_task("toy", ["c"], range(3), prepare, **SIZES)
    assert rows.filter(pl.col("score").is_null()).height == 3
    assert "80 ms" not in best_constants(rows, "c").values()
    table = outcome(rows)
    assert table["difference"].to_list() == table["low"].to_list() == [None, None]
    with pytest.raises(ParameterError, match="must hold a constant that reached the rate in 'c'"):
        best_constants(rows.with_columns(score=pl.lit(None, pl.Float64)), "c")


def test_constants_that_missed_the_rate_are_named_with_their_seeds():
    rows = made_rows([(None, 0.5, 0.5), (0.5, None, 0.5), (None, 0.5, 0.5)])
    message = (
        "rows must hold a constant that reached the rate in 'c' with all seeds; got 20 ms, which "
        "missed it with seed 0 and 1 other; 40 ms, which missed it with seed 10: take clips with "
        "more events, more neurons, or leave out seeds."
    )
    for say in (outcome, lambda rows: best_constants(rows, "c")):
        with pytest.raises(ParameterError) as error:
            say(rows)
        assert str(error.value) == message
    with pytest.raises(ParameterError, match="condition must be one of c; got 'd'"):
        best_constants(rows, "d")


@pytest.mark.parametrize(
    "task",
    [
        "interval",
        "memory",
        "speed",
        "kinds",
        "direction",
        "direction_recorded",
        "order",
        "sweep-laws",
    ],
)
def test_the_page_says_what_its_rows_say(task):
    page = (DOCS / "experiments.md").read_text()
    rows = pl.read_parquet(DOCS / f"experiment_{task}.parquet")
    assert rows["seed"].n_unique() >= 10
    theory = predict_interval() if task == "interval" else None
    for row in outcome(rows, theory).iter_rows(named=True):
        cells = [f"{row['best_score']:.3f} ({row['best']})", f"{row['score']:.3f}"]
        cells += [f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"]
        assert row["difference"] is not None
        if row["theory"] is not None:
            cells.append(f"{row['theory_difference']:+.3f}")
        line = " | ".join([row["condition"], row["system"], *cells])
        assert f"| {line} |" in page


def test_the_page_says_what_the_rows_of_balance_say():
    page = (DOCS / "experiments.md").read_text(encoding="utf-8")
    table = useful_ranges(pl.read_parquet(DOCS / "experiment_balance.parquet"))
    assert table["n_seeds"].min() >= 10
    for row in table.iter_rows(named=True):
        gap = f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
        gap = "–" if row["system"] == "one rule" else gap
        ends = f"{row['begin']:.2f} | {row['end']:.2f}"
        assert f"| {row['system']} | {ends} | {row['width']:.3f} | {gap} |" in page


@pytest.mark.parametrize(
    ("of", "few", "all_"),
    [
        ("training", "10% of training", "100% of training"),
        ("neurons", "100 neurons", "5000 neurons"),
    ],
)
def test_the_page_says_how_far_a_law_with_less_is_ahead_of_the_best_constant_with_all(
    of, few, all_
):
    rows = pl.read_parquet(DOCS / f"experiment_sweep-{of}.parquet")
    keys = rows.select("condition", "system", "seed").rows()
    scores = dict(zip(keys, rows["score"], strict=True))
    best = best_constants(rows, all_)
    gaps = [
        scores[few, "log-uniform 5-500 ms", seed] - scores[all_, name, seed]
        for seed, name in best.items()
    ]
    interval = stats.ttest_1samp(gaps, 0.0).confidence_interval()
    said = f"{np.mean(gaps):+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"
    assert said in (DOCS / "experiments.md").read_text(encoding="utf-8")
