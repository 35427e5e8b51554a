"""The table of features: what is read is what was appended, from memory or from the file."""

import pickle

import numpy as np
import pytest
from hrsnn_rs import ParameterError, ShapeError
from hrsnn_rs.learning import feature_table
from hrsnn_rs.learning.feature_table import FeatureTable
from hypothesis import given, settings
from hypothesis import strategies as st


@given(
    sizes=st.lists(st.integers(0, 7), min_size=1, max_size=8),
    memory=st.integers(0, 400),
    block=st.sampled_from([1, 50, 10_000]),
    seed=st.integers(0, 99),
)
@settings(max_examples=80, deadline=None)
def test_rows_come_back_whatever_lies_in_memory(sizes, memory, block, seed):
    random = np.random.default_rng(seed)
    blocks = [random.normal(size=(n, 2, 3)).astype(np.float32) for n in sizes]
    whole = np.concatenate(blocks)
    table = FeatureTable(iter(blocks), memory=memory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_table, "_BLOCK", block)
        assert table.shape == whole.shape
        assert table.nbytes == whole.nbytes
        assert np.array_equal(np.asarray(table), whole)
        assert np.array_equal(np.asarray(table, np.float64), whole)
        marks = random.random(len(whole)) < 0.5
        some = table[marks]
        assert some.shape == whole[marks].shape
        assert np.array_equal(np.asarray(some), whole[marks])
        order = random.permutation(int(marks.sum()))
        assert np.array_equal(np.asarray(some[order]), whole[marks][order])
        assert np.array_equal(np.asarray(table[1:3]), whole[1:3])
        read = [rows for _, rows in some.blocks()]
        assert sum(map(len, read)) == int(marks.sum())
        if len(whole):
            assert np.array_equal(table[-1], whole[-1])
            assert np.array_equal(table.sum(axis=1, keepdims=True), whole.sum(1, keepdims=True))


def test_what_does_not_fit_is_refused():
    table = FeatureTable([np.zeros((2, 3), np.float32)])
    for block in (np.zeros((2, 4), np.float32), np.zeros((2, 3))):
        with pytest.raises(ShapeError, match="block must have rows of shape"):
            table.append(block)
    with pytest.raises(ShapeError, match="whole table"):
        table[:1].append(np.zeros((2, 3), np.float32))
    with pytest.raises(ParameterError, match="memory must be"):
        FeatureTable(memory=-1)
    with pytest.raises(ParameterError, match="axis must leave the first out"):
        table.sum(axis=(0, 1))
    assert table[[]].sum(axis=1).shape == (0,)
    assert np.array_equal(np.asarray(pickle.loads(pickle.dumps(table))), np.asarray(table))
    with pytest.raises(IndexError):
        table[[2]]
    with pytest.raises(ValueError, match="copied"):
        np.array(table, copy=False)
    assert np.asarray(table).shape == (2, 3)
