"""Scaling all input weights: bounds, norms, and back again."""

import hrsnn_rs as hr
import numpy as np
import pytest
import scipy.sparse as sp
from hrsnn_rs.network.input_gain import InputScaling


def sample(n: int = 4000, seed: int = 0) -> hr.Events:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, 1_000_000, n))
    return hr.Events(t, rng.integers(0, 100, n), 100, duration=1_000_000)


def network(weight=1.0, **changes) -> hr.Network:
    arguments = {"inputs": hr.FixedInDegreeConnectivity(k=30, weight=weight), "seed": 3} | changes
    return hr.Network(100, 50, **arguments)


def norms(net: hr.Network) -> np.ndarray:
    return np.asarray(net.input_weights.sum(axis=0)).ravel()


@pytest.mark.parametrize("is_loaded", [False, True])
def test_norms_of_learned_inputs_follow_the_gain(tmp_path, is_loaded):
    rule = hr.STDP(inputs=True, w_max=10.0)
    net = network(hr.Gamma(0.5, 3.0), plasticity=rule, normalize_inputs=True, dtype="float64")
    net.calibrate([sample()], rate=3.0)
    wanted = norms(net)
    if is_loaded:
        net.save(tmp_path / "net.npz")
        net = hr.Network.load(tmp_path / "net.npz")
    before = net.copy()
    net.train([sample()])
    assert not np.array_equal(net.input_weights.data, before.input_weights.data)
    np.testing.assert_allclose(norms(net), wanted, rtol=1e-9)
    net.input_gain = 2.0 * net.input_gain
    net.train([sample()])
    np.testing.assert_allclose(norms(net), 2.0 * wanted, rtol=1e-9)
    # A copy is not touched.
    before.train([sample()])
    np.testing.assert_allclose(norms(before), wanted, rtol=1e-9)


@pytest.mark.parametrize("weight", [0.5, hr.Gamma(0.5, 3.0)])
def test_inputs_that_learn_are_calibrated_as_those_that_do_not(weight):
    fixed, learning = network(weight), network(weight, plasticity=hr.STDP(inputs=True, w_max=2.5))
    found = learning.calibrate([sample()], rate=3.0)
    assert found.gain == pytest.approx(fixed.calibrate([sample()], rate=3.0).gain, rel=0.03)
    assert found.rate == pytest.approx(3.0, rel=0.1)


def test_a_rate_beyond_the_bound_of_weights_is_refused_and_nothing_changes():
    net = network(0.5, plasticity=hr.STDP(inputs=True, w_max=0.6))
    before = net.input_weights.data.copy()
    with pytest.raises(hr.CalibrationError, match=r"50 Hz is out of reach: at gain 1\.2 .* w_max"):
        net.calibrate([sample()], rate=50.0)
    assert np.array_equal(net.input_weights.data, before)
    assert net.input_gain == 1.0


def test_a_rate_below_the_lower_bound_of_weights_is_refused():
    net = network(2.0, plasticity=hr.STDP(inputs=True, w_min=1.9, w_max=3.0))
    with pytest.raises(hr.CalibrationError, match=r"at gain 0\.95, with an input weight at w_min"):
        net.calibrate([sample()], rate=0.1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("gain", [1e39, 1e16, 1e-310, 1e-320, 0.0, -1.0, float("nan"), "2"])
def test_a_gain_that_cannot_be_is_refused_by_name(dtype, gain):
    net = network(dtype=dtype)
    before = net.input_weights.data.copy()
    with pytest.raises(hr.ParameterError, match=r"^input_gain must be"):
        net.input_gain = gain
    assert np.array_equal(net.input_weights.data, before)
    assert net.input_gain == 1.0


@pytest.mark.parametrize("w_max", [0.7, 1.0 / 3.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_weight_may_reach_its_bound(dtype, w_max):
    net = network(0.1, plasticity=hr.STDP(inputs=True, w_max=w_max), dtype=dtype)
    scaling = net._input_scaling()
    net.input_gain = scaling.most
    np.testing.assert_array_equal(net.input_weights.data, np.dtype(dtype).type(w_max))
    with pytest.raises(hr.ParameterError, match="input_gain must be from"):
        net.input_gain = 1.001 * scaling.most
    net.input_gain = 1.0
    np.testing.assert_allclose(net.input_weights.data, 0.1, rtol=1e-6)


def test_bounds_hold_for_weights_of_either_sign():
    synapses = {
        "weight": np.array([2.0, -1.0, 0.0, -4.0]),
        "indices": np.arange(4),
        "plastic": np.array([True, True, True, False]),
    }
    scaling = InputScaling(synapses, {"w_min": -3.0, "w_max": 5.0})
    assert (scaling.least, scaling.most) == (0.0, 2.5)
    assert scaling.at(2.5).tolist() == [5.0, -2.5, 0.0, -10.0]
    scaling = InputScaling(
        {name: of[:1] for name, of in synapses.items()}, {"w_min": 1, "w_max": 5}
    )
    assert (scaling.least, scaling.most) == (0.5, 2.5)


def test_without_input_synapses_any_gain_will_do():
    net = hr.Network.from_arrays(inputs=sp.csr_array((3, 4)), recurrent=sp.csr_array((4, 4)))
    net.input_gain = 1e300
    assert net.input_gain == 1e300
