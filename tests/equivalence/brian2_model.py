"""One of our networks, said in Brian2's words (Brian2 2.9, `method="exact"`).

`run` simulates a whole network, with `learn=True` including plasticity that feeds back.

**Neurons.** The equation is ours. `(unless refractory)` holds `v` and loses what arrives.

**Grid.** A Brian2 network lives on a grid of `resolution` ms. Delays, refractory periods and
events of the input must be multiples of it, and delays at least one step. Then nothing is rounded.

**Order within a step.** Brian2 relaxes, tests thresholds, and then handles arrivals, which are
tested one step later. Ours are tested at once, so `SCHEDULE` has arrivals before thresholds.
Within a step `v` is then what it is at the step's time, and two things follow:

- *Delays.* A spike is picked up at the next step's arrivals, and `delay` counts from there. So
  pathways in the slot "synapses" are given `delay - resolution`.
- *Initial value and reset.* At the first step, and at the end of a refractory period, `v` is
  relaxed before it is tested. So Brian2 starts and resets at what becomes `v_rest` or `v_reset` by
  one step: see `one_step_earlier`.

**Delays.** A delay of a pathway `pre` lies before the synapse, as ours does.

**Rule.** Written as the model's table has it. A coincidence changes nothing if neither side sees
the other, so the pre trace rises by a pathway of its own, after the postsynaptic side has been
dealt with:

    slot               pathway    what it does
    synapses           `arrive`   deliver w, depress by y
    after_thresholds   `post`     potentiate by x, raise y
    after_thresholds   `remember` raise x
"""

import numpy as np
import polars as pl
from equivalence.networks import ends

try:
    import brian2 as b2
except ImportError:  # the tests skip then; this file can be read and collected all the same
    b2 = None

SCHEDULE = ["start", "groups", "synapses", "thresholds", "resets", "end"]

NEURON = """
dv/dt = (v_rest + bias - v) / tau_m : volt (unless refractory)
tau_m : second (constant)
v_rest : volt (constant)
bias : volt (constant)
v_start : volt (constant)
v_threshold : volt (constant)
t_ref : second (constant)
"""

PLASTIC = """
dx/dt = -x / tau_plus : 1 (event-driven)
dy/dt = -y / tau_minus : 1 (event-driven)
w : volt
a_plus : volt (constant)
a_minus : volt (constant)
tau_plus : second (constant)
tau_minus : second (constant)
"""
ARRIVE = """
v_post += w
w = clip(w - a_minus * y * ((w - w_min) / mV) ** mu_minus, w_min, w_max)
"""
POTENTIATE = "w = clip(w + a_plus * x * ((w_max - w) / mV) ** mu_plus, w_min, w_max)"
RAISE = {"all_to_all": "{0} += 1", "nearest": "{0} = 1"}


def start(resolution: float) -> None:
    """Forget all parts of earlier networks; the grid is `resolution` ms."""
    b2.start_scope()
    b2.prefs.codegen.target = "numpy"  # needs no compiler
    b2.defaultclock.dt = resolution * b2.ms


def one_step_earlier(case, v: np.ndarray, resolution: float) -> np.ndarray:
    """Potential that relaxes to `v` within one step."""
    v_infinity = case.neuron["v_rest"] + case.neuron["bias"]
    return v_infinity + (v - v_infinity) * np.exp(resolution / case.neuron["tau_m"])


def create_neurons(case, resolution: float):
    """One Brian2 neuron for each of ours."""
    group = b2.NeuronGroup(
        case.recurrent.shape[0],
        NEURON,
        threshold="v >= v_threshold",
        reset="v = v_start",
        refractory="t_ref",
        method="exact",
    )
    for name in ("tau_m", "t_ref"):
        setattr(group, name, case.neuron[name] * b2.ms)
    for name in ("v_rest", "bias", "v_threshold"):
        setattr(group, name, case.neuron[name] * b2.mV)
    group.v_start = one_step_earlier(case, case.neuron["v_reset"], resolution) * b2.mV
    group.v = one_step_earlier(case, case.neuron["v_rest"], resolution) * b2.mV
    return group


def create_channels(case):
    """Send the input's events."""
    return b2.SpikeGeneratorGroup(case.inputs.shape[0], case.channel, case.t * b2.us)


def connect_fixed(sources, neurons, pre, post, weight, delay, resolution: float):
    """Connect by synapses that do not learn; all arguments in mV and ms, one for each synapse."""
    synapses = b2.Synapses(sources, neurons, "w : volt (constant)", on_pre="v_post += w")
    synapses.connect(i=pre, j=post)
    synapses.w = weight * b2.mV
    synapses.delay = (delay - resolution) * b2.ms
    return synapses


def connect_plastic(case, neurons, resolution: float):
    """Plastic synapses, in the order of `case.recurrent.data[case.plastic]`."""
    ours, of = case.plasticity, case.plastic
    pre, post = (end[of] for end in ends(case.recurrent))
    rise = RAISE[ours["pairing"]]
    synapses = b2.Synapses(
        neurons,
        neurons,
        PLASTIC,
        on_pre={"arrive": ARRIVE, "remember": rise.format("x")},
        on_post=f"{POTENTIATE}\n{rise.format('y')}",
        namespace={name: ours[name] * b2.mV for name in ("w_min", "w_max")}
        | {name: ours[name] for name in ("mu_plus", "mu_minus")},
    )
    synapses.post.when = synapses.remember.when = "after_thresholds"
    synapses.post.order, synapses.remember.order = 0, 1
    synapses.connect(i=pre, j=post)
    synapses.w = case.recurrent.data[of] * b2.mV
    synapses.arrive.delay = (case.recurrent_delay[of] - resolution) * b2.ms
    synapses.remember.delay = case.recurrent_delay[of] * b2.ms
    for name in ("tau_plus", "tau_minus"):
        setattr(synapses, name, ours[name][of] * b2.ms)
    for name in ("a_plus", "a_minus"):
        setattr(synapses, name, ours[name][of] * b2.mV)
    return synapses


def run(case, resolution: float, *, learn: bool = False) -> tuple[pl.DataFrame, np.ndarray]:
    """Raster (t in µs, neuron) and recurrent weights of the whole network."""
    start(resolution)
    neurons, channels = create_neurons(case, resolution), create_channels(case)
    learns = case.plastic if learn else np.zeros_like(case.plastic)
    pre, post = (end[~learns] for end in ends(case.recurrent))
    channel, target = ends(case.inputs)
    monitor = b2.SpikeMonitor(neurons)
    network = b2.Network(
        neurons,
        channels,
        monitor,
        connect_fixed(
            channels,
            neurons,
            channel,
            target,
            case.inputs.data,
            case.input_delay,
            resolution,
        ),
        connect_fixed(
            neurons,
            neurons,
            pre,
            post,
            case.recurrent.data[~learns],
            case.recurrent_delay[~learns],
            resolution,
        ),
    )
    weights = case.recurrent.data.copy()
    if learn:
        synapses = connect_plastic(case, neurons, resolution)
        network.add(synapses)
    network.schedule = SCHEDULE
    network.run(case.duration * b2.us)
    if learn:
        weights[learns] = synapses.w / b2.mV
    t = np.rint(monitor.t / b2.us).astype(np.int64)
    spikes = pl.DataFrame({"t": t, "neuron": np.asarray(monitor.i).astype(np.uint32)})
    return spikes.sort("t", "neuron"), weights
