"""Where Brian2 2.9 differs from us, one small case for each difference.

Brian2 leaves the model to its users, so these are the words of its tutorials and what its defaults
make of them. Each test shows what both simulators do. If one fails after an update of Brian2, a
difference has gone or changed, and `brian2_model` and docs/model.md must follow.
"""

import hrsnn_rs as hr
import numpy as np
import pytest
from equivalence import brian2_model
from equivalence.one_synapse import DEPRESSED, LIF, POTENTIATED, RULE, our_weight
from scipy.sparse import csr_array

b2 = pytest.importorskip("brian2", reason="needs brian2 (make equivalence)")
pytestmark = pytest.mark.external

GRIDS = (0.1, 1.0)
UNLESS_REFRACTORY = " (unless refractory)"
EARLY = brian2_model.SCHEDULE  # arrivals before thresholds
DURATION = 60.0  # ms


def brian2_spikes(
    hits, weight, *, grid, delay=0.0, t_ref=0.0, bias=0.0, flag=UNLESS_REFRACTORY, schedule=None
) -> list[list[float]]:
    """Spike times in ms of neurons of `LIF`; neuron k is hit by `weight` mV at times `hits[k]`."""
    brian2_model.start(grid)
    n = len(hits)
    neurons = b2.NeuronGroup(
        n,
        f"dv/dt = (bias - v) / tau_m : volt{flag}",
        threshold="v >= v_threshold",
        reset="v = v_reset",
        refractory=t_ref * b2.ms,
        method="exact",
        namespace={"tau_m": LIF["tau_m"] * b2.ms, "bias": bias * b2.mV}
        | {name: LIF[name] * b2.mV for name in ("v_reset", "v_threshold")},
    )
    channel = np.repeat(np.arange(n), [len(times) for times in hits])
    channels = b2.SpikeGeneratorGroup(n, channel, np.concatenate(hits) * b2.ms)
    synapses = b2.Synapses(
        channels,
        neurons,
        on_pre="v_post += weight",
        delay=delay * b2.ms,
        namespace={"weight": weight * b2.mV},
    )
    synapses.connect(j="i")
    monitor = b2.SpikeMonitor(neurons)
    network = b2.Network(neurons, channels, synapses, monitor)
    network.schedule = schedule
    network.run(DURATION * b2.ms)
    trains = monitor.spike_trains()
    return [np.round(trains[k] / b2.ms, 6).tolist() for k in range(n)]


def our_spikes(hits, weight, *, delay=0.0, **changed) -> list[list[float]]:
    """The same of ours."""
    n = len(hits)
    channel = np.repeat(np.arange(n), [len(times) for times in hits])
    t = np.rint(1000.0 * np.concatenate(hits)).astype(np.int64)
    in_order = np.argsort(t, kind="stable")
    network = hr.Network.from_arrays(
        inputs=csr_array(np.diag(np.full(n, weight))),
        recurrent=csr_array((n, n)),
        input_delay=delay,
        neuron=hr.LIF(**LIF | changed),
    )
    events = hr.Events(t[in_order], channel[in_order], n, round(1000.0 * DURATION))
    spikes = network.run(events).spikes
    times, neuron = (spikes[name].to_numpy() for name in ("t", "neuron"))
    return [(times[neuron == k] / 1000.0).tolist() for k in range(n)]


def first_heard(spikes, arrivals) -> float:
    """Time from a first spike to the first arrival, of `arrivals[k]`, that caused another."""
    heard = np.array([len(times) == 2 for times in spikes])
    k = heard.argmax()
    assert not heard[:k].any()
    assert heard[k:].all()
    return float(arrivals[k] - spikes[k][0])


# --- neurons --------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", GRIDS)
def test_an_arrival_is_tested_one_step_later_in_brian2(grid):
    hits, delay = [[10.0]], 3.0
    assert our_spikes(hits, 20.0, delay=delay) == [[13.0]]
    assert brian2_spikes(hits, 20.0, grid=grid, delay=delay) == [[13.0 + grid]]

    # Where arrivals come before thresholds, a spike waits for the next step's arrivals instead.
    assert brian2_spikes(hits, 20.0, grid=grid, delay=delay, schedule=EARLY) == [[13.0 + grid]]
    assert brian2_spikes(hits, 20.0, grid=grid, delay=delay - grid, schedule=EARLY) == [[13.0]]


@pytest.mark.parametrize("grid", GRIDS)
def test_an_arrival_decays_for_a_step_before_it_is_tested_in_brian2(grid):
    threshold = LIF["v_threshold"]
    more = threshold * np.exp(grid / LIF["tau_m"])
    for weight, here, there, early in (
        (0.9999 * threshold, 0, 0, 0),
        (1.0001 * threshold, 1, 0, 1),
        (0.9999 * more, 1, 0, 1),
        (1.0001 * more, 1, 1, 1),
    ):
        assert len(our_spikes([[10.0]], weight)[0]) == here
        assert len(brian2_spikes([[10.0]], weight, grid=grid)[0]) == there
        assert len(brian2_spikes([[10.0]], weight, grid=grid, schedule=EARLY)[0]) == early


@pytest.mark.parametrize("grid", GRIDS)
def test_an_arrival_at_the_end_of_refractoriness_counts_in_both(grid):
    arrivals = 10.0 + np.round(np.arange(1, round(5.0 / grid)) * grid, 6)
    hits = [[10.0, t] for t in arrivals]
    ours = our_spikes(hits, 20.0)
    theirs = brian2_spikes(hits, 20.0, grid=grid, t_ref=LIF["t_ref"])
    assert first_heard(ours, arrivals) == pytest.approx(LIF["t_ref"])
    assert first_heard(theirs, arrivals) == pytest.approx(LIF["t_ref"])


def test_refractory_periods_are_cut_to_whole_steps_in_brian2():
    def period(t_ref: float) -> float:
        """Between spikes that one step of a strong drive brings about."""
        return np.diff(brian2_spikes([[]], 0.0, grid=0.1, t_ref=t_ref, bias=1e6)[0])[0]

    assert [period(t_ref) for t_ref in (2.0, 2.01, 2.09)] == pytest.approx([2.0, 2.0, 2.0])

    arrivals = np.array([12.0, 12.089, 12.09, 12.1])
    ours = our_spikes([[10.0, t] for t in arrivals], 20.0, t_ref=2.0899)
    assert first_heard(ours, arrivals) == pytest.approx(2.09)


@pytest.mark.parametrize("grid", GRIDS)
def test_arrivals_in_refractoriness_are_lost_in_brian2_only_with_its_flag(grid):
    hits, t_ref = [[10.0, 12.0]], 3.0
    assert our_spikes(hits, 20.0, t_ref=t_ref) == [[10.0]]
    first = 10.0 + grid
    brian2 = {"grid": grid, "t_ref": t_ref}
    assert brian2_spikes(hits, 20.0, **brian2) == [[first]]
    assert brian2_spikes(hits, 20.0, **brian2, flag="") == [[first, first + t_ref]]


def test_delays_are_rounded_to_the_nearest_step_in_brian2():
    delays = (0.04, 1.04, 1.06)
    ours = [our_spikes([[10.0]], 20.0, delay=delay)[0][0] - 10.0 for delay in delays]
    theirs = [brian2_spikes([[10.0]], 20.0, grid=0.1, delay=delay)[0][0] - 10.1 for delay in delays]
    assert ours == pytest.approx(delays)
    assert theirs == pytest.approx([0.0, 1.0, 1.1])


@pytest.mark.parametrize("grid", GRIDS)
def test_a_drive_crosses_one_step_before_the_next_grid_point_in_brian2(grid):
    # A step bears the time of its beginning and tests what `v` is at its end.
    for bias in (17.0, 21.3, 30.0, 100.0):
        crossing = LIF["tau_m"] * np.log(bias / (bias - LIF["v_threshold"]))
        ours = our_spikes([[]], 0.0, bias=bias)[0][0]
        theirs = brian2_spikes([[]], 0.0, grid=grid, bias=bias)[0][0]
        assert ours == pytest.approx(np.ceil(1000.0 * crossing) / 1000.0)
        assert theirs == pytest.approx((np.ceil(crossing / grid) - 1.0) * grid)


def test_an_excursion_between_grid_points_is_not_seen_by_brian2():
    # One PSP that tops the threshold by a thousandth, 0.92 ms after its arrival at 10 ms.
    tau_m, tau_syn, weight = 2.0, 0.5, 20.0
    peak = np.log(tau_m / tau_syn) * tau_m * tau_syn / (tau_m - tau_syn)
    height = weight * (np.exp(-peak / tau_m) - np.exp(-peak / tau_syn)) / (1.0 - tau_syn / tau_m)
    v_threshold = height / 1.001
    ours = our_spikes([[10.0]], weight, tau_m=tau_m, tau_syn_ex=tau_syn, v_threshold=v_threshold)
    assert len(ours[0]) == 1
    assert 10.0 + peak - 0.05 < ours[0][0] < 10.0 + peak

    def n_spikes(grid: float) -> int:
        brian2_model.start(grid)
        neuron = b2.NeuronGroup(
            1,
            """
            dv/dt = (u * tau_m / tau_syn - v) / tau_m : volt
            du/dt = -u / tau_syn : volt
            """,
            threshold="v >= v_threshold",
            reset="v = -1*volt",
            method="exact",
            namespace={"tau_m": tau_m * b2.ms, "tau_syn": tau_syn * b2.ms}
            | {"v_threshold": v_threshold * b2.mV},
        )
        neuron.u = weight * b2.mV
        monitor = b2.SpikeMonitor(neuron)
        b2.Network(neuron, monitor).run(10.0 * b2.ms)
        return monitor.num_spikes

    assert n_spikes(0.4) == 0
    assert n_spikes(0.01) == 1


# --- pairs of spikes ------------------------------------------------------------------------

TUTORIAL = {
    "model": """
        w : 1
        dapre/dt = -apre / taupre : 1 (event-driven)
        dapost/dt = -apost / taupost : 1 (event-driven)
        """,
    "on_pre": """
        apre += Apre
        w = clip(w + apost, 0, wmax)
        """,
    "on_post": """
        apost += Apost
        w = clip(w + apre, 0, wmax)
        """,
}
POST = 50.0


def brian2_weights(t_pre, t_post, *, delay=0.0, grid=0.1) -> np.ndarray:
    """Weights of the tutorial's synapses k between sources spiking at `t_pre[k]` and `t_post`."""
    brian2_model.start(grid)
    n = len(t_pre)
    source = np.repeat(np.arange(n), [len(times) for times in t_pre])
    sources = b2.SpikeGeneratorGroup(n, source, np.concatenate(t_pre) * b2.ms)
    target = b2.SpikeGeneratorGroup(1, np.zeros(len(t_post), int), np.array(t_post) * b2.ms)
    rule = {"Apre": POTENTIATED, "Apost": -DEPRESSED, "wmax": RULE["w_max"]}
    rule |= {"taupre": RULE["tau_plus"] * b2.ms, "taupost": RULE["tau_minus"] * b2.ms}
    synapses = b2.Synapses(sources, target, **TUTORIAL, namespace=rule)
    synapses.connect()
    synapses.w = 1.0
    synapses.pre.delay = delay * b2.ms
    last = max(max(t_post), max(max(times) for times in t_pre) + delay)
    b2.Network(sources, target, synapses).run((last + 1.0) * b2.ms)
    return np.array(synapses.w)


@pytest.mark.parametrize("delay", [1.0, 3.0])
def test_pairing_window(delay):
    # The delay lies before the synapse in both; they part at one lag only.
    lags = np.round(np.arange(-10.0, 10.1, 0.5), 1)  # post spike minus arrival
    t_pre = POST - lags - delay
    theirs = brian2_weights([[t] for t in t_pre], [POST], delay=delay) - 1.0
    ours = np.array([our_weight([t], [POST], delay=delay) for t in t_pre]) - 1.0
    window = np.where(
        lags > 0.0,
        POTENTIATED * np.exp(-lags / RULE["tau_plus"]),
        -DEPRESSED * np.exp(lags / RULE["tau_minus"]),
    )
    apart = lags != 0.0
    np.testing.assert_allclose(theirs[apart], window[apart], rtol=1e-9)
    np.testing.assert_allclose(ours[apart], window[apart], rtol=1e-9)
    assert theirs[~apart] == pytest.approx([POTENTIATED])
    assert ours[~apart] == 0.0


def test_each_coincidence_is_one_full_potentiation_more_in_brian2():
    delay = 1.0
    posts = np.array([20.0, 35.0, 47.0, 60.0])
    t_pre = np.array([12.0, *posts[:3], 71.0]) - delay
    theirs = brian2_weights([t_pre], posts, delay=delay)[0]
    ours = our_weight(t_pre, posts, delay=delay)
    assert 0.0 < ours < theirs < RULE["w_max"]
    assert theirs - ours == pytest.approx(3 * POTENTIATED)
