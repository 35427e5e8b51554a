"""
Song 2000: three kinds of plasticity in one network
===================================================

An E/I network with three kinds of plasticity: from inputs, among E, and from E to I.

    python examples/three_plasticities.py

Input channels fire in one volley again and again, among noise. Synapses from inputs learn by a rule
in which depression prevails: they grow where a volley begins, for these foretell the spike, and
shrink where it ends (Song, Miller & Abbott 2000, Nature Neuroscience 3:919). Synapses among
excitatory neurons have constants of their own, and those onto inhibitory neurons only grow.
Inhibition itself is static. Prints the mean weight of each projection before and after.
"""

import hrsnn_rs as hr
import numpy as np
from matplotlib import pyplot as plt

INPUTS = {"early": 20, "late": 20, "noise": 160}
N_VOLLEYS, APART = 40, 100_000  # µs


def network() -> hr.Network:
    """Give 200 excitatory and 50 inhibitory neurons."""
    from_inputs = hr.RandomConnectivity(p=0.3, weight=1.0)
    sparse = hr.RandomConnectivity(p=0.1, weight=hr.Gamma(mean=0.6, shape=3.0))
    of_inputs = hr.STDP(a_plus=0.02, a_minus=0.012, w_max=3.0)
    among = hr.STDP(a_plus=hr.Gamma(0.01, 3.0), a_minus=hr.Gamma(0.003, 3.0), w_max=8.0)
    onto_inhibitory = hr.STDP(a_plus=0.02, a_minus=0.0, w_max=8.0)
    return hr.Network.from_populations(
        [
            hr.Population("E", 200, hr.LIF(tau_m=hr.Gamma(mean=20.0, shape=9.0))),
            hr.Population("I", 50, hr.LIF(tau_m=10.0), inhibitory=True),
        ],
        [
            hr.Projection([*INPUTS], "E", from_inputs, of_inputs),
            hr.Projection("E", "E", sparse, among),
            hr.Projection("E", "I", sparse, onto_inhibitory),
            hr.Projection("I", ["E", "I"], sparse),
        ],
        inputs=INPUTS,
        seed=1,
    )


def events() -> hr.Events:
    """Give a volley of 4 ms every 100 ms, and noise on all channels."""
    n = sum(INPUTS.values())
    volley = hr.Events(50_000 + 100 * np.arange(40), np.arange(40), n, duration=APART)
    noise = hr.Events.poisson(np.full(n, 8.0), N_VOLLEYS * APART, seed=2)
    return hr.Events.merge([noise, hr.Events.concatenate([volley] * N_VOLLEYS)])


def main() -> None:
    """Train it and say what has become of the weights."""
    learning = network()
    before = learning.describe()
    learning.train([events()])
    after = learning.describe()
    draw(learning)
    for name in before["parameter"]:
        if name.endswith(".weight"):
            old, new = (table.filter(parameter=name)["mean"].item() for table in (before, after))
            print(f"{name.removesuffix('.weight'):<10} {old:6.2f} mV, then {new:6.2f} mV")


def draw(learned: hr.Network) -> None:
    """Draw what has become of the weights of inputs, in the order in which a volley has them."""
    weights = learned.input_weights
    _, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    for name, channels in learned.channels.items():
        rows = weights[channels.start : channels.stop]
        mean = rows.sum(axis=1) / np.maximum((rows != 0).sum(axis=1), 1)
        axes.plot(channels, mean, ".", label=name)
    axes.axhline(1.0, color="k", linestyle=":", linewidth=1, label="before")
    axes.set(xlabel="input channel", ylabel="mean weight (mV)")
    axes.legend(frameon=False, ncols=4)
    axes.spines[["top", "right"]].set_visible(False)
    plt.show()


if __name__ == "__main__":
    main()
