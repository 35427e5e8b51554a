"""Structure of graphs; same key, same bits."""

import numpy as np
import pytest
from hrsnn_rs import _hrsnn
from hrsnn_rs.description.connectivity import (
    DistanceConnectivity,
    FixedInDegreeConnectivity,
    RandomConnectivity,
    SmallWorldConnectivity,
)
from hrsnn_rs.description.explicit_connectivity import ExplicitConnectivity
from hrsnn_rs.description.local_connectivity import LocalConnectivity, LocalRecurrence
from hrsnn_rs.description.parameters import Gamma
from hrsnn_rs.errors import HRSNNError, ParameterError, ShapeError
from hrsnn_rs.network.network import Network
from scipy import sparse

N = 60
RULES = {
    "random": (RandomConnectivity(p=0.2), N, N),
    "random inputs": (RandomConnectivity(p=0.2), 45, N),
    "in-degree": (FixedInDegreeConnectivity(k=7), N, N),
    "small world": (SmallWorldConnectivity(k=6, p_rewire=0.3), N, N),
    "distance": (DistanceConnectivity(grid=(3, 4, 5)), N, N),
    "local recurrence": (LocalRecurrence(sensor=(9, 8), k=7), N, N),
    "local inputs": (LocalConnectivity(sensor=(9, 8), k=7), 144, N),
}
each_rule = pytest.mark.parametrize(("rule", "n_pre", "n_post"), RULES.values(), ids=RULES)


@each_rule
def test_graphs_are_sorted_in_range_and_without_duplicates(rule, n_pre, n_post):
    indptr, indices = rule.generate(n_pre, n_post, 3, "x")
    assert (indptr.dtype, indices.dtype) == (np.int64, np.uint32)
    assert indptr.shape == (n_pre + 1,)
    assert (indptr[0], indptr[-1]) == (0, indices.size)
    assert indices.size > 0
    for row in range(n_pre):
        targets = indices[indptr[row] : indptr[row + 1]].astype(int)
        assert (np.diff(targets) > 0).all()
        assert (targets < n_post).all()
        assert n_pre != n_post or row not in targets


@each_rule
def test_same_key_same_bits_and_every_part_of_the_key_counts(rule, n_pre, n_post):
    def bits(seed, purpose):
        return rule.generate(n_pre, n_post, seed, purpose)[1].tobytes()

    assert bits(3, "x") == bits(3, "x")
    assert len({bits(3, "x"), bits(4, "x"), bits(3, "y")}) == 3
    assert bits(2**64 - 1, "x") != bits(3, "x")


def test_bits_do_not_change_between_releases():
    indptr, indices = RandomConnectivity(p=0.3).generate(4, 8, 7, "recurrent")
    assert (indptr.tolist(), indices.tolist()) == GOLDEN_GRAPH
    # Bits of logarithms may differ between C libraries by one unit in the last place.
    drawn = Gamma(20.0, 3.0).sample([0, 3], 7, "tau_m")
    np.testing.assert_allclose(drawn, GOLDEN_VALUES, rtol=1e-14)


# From the first version; a change here changes every user's network.
GOLDEN_GRAPH = ([0, 1, 5, 8, 10], [5, 0, 2, 4, 5, 2, 5, 6, 1, 5])
GOLDEN_VALUES = [39.755586607127725, 21.513426727468175, 47.51094473409537]


def test_autapses_are_left_out_only_where_they_exist():
    rule = RandomConnectivity(p=1.0)
    assert rule.generate(3, 3, 1, "x")[1].size == 6
    assert rule.generate(3, 3, 1, "x", recurrent=False)[1].size == 9
    assert RandomConnectivity(p=1.0, allow_autapses=True).generate(3, 3, 1, "x")[1].size == 9
    assert FixedInDegreeConnectivity(k=3).generate(3, 3, 1, "x", recurrent=False)[1].size == 9
    with pytest.raises(ParameterError, match="k must be at most 2"):
        FixedInDegreeConnectivity(k=3).generate(3, 3, 1, "x")


def test_in_degrees():
    for key in ("in-degree", "local recurrence", "local inputs"):
        rule, n_pre, n_post = RULES[key]
        _, indices = rule.generate(n_pre, n_post, 3, "x")
        assert np.bincount(indices).tolist() == [7] * n_post


def test_distance_rule_uses_the_mask_and_leaves_it_alone():
    rule = DistanceConnectivity(grid=(3, 4, 5), lambda_=1e6, c_ee=0, c_ei=0, c_ie=1, c_ii=0)
    mask = np.arange(N) >= 50
    before = mask.copy()
    indptr, _ = rule.generate(N, N, 1, "x", inhibitory=mask)
    assert np.diff(indptr).tolist() == [0] * 50 + [50] * 10
    assert (mask == before).all()
    strided = np.repeat(mask, 2)[::2]
    again, _ = rule.generate(N, N, 1, "x", inhibitory=strided)
    assert (again == indptr).all()


def test_positions_on_the_grid():
    places = DistanceConnectivity(grid=(3, 4, 5)).positions(N)
    assert places.shape == (N, 3)
    assert places[(1 * 4 + 2) * 5 + 3].tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ParameterError, match="grid"):
        DistanceConnectivity(grid=(3, 4, 5)).positions(59)


def test_local_rules_agree_about_positions():
    recurrent = LocalRecurrence(sensor=(9, 8))
    inputs = LocalConnectivity(sensor=(9, 8), sigma=0.01, k=1, polarities=1)
    places = recurrent.positions(N, 3)
    assert (places == inputs.positions(N, 3)).all()
    assert (places >= 0).all()
    assert (places < [9, 8]).all()
    # A field this narrow holds the pixel under the neuron.
    indptr, indices = inputs.generate(72, N, 3, "inputs")
    channel = np.repeat(np.arange(72), np.diff(indptr))
    found = np.stack([channel // 8, channel % 8], axis=1)
    assert (found == np.floor(places[indices])).all()


def test_local_fields_are_centred_and_as_wide_as_asked():
    rule = LocalConnectivity(sensor=(64, 64), polarities=1, k=1, sigma=3.0)
    places = rule.positions(4000, 1)
    indptr, indices = rule.generate(4096, 4000, 1, "inputs")
    channel = np.repeat(np.arange(4096), np.diff(indptr))
    pixels = np.stack([channel // 64, channel % 64], axis=1) + 0.5
    inner = ((places[indices] > 16) & (places[indices] < 48)).all(axis=1)
    offsets = (pixels - places[indices])[inner].ravel()
    # About 2000 offsets: standard errors 3 / sqrt(2000) = 0.067 and 3 / sqrt(4000) = 0.047.
    assert abs(offsets.mean()) < 5 * 0.067
    assert abs(offsets.std() - 3.0) < 5 * 0.047


def test_signs():
    rule = LocalConnectivity(sensor=(9, 8), k=7, negative=0.15)
    indptr, _ = rule.generate(144, N, 3, "inputs")
    signs = rule.signs(indptr, 3, "inputs")
    assert set(signs) == {-1.0, 1.0}
    assert (signs == rule.signs(indptr, 3, "inputs")).all()
    assert (signs != rule.signs(indptr, 4, "inputs")).any()
    many = rule.signs([0, 100_000], 3, "inputs")
    # Standard error sqrt(0.15 * 0.85 / 1e5) = 1.13e-3; 5 of them.
    assert abs((many < 0).mean() - 0.15) < 5.7e-3


def test_explicit_matrix_is_sorted_and_copied():
    matrix = sparse.csr_array(
        (np.array([1.0, 2.0, 3.0]), np.array([2, 0, 1]), np.array([0, 2, 3])), shape=(2, 3)
    )
    rule = ExplicitConnectivity(matrix, delay=[0.1, 0.2, 0.3])
    indptr, indices = rule.generate(2, 3, 0, "x")
    assert indptr.tolist() == [0, 2, 3]
    assert indices.tolist() == [0, 2, 1]
    assert rule.weight.tolist() == [2.0, 1.0, 3.0]
    assert rule.delay.tolist() == [0.2, 0.1, 0.3]
    assert rule.order.tolist() == [1, 0, 2]
    assert matrix.indices.tolist() == [2, 0, 1]
    matrix.data[:] = 0.0
    assert rule.weight.tolist() == [2.0, 1.0, 3.0]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.eye(2), "matrix must be a two-dimensional scipy sparse array; got ndarray"),
        (sparse.csr_array(np.eye(2, dtype=complex)), "matrix must hold real numbers"),
        (sparse.csr_array(np.eye(2, dtype=bool)), "matrix must hold real numbers"),
        (sparse.csr_array(np.diag([1.0, np.nan])), r"matrix must be finite; got nan at \(1, 1\)"),
        (
            sparse.csr_array((np.ones(2), np.array([1, 1]), np.array([0, 2])), shape=(1, 2)),
            r"matrix must store each pair once; got \(0, 1\) twice",
        ),
    ],
)
def test_wrong_matrices_are_refused(matrix, message):
    with pytest.raises(ParameterError, match=message):
        ExplicitConnectivity(matrix)


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("argument", ["matrix", "inputs", "recurrent"])
@pytest.mark.parametrize(
    ("form", "parts"),
    [
        ("coo", ([1.0, 2.0, 5.0], ([1, 0, 1], [1, 0, 1]))),
        ("coo", ([1.0, -1.0, 5.0], ([1, 1, 0], [1, 1, 0]))),
        ("coo", ([0.0, 0.0], ([1, 1], [1, 1]))),
        ("csr", ([1.0, 5.0, 2.0], [1, 0, 1], [0, 0, 3])),
        ("csc", ([1.0, 2.0], [1, 1], [0, 0, 2])),
        ("bsr", ([[[1.0]], [[2.0]]], [1, 1], [0, 0, 2])),
    ],
)
def test_a_pair_stored_twice_is_refused_in_every_form(form, kind, argument, parts):
    matrix = getattr(sparse, f"{form}_{kind}")(parts, shape=(2, 2))
    stored = matrix.nnz
    message = r"matrix must store each pair once; got \(1, 1\) twice"
    if argument == "matrix":
        with pytest.raises(ParameterError, match=message):
            ExplicitConnectivity(matrix)
    else:
        sound = {"inputs": sparse.csr_array(np.eye(2)), "recurrent": sparse.csr_array(np.eye(2))}
        with pytest.raises(ParameterError, match=f"{argument}: {message}"):
            Network.from_arrays(**sound | {argument: matrix})
    assert matrix.nnz == stored


@pytest.mark.parametrize("form", ["coo", "csr", "csc", "bsr", "lil", "dok", "dia"])
def test_sound_matrices_of_every_form_are_taken(form):
    dense = np.array([[0.0, 1.5], [-2.0, 0.0]])
    rule = ExplicitConnectivity(sparse.coo_array(dense).asformat(form))
    weight = rule.weight
    assert weight[weight != 0.0].tolist() == [1.5, -2.0]


def test_broken_matrix_is_refused():
    matrix = sparse.csr_array(np.eye(2))
    matrix.indices[0] = -7
    with pytest.raises(ParameterError, match="matrix must be well formed"):
        ExplicitConnectivity(matrix)


@pytest.mark.parametrize("delay", [[1.0], [1.0, 1.0, 1.0]])
def test_delays_of_wrong_length_are_refused(delay):
    with pytest.raises(ShapeError, match="delay must have length 2"):
        ExplicitConnectivity(sparse.csr_array(np.eye(2)), delay=delay)


@each_rule
@pytest.mark.parametrize("value", [None, -1, 2**32, 2**70, 1.5, "x", True])
def test_wrong_sizes_are_refused(rule, n_pre, n_post, value):
    with pytest.raises(HRSNNError, match="n_pre"):
        rule.generate(value, n_post, 1, "x")
    with pytest.raises(HRSNNError, match="n_post"):
        rule.generate(n_pre, value, 1, "x")


def test_impossible_requests_are_refused():
    def refused(rule, n_pre, n_post, message, **options):
        with pytest.raises(HRSNNError, match=message):
            rule.generate(n_pre, n_post, 1, "x", **options)

    refused(SmallWorldConnectivity(k=5, p_rewire=0.1), 5, 5, "k must be below")
    refused(SmallWorldConnectivity(k=2, p_rewire=0.1), 5, 6, "recurrent must be True")
    refused(DistanceConnectivity(grid=(2, 2, 2)), 7, 7, "grid must be")
    refused(DistanceConnectivity(grid=(2, 2, 2)), 7, 8, "recurrent must be True")
    refused(DistanceConnectivity(grid=(2, 2, 2)), 8, 8, "inhibitory", inhibitory=[True])
    refused(DistanceConnectivity(grid=(2, 2, 2)), 8, 8, "inhibitory", inhibitory=[1] * 8)
    refused(LocalRecurrence(sensor=(4, 4), k=5), 5, 5, "k must be at most 4")
    refused(LocalConnectivity(sensor=(4, 4), k=33), 32, 5, "k must be at most 32")
    refused(LocalConnectivity(sensor=(4, 4), k=3), 31, 5, "sensor must have as many channels")
    refused(ExplicitConnectivity(sparse.csr_array(np.eye(2))), 3, 3, "matrix must have shape")
    refused(RandomConnectivity(p=0.1), 3, 4, "n_post must be n_pre", recurrent=True)
    refused(RandomConnectivity(p=0.1), 3, 3, "recurrent", recurrent=1)
    refused(RandomConnectivity(p=1.0), 2**32 - 1, 2**32 - 1, "small enough for the memory")


@pytest.mark.parametrize("value", [-1, 2**64, 1.5, None, "x"])
def test_the_binding_refuses_wrong_integers_by_name(value):
    with pytest.raises(ParameterError, match=r"seed must be an integer in \[0, 2\^64\)"):
        _hrsnn.connect_random(2, 2, 0.5, True, value, "x")
    with pytest.raises(ParameterError, match="n_pre must be an integer"):
        _hrsnn.connect_random(value, 2, 0.5, True, 1, "x")
    with pytest.raises(ParameterError, match="k must be an integer"):
        _hrsnn.connect_small_world(5, value, 0.5, 1, "x")
    with pytest.raises(ParameterError, match="grid must be an integer"):
        _hrsnn.connect_distance((1, 1, value), 1.0, (0, 0, 0, 0), np.zeros(1, bool), 1, "x")
    with pytest.raises(ParameterError, match="height must be an integer"):
        _hrsnn.sensor_positions(value, 2, 1, 1)


def test_the_binding_refuses_unknown_laws():
    with pytest.raises(ParameterError, match="kind must be a known law"):
        _hrsnn.sample("cauchy", [1.0], None, None, np.array([0, 1]), 1, "x")
