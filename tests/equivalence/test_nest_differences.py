"""Where NEST 3.10 differs from us, one small case for each difference.

Each test shows what both simulators do. If one fails after an update of NEST, a difference has
gone or changed, and `nest_model` and docs/model.md must follow.
"""

import hrsnn_rs as hr
import numpy as np
import pytest
from equivalence import nest_model
from equivalence.nest_model import connect
from equivalence.one_synapse import DEPRESSED, LIF, POTENTIATED, RULE, our_weight
from random_networks import Case
from scipy.sparse import csr_array

nest = pytest.importorskip("nest", reason="needs nest-simulator (make equivalence)")
pytestmark = pytest.mark.external

GRIDS = (0.1, 1.0)


def nest_neurons(n: int, **changed):
    """Neurons of `LIF`, with NEST's own meaning of every parameter."""
    names = {"v_rest": "E_L", "v_reset": "V_reset", "v_threshold": "V_th", "bias": "I_e"}
    values = {names.get(name, name): value for name, value in (LIF | changed).items()}
    return nest.Create("iaf_psc_delta", n, {"C_m": LIF["tau_m"], "V_m": 0.0} | values)


def nest_stdp(**changed) -> dict:
    """`RULE` as arguments of a `stdp_synapse`, its amplitudes as shares of Wmax."""
    rule = RULE | changed
    return {
        "synapse_model": "stdp_synapse",
        "tau_plus": rule["tau_plus"],
        "lambda": rule["a_plus"] / rule["w_max"],
        "alpha": rule["a_minus"] / rule["a_plus"],
        "mu_plus": rule["mu_plus"],
        "mu_minus": rule["mu_minus"],
        "Wmax": rule["w_max"],
    }


def nest_weight(t_pre, t_post, *, delay: float, weight=1.0, grid=0.1) -> float:
    """Weight of a `stdp_synapse` between parrots that spike at given times (ms)."""
    nest_model.start(grid)
    players = nest.Create("spike_generator", 2)
    players.set([{"spike_times": np.array(t) - 1.0} for t in (t_pre, t_post)])
    parrots = nest.Create("parrot_neuron", 2, {"tau_minus": RULE["tau_minus"]})
    nest.Connect(players, parrots, "one_to_one", {"delay": 1.0})
    synapse = nest_stdp() | {"weight": weight, "delay": delay, "receptor_type": 1}
    nest.Connect(parrots[0], parrots[1], syn_spec=synapse)
    nest.Simulate(max(*t_pre, *t_post) + 10.0)
    return nest.GetConnections(synapse_model="stdp_synapse").weight


# --- neurons --------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", GRIDS)
def test_an_arrival_at_the_end_of_refractoriness_is_lost_in_nest_only(grid):
    t_ref, first = LIF["t_ref"], 10.0
    gaps = np.arange(1, round(5.0 / grid)) * grid  # neuron k is hit again after gaps[k]
    n = len(gaps)

    def heard(t, neuron) -> float:
        """Return the shortest gap after which the second arrival caused a spike."""
        twice = np.bincount(neuron, minlength=n) == 2
        assert (np.diff(twice.astype(int)) >= 0).all()
        assert len(t) == n + twice.sum()
        return gaps[twice].min()

    def in_nest(t_ref: float) -> float:
        nest_model.start(grid)
        neurons = nest_neurons(n, t_ref=t_ref)
        hits = nest.Create("spike_generator", n)
        hits.set([{"spike_times": np.round([first, first + gap], 3)} for gap in gaps])
        connect(
            hits,
            np.arange(n),
            neurons,
            np.arange(n),
            weight=np.full(n, 20.0),
            delay=grid * np.ones(n),
        )
        recorder = nest.Create("spike_recorder")
        nest.Connect(neurons, recorder)
        nest.Simulate(30.0)
        return heard(recorder.events["times"], recorder.events["senders"] - neurons[0].global_id)

    t = np.concatenate([np.full(n, first), first + gaps])
    in_order = np.argsort(t, kind="stable")
    network = hr.Network.from_arrays(
        inputs=csr_array(np.diag(np.full(n, 20.0))),
        recurrent=csr_array((n, n)),
        neuron=hr.LIF(**LIF),
    )
    microseconds = np.rint(1000.0 * t[in_order]).astype(np.int64)
    events = hr.Events(microseconds, np.tile(np.arange(n), 2)[in_order], n, 30_000)
    spikes = network.run(events).spikes

    assert heard(spikes["t"].to_numpy(), spikes["neuron"].to_numpy()) == pytest.approx(t_ref)
    assert in_nest(t_ref) == pytest.approx(t_ref + grid)
    assert in_nest(t_ref - grid) == pytest.approx(t_ref)


@pytest.mark.parametrize("grid", GRIDS)
def test_a_crossing_by_constant_drive_waits_for_the_grid_in_nest(grid):
    bias = np.array([15.5, 17.0, 21.3, 30.0, 100.0])
    nest_model.start(grid)
    neurons = nest_neurons(len(bias), bias=bias, t_ref=1000.0)
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    nest.Simulate(200.0)
    nests = recorder.events["times"][np.argsort(recorder.events["senders"])]

    network = hr.Network.from_arrays(
        inputs=csr_array((1, len(bias))),
        recurrent=csr_array((len(bias), len(bias))),
        neuron=hr.LIF(**LIF | {"bias": bias, "t_ref": 1000.0}),
    )
    spikes = network.run(hr.Events([], [], 1, 200_000)).spikes.sort("neuron")
    ours = spikes["t"].to_numpy() / 1000.0
    closed_form = LIF["tau_m"] * np.log(bias / (bias - LIF["v_threshold"]))
    np.testing.assert_allclose(ours, np.ceil(closed_form * 1000.0) / 1000.0)
    np.testing.assert_allclose(nests, np.ceil(closed_form / grid) * grid)


def test_off_the_grid_nest_rounds_refractory_periods_up_delays_to_nearest_and_refuses_events():
    def period(t_ref: float) -> float:
        """Between spikes that one step of a strong drive brings about."""
        nest_model.start(0.1)
        neuron = nest_neurons(1, t_ref=t_ref, bias=1e6)
        recorder = nest.Create("spike_recorder")
        nest.Connect(neuron, recorder)
        nest.Simulate(10.0)
        return np.diff(recorder.events["times"])[0]

    def passage(delay: float) -> float:
        nest_model.start(0.1)
        player = nest.Create("spike_generator", params={"spike_times": [1.0]})
        parrots = nest.Create("parrot_neuron", 2)
        recorder = nest.Create("spike_recorder")
        nest.Connect(player, parrots[0])
        nest.Connect(parrots[0], parrots[1], syn_spec={"delay": delay})
        nest.Connect(parrots, recorder)
        nest.Simulate(10.0)
        return np.diff(recorder.events["times"])[0]

    step = period(0.0)
    assert [period(t_ref) - step for t_ref in (2.0, 2.01, 2.09)] == pytest.approx([2.0, 2.1, 2.1])
    assert [passage(delay) for delay in (1.04, 1.06)] == pytest.approx([1.0, 1.1])
    with pytest.raises(nest.NESTErrors.BadDelay):
        passage(0.04)
    with pytest.raises(nest.NESTErrors.BadProperty, match="not representable"):
        nest.Create("spike_generator", params={"spike_times": [1.03]})


# --- pairs of spikes ------------------------------------------------------------------------

DELAY = 3.0
POST = 50.0


def pre_times_without_effect(weight_after) -> list[float]:
    """Presynaptic spike times around one postsynaptic spike at which the weight stays."""
    times = np.round(np.arange(POST - 6.0, POST + 6.1, 0.5), 1)
    changes = {t: weight_after(float(t)) - 1.0 for t in times}
    still = [float(t) for t, change in changes.items() if abs(change) < 1e-12]
    for t, change in changes.items():  # potentiation before, depression after
        if t not in still:
            lag = t - still[0]
            tau, step = (15.0, POTENTIATED) if lag < 0 else (34.0, -DEPRESSED)
            assert change == pytest.approx(step * np.exp(-abs(lag) / tau), rel=1e-9)
    return still


def test_delays_are_dendritic_in_nest_and_axonal_here():
    # In NEST a late spike brings the weight up to date; it depresses by exp(-88) of a step.
    nests = pre_times_without_effect(lambda t: nest_weight([t, 3000.0], [POST], delay=DELAY))
    ours = pre_times_without_effect(lambda t: our_weight([t], [POST], delay=DELAY))
    assert nests == [POST + DELAY]
    assert ours == [POST - DELAY]


def test_a_coincident_pair_changes_nothing_in_either_but_earlier_partners_take_turns():
    # Times at the synapse: arrival, post spike, then an arrival and a post spike together. The
    # two that coincide each meet an earlier partner. At the upper bound the order shows.
    arrivals, posts = (10.0, 30.0), (20.0, 30.0)
    depression = DEPRESSED * np.exp(-10.0 / RULE["tau_minus"])
    potentiation = POTENTIATED * np.exp(-20.0 / RULE["tau_plus"])
    assert potentiation < depression

    def both(weight: float) -> tuple[float, float]:
        d = DELAY
        return (
            nest_weight([*np.add(arrivals, d), 3000.0], posts, delay=d, weight=weight),
            our_weight(np.subtract(arrivals, d), posts, delay=d, weight=weight),
        )

    inside, at_bound = both(1.0), both(RULE["w_max"])
    first_pair = POTENTIATED * np.exp(-10.0 / RULE["tau_plus"])
    assert inside == pytest.approx([1.0 + first_pair - depression + potentiation] * 2)
    nests, ours = at_bound
    assert nests == pytest.approx(RULE["w_max"] - depression)  # potentiation first, and clipped
    assert ours == pytest.approx(RULE["w_max"] - depression + potentiation)  # depression first


def test_nest_sends_the_weight_after_its_depression_and_we_before():
    # Neuron 1 spikes at 10 ms; neuron 0 at 20 ms and reaches it with just enough to spike again,
    # if nothing is taken off before.
    weight = LIF["v_threshold"] + 0.1 * DEPRESSED
    case = Case(
        inputs=csr_array(np.diag([20.0, 20.0])),
        recurrent=csr_array(np.array([[0.0, weight], [0.0, 0.0]])),
        input_delay=np.ones(2),
        recurrent_delay=np.array([DELAY]),
        neuron={name: np.full(2, value) for name, value in LIF.items()},
        plasticity={
            name: np.full(1, RULE[name]) for name in ("a_plus", "a_minus", "tau_plus", "tau_minus")
        }
        | {"w_min": 0.0, "w_max": 20.0, "mu_plus": 0.0, "mu_minus": 0.0, "pairing": "all_to_all"},
        plastic=np.array([True]),
        t=np.array([9_000, 19_000]),
        channel=np.array([1, 0]),
        duration=40_000,
    )
    forced = [(10_000, 1), (20_000, 0)]
    for learn, nests in ((False, [*forced, (23_000, 1)]), (True, forced)):
        assert nest_model.run(case, 0.1, learn=learn)[0].rows() == nests
        ours = case.network().run(case.events(), learn=learn).spikes.rows()
        assert ours == [*forced, (23_000, 1)]


# --- parameters and what is read ------------------------------------------------------------


def test_tau_minus_belongs_to_the_neuron_in_nest():
    nest_model.start(0.1)
    parrots = nest.Create("parrot_neuron", 2)
    own = nest_stdp() | {"receptor_type": 1, "tau_minus": 10.0}
    with pytest.raises(nest.NESTErrors.UnaccessedDictionaryEntry, match="tau_minus"):
        nest.Connect(parrots[0], parrots[1], syn_spec=own)


def test_nest_shows_a_weight_as_of_the_last_presynaptic_spike():
    potentiated = 1.0 + POTENTIATED * np.exp(-10.0 / RULE["tau_plus"])
    assert nest_weight([20.0], [30.0 - DELAY], delay=DELAY) == 1.0
    assert nest_weight([20.0, 3000.0], [30.0 - DELAY], delay=DELAY) == pytest.approx(potentiated)
    assert our_weight([20.0], [30.0 + DELAY], delay=DELAY) == pytest.approx(potentiated)


def test_nest_has_a_presynaptic_spike_at_time_zero_where_pairing_is_nearest():
    def weight(model: str) -> float:
        nest_model.start(0.1)
        players = nest.Create("spike_generator", 2)
        players.set([{"spike_times": [3000.0]}, {"spike_times": [5.0]}])
        parrots = nest.Create("parrot_neuron", 2)
        nest.Connect(players, parrots, "one_to_one", {"delay": 1.0})
        synapse = nest_stdp() | {"synapse_model": model, "delay": 1.0, "receptor_type": 1}
        nest.Connect(parrots[0], parrots[1], syn_spec=synapse)
        nest.Simulate(3010.0)
        return nest.GetConnections(synapse_model=model).weight

    invented = POTENTIATED * np.exp(-(5.0 + 1.0 + 1.0) / RULE["tau_plus"])
    assert weight("stdp_synapse") == pytest.approx(1.0)
    assert weight("stdp_nn_symm_synapse") == pytest.approx(1.0 + invented)
