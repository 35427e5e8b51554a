"""The search for an input gain, and the two ways to be out of reach."""

import hrsnn_rs as hr
import numpy as np
import pytest
import scipy.sparse as sp
from hrsnn_rs.network.calibration import psp_peak


def network(weight: float = 1.0, **changes) -> hr.Network:
    arguments = {"inputs": hr.FixedInDegreeConnectivity(k=30, weight=weight), "seed": 3} | changes
    return hr.Network(100, 50, **arguments)


def sample(n: int = 4000, seed: int = 0) -> hr.Events:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, 1_000_000, n))
    return hr.Events(t, rng.integers(0, 100, n), 100, duration=1_000_000)


@pytest.mark.parametrize("weight", [0.01, 1.0, 14.0])
@pytest.mark.parametrize("rate", [1.0, 3.0, 20.0])
def test_the_rate_is_reached_from_any_start(weight, rate):
    net = network(weight)
    samples = [sample(seed=seed) for seed in range(4)]
    found = net.calibrate(samples, rate=rate)
    assert found.rate == pytest.approx(rate, rel=0.1)
    spikes = sum(net.run(one).stats.n_spikes for one in samples)
    assert spikes / (50 * 4) == pytest.approx(found.rate)
    assert net.input_gain == found.gain
    np.testing.assert_allclose(net.input_weights.data, weight * found.gain, rtol=1e-6)
    assert found.suprathreshold == 0.0


def test_a_second_calibration_multiplies_the_gain():
    net = network()
    first = net.calibrate([sample()], rate=2.0).gain
    second = net.calibrate([sample()], rate=5.0).gain
    assert second > 1.0
    assert net.input_gain == pytest.approx(first * second)


def test_a_rate_that_only_a_relay_could_reach_is_refused_and_nothing_changes():
    net = network()
    before = net.input_weights.data.copy()
    sparse = hr.Events([0, 500_000], [0, 1], 100, duration=1_000_000)
    with pytest.raises(hr.CalibrationError, match=r"50 Hz is out of reach: at gain .* alone"):
        net.calibrate([sparse], rate=50.0)
    assert np.array_equal(net.input_weights.data, before)
    assert net.input_gain == 1.0


def test_a_rate_below_that_of_the_drive_is_refused():
    net = network(neuron=hr.LIF(bias=20.0))
    with pytest.raises(hr.CalibrationError, match="without any input it is"):
        net.calibrate([sample()], rate=1.0)


def test_a_rate_that_jumps_is_refused_with_both_its_ends():
    # Twenty inputs of 1 mV at once: the neuron fires for each volley or for none.
    net = hr.Network(20, 1, inputs=hr.RandomConnectivity(p=1.0, weight=1.0), seed=0)
    t = np.repeat([10_000, 500_000], 20)
    volleys = hr.Events(t, np.tile(np.arange(20), 2), 20, duration=1_000_000)
    with pytest.raises(hr.CalibrationError, match=r"jumps from 0 Hz past it, to 2 Hz\.$"):
        net.calibrate([volleys], rate=1.0)


def test_suprathreshold_synapses_are_warned_of():
    # One channel in twenty is strong, and its events come too seldom to add up.
    weights = np.full((20, 5), 0.5)
    weights[0] = 10.0
    net = hr.Network.from_arrays(inputs=sp.csr_array(weights), recurrent=sp.csr_array((5, 5)))
    events = hr.Events(np.arange(10) * 100_000, np.zeros(10, int), 20, duration=1_000_000)
    with pytest.warns(hr.CalibrationWarning, match=r"5\.0% of the excitatory input synapses"):
        found = net.calibrate([events], rate=10.0)
    assert found.suprathreshold == pytest.approx(0.05)


def test_under_currents_it_takes_more_to_be_suprathreshold():
    # One arrival lifts v by 1/e of its weight where tau_syn is tau_m.
    for weight, share in ((15.0 * np.e * 0.999, 0.0), (15.0 * np.e * 1.001, 1.0)):
        net = hr.Network.from_arrays(
            inputs=sp.csr_array(np.full((1, 5), weight)),
            recurrent=sp.csr_array((5, 5)),
            neuron=hr.LIF(tau_syn_ex=20.0),
        )
        events = hr.Events([0], [0], 1, duration=200_000)
        assert net.run(events).stats.n_spikes == 5 * share
        reached = psp_peak(np.array([20.0]), np.array([20.0])) * weight >= 15.0
        assert reached.item() == (share == 1.0)


def test_the_share_of_suprathreshold_synapses_counts_currents():
    # 20 mV would be suprathreshold as delta synapses; as currents they lift v by 7.4 mV.
    rng = np.random.default_rng(3)
    events = hr.Events(
        np.sort(rng.integers(0, 10**6, 2000)), rng.integers(0, 50, 2000), 50, duration=10**6
    )
    net = hr.Network(
        50, 40, neuron=hr.LIF(tau_syn_ex=20.0), inputs=hr.RandomConnectivity(p=0.5), seed=4
    )
    assert net.calibrate([events], rate=5.0).suprathreshold == 0.0


def test_a_threshold_that_has_risen_is_the_threshold():
    law = hr.Gamma(1.0, 1.0)
    risen, high = network(law), network(law, neuron=hr.LIF(v_threshold=30.0))
    risen.theta = 15.0
    events = [sample(n=300)]
    with pytest.warns(hr.CalibrationWarning) as said:
        found = [net.calibrate(events, rate=8.0) for net in (risen, high)]
    assert found[0] == found[1]
    assert found[0].suprathreshold > 0.0
    assert len(said) == 2


@pytest.mark.parametrize(
    ("samples", "rate", "named"),
    [
        ([], 3.0, "samples"),
        ([hr.Events([], [], 100, duration=1000)], 3.0, "samples"),
        ([sample()], 0.0, "rate"),
        ([sample()], float("nan"), "rate"),
        ([sample()], "3", "rate"),
    ],
)
def test_nonsense_is_refused_by_name(samples, rate, named):
    with pytest.raises(hr.ParameterError, match=named):
        network().calibrate(samples, rate=rate)


def test_only_negative_weights_cannot_be_calibrated():
    net = hr.Network(
        32,
        5,
        inputs=hr.LocalConnectivity(sensor=(4, 4), k=5, negative=1.0),
    )
    with pytest.raises(hr.ParameterError, match="positive"):
        net.calibrate([hr.Events([0], [0], 32, duration=1000)])
