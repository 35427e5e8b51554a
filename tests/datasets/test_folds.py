"""Folds: each clip is tested once, whole groups are left out, and nothing leaks unsaid."""

import numpy as np
import pytest
from hrsnn_rs.datasets import folds_for, make_gestures, split_for, usual_folds
from hrsnn_rs.datasets.folds import MOST_FOLDS
from hrsnn_rs.errors import ParameterError


def groups_of(n_groups):
    """Groups of different sizes, mixed."""
    sizes = np.arange(n_groups) % 3 + 1
    return np.random.default_rng(n_groups).permutation(np.repeat(np.arange(n_groups) * 7, sizes))


@pytest.mark.parametrize("seed", [0, 3, 2**40])
@pytest.mark.parametrize(
    ("n_groups", "folds", "n_folds"),
    [(2, "groups", 2), (9, "groups", 9), (25, "groups", 25), (26, "groups", MOST_FOLDS),
     (60, "groups", MOST_FOLDS), (9, 9, 9), (9, 2, 2), (60, 7, 7)],
)  # fmt: skip
def test_each_clip_is_tested_once_and_its_group_with_it(n_groups, folds, n_folds, seed):
    groups = groups_of(n_groups)
    made = folds_for(groups, seed, folds)
    assert len(made.training) == n_folds
    assert (np.sum([~training for training in made.training], axis=0) == 1).all()
    for training in made.training:
        assert training.any()
        assert not set(groups[training]) & set(groups[~training])
    sizes = [len(set(groups[~training])) for training in made.training]
    assert max(sizes) - min(sizes) <= 1
    assert made.warning is None


def test_groups_are_dealt_anew_with_each_seed_only_where_they_share_a_fold():
    groups = groups_of(12)

    def tested(seed, folds):
        made = folds_for(groups, seed, folds).training
        return {frozenset(groups[~training].tolist()) for training in made}

    assert tested(0, 4) == tested(0, 4)
    assert tested(0, 4) != tested(1, 4)
    assert tested(0, "groups") == tested(1, "groups")


def test_one_is_the_split_of_the_seed():
    groups = groups_of(6)
    for by in ("group", "clip"):
        one = split_for(groups, 4, by)
        made = folds_for(groups, 4, "one", by=by)
        np.testing.assert_array_equal(made.training, [one.training])
        assert made[1:] == one[1:]


def test_the_official_part_is_tested_and_all_others_are_trained_on():
    parts = np.array(["train", "val", "test", "test", "train"])
    groups = np.array([1, 2, 3, 3, 1])
    made = folds_for(groups, 9, "official", parts=parts)
    assert made.training[0].tolist() == [True, True, False, False, True]
    assert made.words == "official split: test, trained on train, val"
    assert made.warning is None
    made = folds_for(np.array([1, 2, 1, 3, 1]), 9, "official", parts=parts)
    assert made.warning == "the split leaks: 1 of 2 subjects to test on are also trained on"
    made = folds_for(groups, 9, "official", parts=parts, subjects_known=False)
    assert "not recorded who is in a clip" in made.warning


def test_what_is_taken_where_nothing_is_asked_for():
    groups, parts = groups_of(5), np.full(len(groups_of(5)), "train")
    official = np.where(np.arange(len(groups)) < 3, "test", "train")
    assert usual_folds(groups) == usual_folds(groups, official) == "groups"
    assert usual_folds(groups, official, subjects_known=False) == "official"
    assert usual_folds(np.zeros_like(groups), official) == "official"
    assert usual_folds(groups, parts, subjects_known=False) == "one"
    assert usual_folds(groups, subjects_known=False) == "one"


@pytest.mark.parametrize(
    ("folds", "options", "says"),
    [
        ("luck", {}, "folds must be 'groups', 'official', 'one' or a number; got 'luck'"),
        (1, {}, "folds must be at least 2; got 1"),
        (5, {}, "folds must be at most 4; got 5"),
        (2.5, {}, "folds must be a whole number; got 2.5"),
        (None, {}, "folds must be a whole number; got None"),
        ("groups", {"by": "clip"}, "folds must be 'one' to split by clip; got 'groups'"),
        ("groups", {"by": "luck"}, "by must be one of group, clip; got 'luck'"),
        ("official", {}, "folds must not be 'official' without .* got none"),
        ("official", {"parts": np.array(["train"] * 6)}, "of the part 'test' .* got 'train'"),
        ("official", {"parts": np.array(["test"] * 6)}, "and of another; got 'test'"),
        ("official", {"parts": np.array(["test", "", *["train"] * 4])}, "got '' at clip 1"),
        ("groups", {"seed": -1}, "seed must be at least 0; got -1"),
        ("groups", {"groups": np.zeros(6)}, "folds must have at least 2 groups .* got 1"),
    ],
)
def test_what_cannot_be_divided_is_named(folds, options, says):
    words = {"groups": np.array([1, 2, 3, 4, 4, 2]), "seed": 0} | options
    with pytest.raises(ParameterError, match=says):
        folds_for(words.pop("groups"), words.pop("seed"), folds, **words)


def test_samples_know_their_kind_and_parts():
    gestures = make_gestures(2, 1, size=16)
    some = gestures.subset([3, 0]).subset([1])
    assert (gestures.kind, some.kind) == ("GestureSet", "GestureSet")
    assert (gestures.parts.tolist(), some.parts.tolist()) == ([""] * 22, [""])
