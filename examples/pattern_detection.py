"""
Masquelier 2008: one neuron finds a pattern in noise
====================================================

A neuron listens to 400 inputs that fire at random, all at the same rate all the time. Hidden in
the noise is a pattern of 50 ms, which half of the inputs repeat now and then, each time with a
jitter of 1 ms. Nothing tells when. Spike-timing-dependent plasticity makes the neuron fire at
nearly every pattern, some ms after it begins, and seldom elsewhere (Masquelier, Guyonneau &
Thorpe 2008, PLoS ONE 3:e1377; homeostasis is ours).

    python examples/pattern_detection.py
"""

import hrsnn_rs as hr
import numpy as np
from matplotlib import pyplot as plt

N, RATE = 400, 30.0  # inputs, Hz
PATTERN, SECOND, LENGTH = 50_000, 1_000_000, 120_000_000  # µs

# %%
# Noise, and the pattern in it
# ----------------------------
# Time is cut into slots as long as the pattern. A fifth of them, never two in a row, show it:
# there half of the inputs fire as the pattern says, and not at random.


def stimulus(seed: int) -> tuple[hr.Events, np.ndarray]:
    """Give what the neuron hears, and for each slot whether the pattern is in it."""
    random = np.random.default_rng(seed)
    noise = hr.Events.poisson(np.full(N, RATE), LENGTH, seed=seed)
    pattern = hr.Events.poisson(np.full(N // 2, RATE), PATTERN, seed=seed + 1)
    shown = random.random(LENGTH // PATTERN) < 0.25
    shown[1:] &= ~shown[:-1]

    replaced = shown[noise.t // PATTERN] & (noise.channel < N // 2)
    starts = PATTERN * np.flatnonzero(shown)
    t = starts[:, None] + pattern.t + random.normal(0.0, 1000.0, (len(starts), len(pattern)))
    t = np.concatenate([noise.t[~replaced], np.clip(t, 0, LENGTH - 1).astype(np.int64).ravel()])
    channel = np.concatenate([noise.channel[~replaced], np.tile(pattern.channel, len(starts))])
    order = np.argsort(t, kind="stable")
    return hr.Events(t[order], channel[order], N, duration=LENGTH), shown


events, shown = stimulus(seed=1)
print(f"{len(events):,} events; the pattern is shown {shown.sum()} times")

# %%
# The neuron
# ----------
# Potentiation for inputs that fired just before the neuron, depression for those that fired after
# it. The sum of the weights is restored after each second, and a threshold that rises with every
# spike keeps the neuron from firing at everything: what is left are the moments at which most of
# its strong inputs fire together, and of these only the pattern comes again.

network = hr.Network(
    n_inputs=N,
    n_neurons=1,
    neuron=hr.LIF(tau_m=10.0, tau_syn_ex=2.5, v_threshold=50.0, t_ref=5.0),
    inputs=hr.RandomConnectivity(p=1.0, weight=0.5),
    plasticity=hr.STDP(
        a_plus=0.02, a_minus=0.005, tau_plus=15.0, tau_minus=20.0, w_max=2.0, inputs=True
    ),
    normalize_inputs=True,
    adaptive_threshold=hr.AdaptiveThreshold(theta_plus=0.5, tau_theta=10_000.0),
    inhibitory_fraction=0.0,
)


def weights() -> np.ndarray:
    """Give the weight of each input, mV."""
    return network.input_weights.toarray()[:, 0]


def where(events: hr.Events) -> tuple[np.ndarray, np.ndarray]:
    """Give the times of the neuron's spikes, µs, and which are within a pattern."""
    times = network.run(events).spikes["t"].to_numpy()
    return times, shown[times // PATTERN]


untrained_times, untrained_inside = where(events)
untrained = weights()
seconds = [events.select(start=k, stop=k + SECOND) for k in range(0, LENGTH, SECOND)]
network.train(seconds)
times, inside = where(events)
found = len(np.unique(times[inside] // PATTERN)) / shown.sum()
latency = np.median(times[inside] % PATTERN) / 1000
print(f"before: {len(untrained_times)} spikes, {untrained_inside.mean():.0%} within the pattern")
print(f"after: {len(times)} spikes, {inside.mean():.0%} within the pattern")
print(f"{found:.0%} of the patterns are found, {latency:.1f} ms after they begin")

# %%
# What it has learned
# -------------------
# Spikes have moved to one moment of the pattern. The weights that have grown are of inputs that
# fire just before it; the sum over all inputs is what it was.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
bins = np.linspace(0, PATTERN / 1000, 51)
for name, at, color in (
    ("before", untrained_times[untrained_inside], "0.75"),
    ("after", times[inside], "C3"),
):
    left.hist(at % PATTERN / 1000, bins, color=color, label=name)
left.set(xlabel="time since the pattern began (ms)", ylabel="spikes", title="when it fires")
left.legend(frameon=False)
bins = np.linspace(0.0, 2.0, 26)
right.hist(
    [weights()[: N // 2], weights()[N // 2 :]],
    bins,
    color=["C3", "0.75"],
    label=["inputs of the pattern", "noise alone"],
    stacked=True,
)
right.axvline(0.5, color="k", linestyle=":", label="before")
right.set(xlabel="weight after learning (mV)", ylabel="inputs", title="what it listens to")
right.legend(frameon=False)
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
plt.show()
