"""
Perez-Nieves 2021: a law of your own for time constants
=======================================================

Every parameter of neurons and synapses takes a number, an array or a law. Laws that come along
are `Constant`, `Uniform`, `LogUniform`, `Gamma`, `LogNormal` and `Normal`; whatever else you have
in mind, draw it by NumPy or SciPy and hand over the array. Here membrane time constants are a
mixture of two kinds of neurons, fast and slow, as recordings of cortex suggest and as networks
find by themselves where they may (Perez-Nieves et al. 2021, Nature Communications 12:5791). Who
hears two volleys as one?

    python examples/own_distribution.py
"""

import hrsnn_rs as hr
import numpy as np
from matplotlib import pyplot as plt

N = 300

# %%
# Three laws with the same mean
# -----------------------------
# A constant, a law that comes along, and the mixture. The mixture is drawn here, so its seed is
# ours.

random = np.random.default_rng(0)
fast = random.random(N) < 0.6
slow = random.lognormal(np.log(90.0), 0.3, N)
mixture = np.where(fast, random.lognormal(np.log(10.0), 0.2, N), slow)
mean = mixture.mean()
laws = {"constant": mean, "Gamma": hr.Gamma(mean=mean, shape=3.0), "mixture": mixture}


def network(tau_m: object) -> hr.Network:
    """Give neurons that each hear a fifth of 50 inputs, and nothing of one another."""
    return hr.Network(
        n_inputs=50,
        n_neurons=N,
        neuron=hr.LIF(tau_m=tau_m, v_threshold=15.0),
        inputs=hr.FixedInDegreeConnectivity(k=10, weight=1.0),
        recurrent=hr.RandomConnectivity(p=0.0),
        seed=1,
    )


networks = {name: network(law) for name, law in laws.items()}
for name, one in networks.items():
    row = one.describe().filter(parameter="tau_m").row(0, named=True)
    print(f"{name:<9} mean {row['mean']:5.1f} ms, from {row['min']:5.1f} to {row['max']:5.1f} ms")

# %%
# Two volleys, further and further apart
# --------------------------------------
# One volley of all inputs is not enough for most neurons; two are, if the first is still
# remembered when the second comes. With a single time constant nearly all neurons give up at the
# same interval; with the mixture some tell short intervals and others long ones.

gaps = np.geomspace(2.0, 300.0, 15)  # ms
counts = {name: [] for name in networks}
for gap in gaps:
    t = np.repeat([10_000, 10_000 + int(1000 * gap)], 50)
    volleys = hr.Events(t, np.tile(np.arange(50), 2), 50, duration=500_000)
    for name, one in networks.items():
        counts[name].append(one.run(volleys).spikes["neuron"].n_unique() / N)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
bins = np.geomspace(3.0, 400.0, 40)
for color, (name, one) in zip(("0.6", "C0", "C3"), networks.items(), strict=True):
    left.hist(one.neuron_parameters["tau_m"], bins, color=color, alpha=0.7, label=name)
    right.plot(gaps, counts[name], "o-", color=color, label=name, markersize=4)
    rows = [f"{share:.0%}" for share in counts[name][::7]]
    print(f"{name:<9} {', '.join(rows)} at {', '.join(f'{gap:.0f}' for gap in gaps[::7])} ms")
left.set(xscale="log", yscale="log", xlabel="membrane time constant (ms)", ylabel="neurons")
right.set(xscale="log", xlabel="between the volleys (ms)", ylabel="share of neurons that fire")
right.legend(frameon=False)
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
plt.show()
