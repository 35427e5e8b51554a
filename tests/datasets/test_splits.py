"""Splits: by whole groups unless asked, and never leaking without a word."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hrsnn_rs.datasets.folds import folds_for, usual_folds
from hrsnn_rs.datasets.gesture_set import make_gestures
from hrsnn_rs.datasets.splits import leak, split_for, validation_groups
from hrsnn_rs.errors import DataWarning, ParameterError
from hrsnn_rs.learning.experiment import compare


def test_seeds_in_a_row_cover_all_groups():
    groups = np.repeat(np.arange(7), 3)
    pairs = [validation_groups(groups, seed) for seed in range(4)]
    assert pairs == [[0, 1], [2, 3], [4, 5], [6, 0]]
    with pytest.raises(ParameterError, match="at least 3 different ones; got 2"):
        validation_groups(np.array([0, 1, 1]), 0)
    with pytest.raises(ParameterError, match="seed must be at least 0; got -1"):
        validation_groups(groups, -1)


def test_leaks_are_found() -> None:
    groups = np.array([0, 0, 1, 2])
    assert leak(groups, [True, True, False, False]) is None
    said = leak(groups, [True, False, False, True])
    assert said == "the split leaks: 1 of 2 subjects to test on are also trained on"
    said = leak(groups, [True, True, False, False], subjects_known=False)
    assert said is not None
    assert "may leak" in said


def test_groups_are_whole_and_clips_are_not() -> None:
    groups = np.repeat(np.arange(10), 10)
    training, words, warning = split_for(groups, 1)
    assert set(groups[~training]) == {2, 3}
    assert (words, warning) == ("validation on groups 2, 3", None)
    drawn = [split_for(groups, seed, "clip") for seed in (0, 0, 1)]
    assert all((~split.training).sum() == 20 for split in drawn)
    np.testing.assert_array_equal(drawn[0].training, drawn[1].training)
    assert (drawn[0].training != drawn[2].training).any()
    assert all(split.warning and "subjects to test on" in split.warning for split in drawn)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.arange(9), 0, "day"), "by must be one of group, clip; got 'day'"),
        ((np.arange(9), -1, "clip"), "seed must be at least 0; got -1"),
        ((np.arange(4), 0, "clip"), "groups must be of at least 5 clips to split by clip; got 4"),
    ],
)
def test_impossible_splits_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        split_for(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (np.array([0.0, 1.0, np.nan, 3.0, 4.0]), "nan at clip 2"),
        (np.array([0.0, 1.0, 2.0, -np.inf, 4.0]), "-inf at clip 3"),
        (["ann", None, "bob", "cy", "dan"], "None at clip 1"),
        (np.array(["ann", "bob", "cy", "dan", float("nan")], dtype=object), "nan at clip 4"),
        (pd.Series(["ann", "bob", pd.NA, "cy", "dan"], dtype=object), "<NA> at clip 2"),
        (np.array(["2026-01-01", "NaT", "2026-01-03"], "M8[ns]"), "NaT at clip 1"),
    ],
)
@pytest.mark.parametrize(
    "divide",
    [
        lambda groups: split_for(groups, 0),
        lambda groups: split_for(groups, 0, "clip"),
        lambda groups: folds_for(groups, 0),
        lambda groups: usual_folds(groups),
        lambda groups: validation_groups(groups, 0),
        lambda groups: leak(groups, np.ones(len(groups), bool)),
    ],
)
def test_a_clip_of_nobody_is_named(divide: Callable[[Any], Any], missing: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=f"groups must say whose each clip is; got {said}"):
        divide(missing)


def test_groups_may_be_whatever_has_an_order() -> None:
    for groups in (
        list("aabbccd"),
        np.array([*"aabbccd"], dtype=object),
        np.array([0, 0, 1, 1, 2, 2, 3], "M8[D]"),
        pd.Series([*"aabbccd"]),
        np.array([0.5, 0.5, 1.0, 1.0, 2.0, 2.0, 3.0]),
    ):
        assert (~split_for(groups, 0).training).sum() == 4
        assert len(folds_for(groups, 2**64 - 1, "groups").training) == 4
    with pytest.raises(ParameterError, match="groups must be of one kind"):
        split_for(np.array([1, "a", 2.0], dtype=object), 0)


def test_samples_warn_where_a_split_leaks() -> None:
    samples = make_gestures(4, 1, size=32, duration=100_000)
    with pytest.warns(DataWarning, match="4 of 4 subjects to test on are also trained on"):
        train, test = samples.split(n_test=20, by="clip")
    assert (len(train), len(test)) == (24, 20)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(44))
    samples.subjects_known = False
    with pytest.warns(DataWarning, match="may leak: it is not recorded"):
        samples.subset(np.arange(44)).split(n_test=1)
    for arguments in ({"by": "day"}, {"by": "clip", "n_test": 44}, {"by": "clip", "n_test": 0}):
        with pytest.raises(ParameterError):
            samples.split(**({"n_test": 1} | arguments))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="n_test"):
        samples.split(test_groups=[0], by="clip")


def test_rows_of_results_carry_the_warning() -> None:
    samples = make_gestures(4, 1, size=32, duration=100_000)
    options = {"seeds": [0], "variants": [], "controls": ["event counts"], "memory": False}
    rows = compare(samples, **options)  # type: ignore[arg-type]
    assert rows["split_warning"].to_list() == [None]
    with pytest.warns(DataWarning, match="the split leaks"):
        rows = compare(samples, split="clip", **options)  # type: ignore[arg-type]
    assert rows["split"].to_list() == ["validation on 8 random clips"]
    assert "subjects to test on are also trained on" in rows["split_warning"][0]
