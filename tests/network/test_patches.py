"""Patches: every one is what lies around its event, and none depends on what else is drawn."""

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.network import Plane, cut_patches

PLANE = Plane(6, 7, 2)


def clip(seed: int, n: int = 200) -> hr.Events:
    random = np.random.default_rng(seed)
    t = np.sort(random.integers(0, 10_000, n))
    return hr.Events(t, random.integers(0, PLANE.n_channels, n), PLANE.n_channels, 10_000)


def cut(samples, **settings):
    words = {"field": 3, "n_patches": 20, "most_events": 1000, "seed": 4} | settings
    return cut_patches(iter(samples), len(samples), PLANE, **words)


def test_a_patch_is_all_events_of_a_field_around_one_event():
    whole = clip(0)
    polarity, y, x = np.unravel_index(whole.channel, (2, 6, 7))
    for patch in cut([whole]):
        fits = []
        for centre in range(len(whole)):
            row, column = y - y[centre] + 1, x - x[centre] + 1
            inside = (row >= 0) & (row < 3) & (column >= 0) & (column < 3)
            channel = ((polarity * 3 + row) * 3 + column)[inside]
            t = whole.t[inside] - whole.t[inside][0]
            fits.append(np.array_equal(channel, patch.channel) and np.array_equal(t, patch.t))
        assert any(fits)
        assert patch.n_channels == 18


def test_the_middle_of_a_patch_has_events():
    for patch in cut([clip(1), clip(2)]):
        assert np.isin(patch.channel % 9, 4).any()


@pytest.mark.parametrize("most", [1, 2, 5])
def test_a_patch_has_no_more_events_than_asked_for(most):
    whole, few = cut([clip(3)]), cut([clip(3)], most_events=most)
    for large, small in zip(whole, few, strict=True):
        assert len(small) == min(most, len(large))
        n = len(small)
        starts = range(len(large) - n + 1)
        assert any(np.array_equal(large.channel[k : k + n], small.channel) for k in starts)


def test_patches_are_those_of_their_seed_and_of_the_samples_they_are_cut_from():
    samples = [clip(seed) for seed in range(5)]
    assert cut(samples) == cut(samples)
    assert cut(samples) != cut(samples, seed=5)
    others = [*samples[:4], clip(9)]
    same = [a == b for a, b in zip(cut(samples), cut(others), strict=True)]
    assert 5 < sum(same) < 20


def test_samples_without_events_give_no_patches():
    empty = hr.Events([], [], PLANE.n_channels, 100)
    assert 0 < len(cut([empty, clip(0)])) < 20
    with pytest.raises(hr.ParameterError, match=r"^samples must hold at least one event"):
        cut([empty])


def test_samples_of_another_plane_are_refused_by_number():
    with pytest.raises(hr.ShapeError, match=r"^sample 1 must have 84 channels; got 5\.$"):
        cut([clip(0), hr.Events([1], [1], 5)])
