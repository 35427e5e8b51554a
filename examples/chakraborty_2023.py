"""
Chakraborty 2023: which heterogeneity pays?
===========================================

Four variants of one recurrent network: neurons alike or different (HoN, HeN), synapses with one
rule of plasticity or each with its own (HoS, HeS). All else is the same: graph, seeds, mean of each
parameter. Chakraborty & Mukhopadhyay (2023, Frontiers in Neuroscience 17:994517) found that both
kinds of difference pay, in accuracy and in spikes.

    python examples/chakraborty_2023.py

The data are made-up gestures, and so few that nobody should call a winner: the sentence at the end
says what these seeds and persons show, and what they could not have seen. `hrsnn compare FOLDER`
asks the same of recorded clips, with as many seeds as it takes.
"""

import hrsnn_rs as hr
from hrsnn_rs.learning import Clips, compare, summarize, verdict
from hrsnn_rs.network import VARIANTS, default_network
from matplotlib import pyplot as plt

# %%
# One network, four times
# -----------------------
# `variant` replaces laws by the constants of the same mean, in neurons, in synapses, or in both.

network = default_network(n_neurons=150, seed=0)
for name in VARIANTS:
    told = network.variant(name).describe()
    spread = dict(told.select("parameter", "std").iter_rows())
    print(
        f"{name}: tau_m varies by {spread['tau_m']:.1f} ms, "
        f"a_plus by {spread['recurrent.a_plus']:.4f} mV"
    )

# %%
# Persons left out
# ----------------
# Each system is calibrated to the same rate and learns without labels; a linear readout sees
# counts of spikes. Event counts and the untrained network stand beside.

clips = Clips.of_dataset(hr.make_gestures(n_subjects=6, n_repeats=1, seed=0, duration=600_000))
rows = compare(
    clips,
    seeds=range(5),
    controls=["event counts", "untrained"],
    folds="one",
    memory=False,
    n_neurons=150,
)
table = summarize(rows).table
print(table.select("system", "accuracy_mean", "accuracy_sd", "spikes_per_sample_mean"))
print(verdict(rows))

# %%
# Accuracy against spikes
# -----------------------
# The paper's claim is about both: up is better, and so is left. Small marks are seeds.

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
for number, name in enumerate(VARIANTS):
    mine = rows.filter(system=name)
    axes.scatter(mine["spikes_per_sample"], mine["accuracy"], s=12, color=f"C{number}")
    mean = table.filter(system=name).row(0, named=True)
    place = mean["spikes_per_sample_mean"], mean["accuracy_mean"]
    axes.scatter(*place, s=90, color=f"C{number}", label=name)
counted = table.filter(system="event counts")["accuracy_mean"][0]
axes.axhline(counted, color="0.5", linestyle=":", label="event counts")
axes.set(xlabel="spikes a clip", ylabel="accuracy, persons left out", ylim=(0, 1))
axes.legend()
plt.show()
