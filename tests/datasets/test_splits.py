"""Splits: by whole groups unless asked, and never leaking without a word."""

import numpy as np
import pytest
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
    with pytest.raises(ParameterError, match="seeds must not be negative; got -1"):
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
        ((np.arange(9), 0, "day"), "split must be 'group' or 'clip'; got 'day'"),
        ((np.arange(9), -1, "clip"), "seeds must not be negative; got -1"),
        ((np.arange(4), 0, "clip"), "needs at least 5 clips; got 4"),
    ],
)
def test_impossible_splits_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        split_for(*arguments)  # type: ignore[arg-type]


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
