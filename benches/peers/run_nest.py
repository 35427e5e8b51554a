"""The workload in NEST.

A grid of 1 ms. `iaf_psc_delta` with C_m = tau_m, so that weights are in mV. NEST loses an arrival
at the very end of the refractory period, so it is told a step less. Its generators cannot spike
before 1 ms and need a delay, so everything comes `LATE` steps late, and is counted back.

STDP is `stdp_synapse`: additive, all-to-all. What it cannot say:
- tau_minus belongs to the neuron: the mean of its synapses' is taken;
- the delay is dendritic: NEST pairs t with s + 1 ms where we pair t + 1 ms with s. So its window is
  ours, 2 ms further on. The areas under the window are the same, and that decides the rates.
"""

import sys
import time

import numpy as np
from outcome import parse, resident, say
from workload import DELAY_MS, STEP_MS, Workload

LATE = 2


def connect(source, pre, target, post, **synapse) -> None:
    """Synapse k from `source` + pre[k] to `target` + post[k], both first ids."""
    import nest

    nest.Connect(source + pre, target + post, "one_to_one", synapse)


def build(work: Workload, learn: bool, threads: int):
    """Make the network; return first neuron's id and the recorder."""
    import nest

    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.set(resolution=STEP_MS, local_num_threads=threads)
    neurons = nest.Create("iaf_psc_delta", work.n_neurons)
    neurons.set(
        {
            "C_m": work.tau_m,
            "tau_m": work.tau_m,
            "E_L": np.zeros(work.n_neurons),
            "V_m": np.zeros(work.n_neurons),
            "V_reset": np.zeros(work.n_neurons),
            "V_th": work.v_threshold,
            "t_ref": work.t_ref - STEP_MS,
        },
    )
    first = neurons[0].get("global_id")
    channels = nest.Create("spike_generator", work.n_inputs)
    by_channel = np.argsort(work.event_channel, kind="stable")
    times = (work.event_step[by_channel] + LATE - 1) * STEP_MS
    ends = np.searchsorted(work.event_channel[by_channel], np.arange(1, work.n_inputs))
    channels.set([{"spike_times": train} for train in np.split(times, ends)])
    channel = np.repeat(np.arange(work.n_inputs), np.diff(work.input_indptr))
    flat = np.ones(channel.size)
    connect(
        channels[0].get("global_id"), channel, first, work.input_indices.astype(int),
        weight=work.input_weight * flat, delay=STEP_MS * flat,
    )  # fmt: skip
    plastic = work.plastic if learn else np.zeros_like(work.plastic)
    pre, post = work.pre, work.indices.astype(np.int64)
    connect(
        first, pre[~plastic], first, post[~plastic],
        weight=work.weight[~plastic].astype(float), delay=np.full((~plastic).sum(), DELAY_MS),
    )  # fmt: skip
    if learn:
        tau_minus = work.tau_minus[plastic].astype(float)
        total = np.bincount(post[plastic], tau_minus, work.n_neurons)
        count = np.bincount(post[plastic], minlength=work.n_neurons)
        neurons.set(tau_minus=np.where(count > 0, total / np.maximum(count, 1), 20.0))
        tau_plus = work.tau_plus[plastic].astype(float)
        a_plus, a_minus = (a[plastic].astype(float) for a in (work.a_plus, work.a_minus))
        flat = np.ones(tau_plus.size)
        connect(
            first, pre[plastic], first, post[plastic],
            synapse_model="stdp_synapse", weight=work.weight[plastic].astype(float),
            delay=DELAY_MS * flat, tau_plus=tau_plus, Wmax=work.w_max * flat,
            alpha=a_minus / a_plus, mu_plus=0.0 * flat, mu_minus=0.0 * flat,
            **{"lambda": a_plus / work.w_max},
        )  # fmt: skip
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    nest.Prepare()
    return first, recorder


def main() -> None:
    sys.argv, given = sys.argv[:1], sys.argv  # NEST reads the command line too
    import nest

    sys.argv = given
    arguments = parse(__doc__)
    work = arguments.work
    before, start = resident(), time.perf_counter()
    first, recorder = build(work, arguments.learn, arguments.threads)
    build_wall = time.perf_counter() - start
    start = time.perf_counter()
    nest.Run((work.n_steps + LATE) * STEP_MS)
    wall = time.perf_counter() - start
    nest.Cleanup()
    network_memory = resident() - before
    events = recorder.events
    say(
        arguments,
        "NEST",
        np.rint(events["times"] / STEP_MS).astype(np.int64) - LATE,
        events["senders"] - first,
        wall=wall,
        build_wall=build_wall,
        network_memory=network_memory,
        versions={"nest": nest.__version__},
    )


if __name__ == "__main__":
    main()
