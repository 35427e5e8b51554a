"""One of our networks, said in NEST's words (NEST 3.10).

`run` simulates a whole network, with `learn=True` including plasticity that feeds back; `replay`
gives spike trains to plastic synapses and returns what they learn.

**Neurons.** `iaf_psc_delta`, or `iaf_psc_exp` and its relatives where neurons have `tau_syn_ex`
and `tau_syn_in`. `C_m` has the value of `tau_m`, so that 1 pA moves the resting potential by 1 mV
and `I_e` is our `bias`. Weights of `iaf_psc_delta` are in mV, as ours are. Those of `iaf_psc_exp`
are the height of a current in pA, while ours are its charge: w C_m / tau_syn.

**Grid.** A NEST neuron lives on a grid of `resolution` ms. Delays, refractory periods and events
of the input must be multiples of it, and delays at least one step. Then nothing is rounded.

**Refractoriness.** With `iaf_psc_delta` both lose what arrives before `t + t_ref`, but NEST loses
an arrival at `t + t_ref` too. So NEST is given `t_ref - resolution`. Its membrane then begins to
relax one step too early; `V_reset` is chosen such that after this step it stands at our `v_reset`.
With currents nothing is lost and nothing needs to be done.

**Delays.** All of a `stdp_synapse`'s delay is dendritic: NEST pairs a presynaptic spike at t with
a postsynaptic spike at s as if they were t and s + delay. Ours is axonal: t + delay and s. In NEST
a `parrot_neuron` between source and synapse is an axon. The synapse itself keeps a delay of one
step at least; `connect_plastic` and `replay` say what they do about it.

**Rule.** NEST's weights run from 0 to `Wmax` and its steps are shares of `Wmax`:

    NEST                                                   here
    w += lambda Wmax (1 - w / Wmax)^mu_plus Kplus          w += a_plus (w_max - w)^mu_plus x
    w -= alpha lambda Wmax (w / Wmax)^mu_minus Kminus      w -= a_minus w^mu_minus y

`lambda`, `alpha` and `tau_plus` belong to a synapse; `tau_minus` to the postsynaptic neuron.
"""

import numpy as np
import polars as pl
from equivalence.networks import ends

try:
    import nest
except ImportError:  # the tests skip then; this file can be read and collected all the same
    nest = None

STDP_MODEL = {"all_to_all": "stdp_synapse", "nearest": "stdp_nn_symm_synapse"}
GONE = 30.0  # time constants after which exp(-30) = 1e-13 of a trace is left


def start(resolution: float) -> None:
    """Empty the kernel; the grid is `resolution` ms."""
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = resolution


def connect(sources, source, targets, target, **synapse) -> None:
    """Synapse k from `sources[source[k]]` to `targets[target[k]]`; parameters are arrays over k."""
    if len(source):
        source_id, target_id = (nodes[0].get("global_id") for nodes in (sources, targets))
        nest.Connect(source_id + source, target_id + target, "one_to_one", synapse)


def create_neurons(case, model: str):
    """One NEST neuron for each of ours."""
    neuron, resolution = case.neuron, nest.resolution
    parameters = {
        "C_m": neuron["tau_m"],
        "tau_m": neuron["tau_m"],
        "E_L": neuron["v_rest"],
        "V_m": neuron["v_rest"],
        "I_e": neuron["bias"],
        "V_th": neuron["v_threshold"],
        "V_reset": neuron["v_reset"],
        "t_ref": neuron["t_ref"],
    }
    if model == "iaf_psc_delta":
        v_infinity = neuron["v_rest"] + neuron["bias"]
        one_step_earlier = np.exp(resolution / neuron["tau_m"])
        parameters["V_reset"] = v_infinity + (neuron["v_reset"] - v_infinity) * one_step_earlier
        parameters["t_ref"] = neuron["t_ref"] - resolution
    else:
        parameters |= {name: neuron[name] for name in ("tau_syn_ex", "tau_syn_in")}
    return nest.Create(model, case.recurrent.shape[0], parameters)


def strength(case, weight, post) -> np.ndarray:
    """Our weights (mV) onto neurons `post`, in NEST's units."""
    neuron = case.neuron
    if not has_currents(case):
        return weight
    tau_syn = np.where(weight > 0.0, neuron["tau_syn_ex"][post], neuron["tau_syn_in"][post])
    return weight * neuron["tau_m"][post] / tau_syn


def has_currents(case) -> bool:
    return "tau_syn_ex" in case.neuron


def send_inputs(case, neurons, *, precise: bool) -> None:
    """One `spike_generator` for each channel, and its synapses; `precise`: off the grid."""
    channels = nest.Create("spike_generator", case.inputs.shape[0], {"precise_times": precise})
    channels.set([{"spike_times": times} for times in trains(case.t, case.channel, len(channels))])
    channel, post = ends(case.inputs)
    weight = strength(case, case.inputs.data, post)
    connect(channels, channel, neurons, post, weight=weight, delay=case.input_delay)


def trains(t, unit, n: int) -> list[np.ndarray]:
    """Spike times in ms of each of `n` units, from times in µs and units."""
    in_order = np.lexsort((t, unit))
    return np.split(t[in_order] / 1000.0, np.searchsorted(unit[in_order], np.arange(1, n)))


def connect_fixed(case, neurons, synapses) -> None:
    """Recurrent synapses that do not learn."""
    pre, post = (end[synapses] for end in ends(case.recurrent))
    weight = strength(case, case.recurrent.data[synapses], post)
    connect(neurons, pre, neurons, post, weight=weight, delay=case.recurrent_delay[synapses])


def connect_plastic(case, neurons) -> "Learners":
    """Plastic synapses that drive their neurons: a parrot as the axon, then `stdp_synapse`.

    The parrot has all of `delay` but one step, the synapse that step. So NEST pairs
    t + delay - step with s + step: its presynaptic side comes two steps too early. For a pair that
    keeps its order this is a factor, which `lambda` and `alpha` make up for. A pair whose arrival
    comes 0, 1 or 2 steps after the postsynaptic spike loses its order: the case must have none.
    """
    step = nest.resolution
    neurons.set(tau_minus=tau_minus_of_neurons(case))
    synapses = np.flatnonzero(case.plastic)
    pre, post = (end[synapses] for end in ends(case.recurrent))
    n_steps = np.rint(case.recurrent_delay[synapses] / step).astype(int)
    (source, length), branch = np.unique(np.stack([pre, n_steps]), axis=1, return_inverse=True)
    axons = nest.Create("parrot_neuron", len(source))
    connect(neurons, source, axons, np.arange(len(source)), delay=(length - 1) * step)
    rule = stdp(case, synapses, too_early=2 * step)
    connect(axons, branch, neurons, post, delay=step * np.ones(len(branch)), **rule)
    return Learners(axons, branch, neurons, post)


def stdp(case, synapses, too_early: float) -> dict:
    """Arguments of NEST's synapse for our plastic `synapses`.

    A presynaptic side that comes `too_early` (ms) weakens every potentiation by
    exp(-too_early / tau_plus) and strengthens every depression by exp(too_early / tau_minus).
    """
    ours = case.plasticity
    if ours["w_min"] != 0.0:
        raise ValueError("NEST's lower bound is 0 mV.")
    tau_plus, tau_minus = ours["tau_plus"][synapses], ours["tau_minus"][synapses]
    a_plus = ours["a_plus"][synapses] * np.exp(too_early / tau_plus)
    a_minus = ours["a_minus"][synapses] * np.exp(-too_early / tau_minus)
    w_max, mu_plus, mu_minus = (ours[name] for name in ("w_max", "mu_plus", "mu_minus"))
    share_plus = a_plus * w_max ** (mu_plus - 1.0)
    share_minus = a_minus * w_max ** (mu_minus - 1.0)
    everywhere = np.ones(len(synapses))
    return {
        "synapse_model": STDP_MODEL[ours["pairing"]],
        "weight": case.recurrent.data[synapses],
        "tau_plus": tau_plus,
        "lambda": share_plus,
        "alpha": share_minus / share_plus,
        "mu_plus": mu_plus * everywhere,
        "mu_minus": mu_minus * everywhere,
        "Wmax": w_max * everywhere,
    }


def tau_minus_of_neurons(case) -> np.ndarray:
    """`tau_minus` where NEST has it: on the postsynaptic neuron."""
    post = ends(case.recurrent)[1][case.plastic]
    of_synapses = case.plasticity["tau_minus"][case.plastic]
    tau_minus = np.full(case.recurrent.shape[0], 20.0)
    tau_minus[post] = of_synapses
    if not np.array_equal(tau_minus[post], of_synapses):
        raise ValueError("NEST has one tau_minus for all synapses onto a neuron.")
    return tau_minus


class Learners:
    """Plastic synapses k from `sources[source[k]]` to `targets[target[k]]`."""

    def __init__(self, sources, source, targets, target) -> None:
        self.first = tuple(nodes[0].get("global_id") for nodes in (sources, targets))
        self.key = self.keys(source, target)

    @staticmethod
    def keys(source, target) -> np.ndarray:
        return np.asarray(source, np.int64) << 32 | np.asarray(target, np.int64)

    def weights(self, case) -> np.ndarray:
        """All recurrent weights in our order; those that learn as NEST has them now."""
        model = STDP_MODEL[case.plasticity["pairing"]]
        now = nest.GetConnections(synapse_model=model).get(["source", "target", "weight"])
        key = self.keys(
            np.atleast_1d(now["source"]) - self.first[0],
            np.atleast_1d(now["target"]) - self.first[1],
        )
        by_key = np.argsort(key)
        at = by_key[np.searchsorted(key[by_key], self.key)]
        weights = case.recurrent.data.copy()
        weights[case.plastic] = np.atleast_1d(now["weight"])[at]
        return weights


def run(case, resolution: float, *, learn: bool = False) -> tuple[pl.DataFrame, np.ndarray]:
    """Raster (t in µs, neuron) and recurrent weights of the whole network.

    NEST brings a weight up to date only when its source spikes. So with `learn` every source must
    spike once more after the last postsynaptic spike that is to count.
    """
    model = "iaf_psc_exp" if has_currents(case) else "iaf_psc_delta"
    times, neuron, learners = simulate(case, resolution, model, learn=learn)
    t = np.rint(times * 1000.0).astype(np.int64)
    spikes = pl.DataFrame({"t": t, "neuron": neuron.astype(np.uint32)}).sort("t", "neuron")
    weights = learners.weights(case) if learners else case.recurrent.data
    return spikes.filter(pl.col("t") < case.duration), weights


def simulate(case, resolution: float, model: str, *, learn: bool = False):
    """Spike times in ms, who spiked, and the plastic synapses; `_ps` models spike off the grid."""
    if learn and has_currents(case):
        raise ValueError("Plastic weights are translated in mV only.")
    start(resolution)
    neurons = create_neurons(case, model)
    send_inputs(case, neurons, precise="_ps" in model)
    learns = case.plastic if learn else np.zeros_like(case.plastic)
    connect_fixed(case, neurons, np.flatnonzero(~learns))
    learners = connect_plastic(case, neurons) if learn else None
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    nest.Simulate(case.duration / 1000.0)
    events = recorder.events
    return events["times"], events["senders"] - neurons[0].get("global_id"), learners


def replay(case, spikes: pl.DataFrame, resolution: float) -> np.ndarray:
    """Recurrent weights that NEST learns from given `spikes` (t in µs, neuron).

    Parrots repeat the spikes. Plastic synapses end at port 1, where a parrot listens and does not
    repeat. The sources are late by the longest delay and a step, and each synapse has a dendritic
    delay shorter than that by its own delay. So the difference is the axonal delay of ours, for
    every pair, without a correction.

    Long after the last spike all sources spike once more: that applies the potentiation that is
    pending, and depresses by nothing. Silence goes before as well, because a
    `stdp_nn_symm_synapse` begins as if its source had spiked at time 0.
    """
    start(resolution)
    n = case.recurrent.shape[0]
    synapses = np.flatnonzero(case.plastic)
    pre, post = (end[synapses] for end in ends(case.recurrent))
    delay = case.recurrent_delay[synapses]
    late = delay.max() + resolution
    if spikes["t"].max() >= case.duration - 1000.0 * late:
        raise ValueError("The sample must end in silence, with nothing on its way.")

    longest = max(case.plasticity[name].max() for name in ("tau_plus", "tau_minus"))
    silence = np.ceil(GONE * longest / resolution) * resolution
    settle = silence + case.duration / 1000.0 + silence
    times = trains(spikes["t"].to_numpy(), spikes["neuron"].to_numpy(), n)
    every, step = np.arange(n), resolution * np.ones(n)
    players = nest.Create("spike_generator", 2 * n)
    players.set(
        [{"spike_times": np.round(np.append(t + silence, settle), 6)} for t in times]
        + [{"spike_times": np.round(t + silence, 6)} for t in times]
    )
    sources = nest.Create("parrot_neuron", n)
    targets = nest.Create("parrot_neuron", n, {"tau_minus": tau_minus_of_neurons(case)})
    connect(players, every, sources, every, delay=step + late)
    connect(players, n + every, targets, every, delay=step)
    rule = stdp(case, synapses, too_early=0.0)
    port = np.ones(len(pre), int)
    connect(sources, pre, targets, post, delay=late - delay, receptor_type=port, **rule)
    nest.Simulate(settle + late + 2 * resolution)
    return Learners(sources, pre, targets, post).weights(case)
