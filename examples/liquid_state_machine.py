"""
Maass 2002: a liquid remembers what it heard
============================================

A *liquid* is a recurrent network that nobody trains; what it heard a while ago can be read from
its state now, by a linear readout (Maass, Natschläger & Markram 2002, Neural Computation
14:2531). Here each of four segments of 100 ms is one of two spike patterns, with jitter. Of each
segment in turn: which of the two was it, from the state of the liquid when all has been heard?
Without recurrence only what is still in the membranes can be told.

    python examples/liquid_state_machine.py
"""

import hrsnn_rs as hr
import numpy as np
from matplotlib import pyplot as plt
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

N_INPUTS, SEGMENT, N_SEGMENTS = 20, 100_000, 4  # µs
N_TRAIN, N_TEST = 200, 100

# %%
# The stimuli
# -----------
# Two templates for each segment: Poisson trains of 20 Hz. A sample draws one of each, and shifts
# every spike by some 1 ms.

templates = [
    [hr.Events.poisson(np.full(N_INPUTS, 20.0), SEGMENT, seed=10 * segment + k) for k in (0, 1)]
    for segment in range(N_SEGMENTS)
]
random = np.random.default_rng(0)
bits = random.integers(0, 2, (N_TRAIN + N_TEST, N_SEGMENTS))


def sample(row: np.ndarray) -> hr.Events:
    """Give the segments one after the other, each spike shifted."""
    heard = hr.Events.concatenate([templates[k][bit] for k, bit in enumerate(row)])
    t = heard.t + np.round(random.normal(0.0, 1000.0, len(heard))).astype(np.int64)
    t = np.clip(t, 0, heard.duration - 1)
    order = np.argsort(t, kind="stable")
    return hr.Events(t[order], heard.channel[order], N_INPUTS, duration=heard.duration)


samples = [sample(row) for row in bits]

# %%
# The liquid
# ----------
# As in the paper, 135 neurons on a grid of 3 x 3 x 15, a fifth of them inhibitory; the nearer two
# are, the likelier they are connected. Membranes differ from neuron to neuron, and delays, which
# are long, from synapse to synapse. Its state is the spikes of each neuron, low-passed, at the
# end.


def liquid(lambda_: float) -> hr.Network:
    """Give the liquid; `lambda_` is how far its connections reach."""
    return hr.Network(
        n_inputs=N_INPUTS,
        n_neurons=135,
        neuron=hr.LIF(tau_m=hr.Gamma(mean=30.0, shape=3.0), tau_syn_ex=3.0, tau_syn_in=6.0),
        inputs=hr.RandomConnectivity(p=0.3, weight=hr.Gamma(mean=6.0, shape=2.0)),
        recurrent=hr.DistanceConnectivity(
            grid=(3, 3, 15),
            lambda_=lambda_,
            weight=hr.Gamma(mean=4.0, shape=2.0),
            delay=hr.Uniform(20.0, 200.0),
            inhibitory_gain=2.0,
        ),
        seed=1,
    )


def scores(network: hr.Network) -> list[float]:
    """Give for each segment the share of test samples of which it is told rightly."""
    states = network.transform(samples, features="lowpass", tau_lowpass=30.0)[:, -1]
    readout = make_pipeline(StandardScaler(), RidgeClassifierCV(np.logspace(-1, 4, 11)))
    return [
        readout.fit(states[:N_TRAIN], of[:N_TRAIN]).score(states[N_TRAIN:], of[N_TRAIN:])
        for of in bits.T
    ]


recurrent = liquid(2.0)
results = {
    "liquid": scores(recurrent),
    "without recurrence": scores(recurrent.without_recurrence()),
}
for name, values in results.items():
    print(f"{name:<18} " + "  ".join(f"{value:.2f}" for value in values))

# %%
# What is remembered
# ------------------

figure, (left, right) = plt.subplots(
    1, 2, figsize=(9, 3.4), width_ratios=(3, 2), layout="constrained"
)
spikes = recurrent.run(samples[0]).spikes
left.scatter(spikes["t"].to_numpy() / 1000, spikes["neuron"], s=2, c="k", linewidths=0)
left.set(xlabel="time (ms)", ylabel="neuron")
for k in range(1, N_SEGMENTS):
    left.axvline(k * SEGMENT / 1000, color="C3", linewidth=1)
ago = (np.arange(N_SEGMENTS)[::-1] * SEGMENT) / 1000
for (name, values), color in zip(results.items(), ("C3", "0.6"), strict=True):
    right.plot(ago, values, "o-", color=color, label=name)
right.axhline(0.5, color="k", linestyle=":", linewidth=1)
right.set(xlabel="ms since the segment ended", ylabel="told rightly", ylim=(0.4, 1.02))
right.legend(frameon=False)
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
plt.show()
