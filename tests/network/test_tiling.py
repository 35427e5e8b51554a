"""Tiling: a copy sees at its place what the feature saw; pools share out all copies."""

import numpy as np
import pytest
from hrsnn_rs.network import Plane, Tiling


@pytest.mark.parametrize("field", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("plane", [Plane(8, 8, 2), Plane(7, 10, 1), Plane(5, 4, 3)])
def test_synapses_are_those_of_a_loop_over_all_pairs(plane, field, stride):
    tiling = Tiling(plane, field, stride)
    weights = np.random.default_rng(0).random((plane.polarities * field**2, 3)) + 0.1
    matrix = tiling.synapses(weights).toarray()
    expected = np.zeros_like(matrix)
    for u in range(tiling.n_rows):
        for v in range(tiling.n_columns):
            for p in range(plane.polarities):
                for row in range(field):
                    for column in range(field):
                        y = u * stride + stride // 2 + row - field // 2
                        x = v * stride + stride // 2 + column - field // 2
                        if 0 <= y < plane.height and 0 <= x < plane.width:
                            channel = (p * plane.height + y) * plane.width + x
                            place = (u * tiling.n_columns + v) * 3
                            pixel = (p * field + row) * field + column
                            expected[channel, place : place + 3] = weights[pixel]
    np.testing.assert_array_equal(matrix, expected)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_pool_is_a_square_of_places_of_one_feature(size):
    tiling = Tiling(Plane(10, 14, 1), 3, 2)
    pools = tiling.pools(4, size).reshape(tiling.n_rows, tiling.n_columns, 4)
    assert sorted(set(pools.ravel())) == list(range(pools.max() + 1))
    for pool in range(pools.max() + 1):
        u, v, k = np.nonzero(pools == pool)
        assert len(set(k)) == 1
        assert set(u // size) == {u[0] // size}
        assert set(v // size) == {v[0] // size}
