"""
Wearable sensors: six axes on a wrist
=====================================

Accelerometer and gyroscope of a wrist become spikes where a value has moved by a step (send on
delta). A network of random, differing neurons sees them, and a linear readout names what the wearer
does: of persons that it has never seen.

    python examples/wearable_sensors.py

The recordings are made up: eight persons differ in tempo, vigour, and in how they wear the sensor.
Two of the six activities are the same circle of the arm in opposite senses: each axis does the
same in both, and only the order in which axes move tells them apart. So counts of events, which
are read out in the very same way beside it, cannot know them.
"""

import hrsnn_rs as hr
import numpy as np
from hrsnn_rs.encoding import LevelCrossing
from matplotlib import pyplot as plt
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

ACTIVITIES = ("rest", "walking", "running", "typing", "circle left", "circle right")
HZ, SECONDS, N_PERSONS, N_REPEATS = 50, 4, 8, 2

# %%
# Made-up recordings
# ------------------
# A turn, a swing or a step moves all axes at once, each with a share and a lag of its own. Columns
# are acceleration (in units of g) and angular velocity (in rad/s).


def recording(activity: str, random: np.random.Generator, habit: dict) -> np.ndarray:
    """Give rows of six columns, one each 20 ms."""
    t = np.arange(HZ * SECONDS) / HZ
    hz, size = {
        "rest": (0.3, 0.04),
        "walking": (1.8, 0.5),
        "running": (2.7, 1.3),
        "typing": (5.0, 0.15),
        "circle left": (1.0, 0.8),
        "circle right": (1.0, 0.8),
    }[activity]
    phase = 2.0 * np.pi * (hz * habit["tempo"] * t + random.uniform())
    lag = np.array([0.0, 0.9, 1.7, 0.4, 1.2, 2.1])
    if activity.startswith("circle"):
        # Two axes a quarter of a turn apart: the sense of the circle is which of them leads.
        lag = np.array([0.0, 0.5, 0.0, 0.0, 0.5, 0.0]) * np.pi * (1 if "left" in activity else -1)
    share = np.array([1.0, 0.8, 0.5, 1.0, 0.9, 0.4]) * habit["vigour"]
    wave = np.sin(phase[:, None] - lag) + 0.3 * np.sin(2.0 * phase[:, None] - lag)
    values = size * share * wave + random.normal(0.0, 0.05, (t.size, 6))
    # Worn a little turned, by the same angle for both sensors.
    c, s = np.cos(habit["turn"]), np.sin(habit["turn"])
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return np.hstack([values[:, :3] @ turn, values[:, 3:] @ turn])


random = np.random.default_rng(1)
series, labels, persons = [], [], []
for person in range(N_PERSONS):
    habit = {
        "tempo": random.uniform(0.8, 1.25),
        "vigour": random.uniform(0.6, 1.5),
        "turn": random.normal(0.0, 0.2),
    }
    for activity in ACTIVITIES:
        for _ in range(N_REPEATS):
            series.append(recording(activity, random, habit))
            labels.append(activity)
            persons.append(person)
series, labels, persons = np.array(series), np.array(labels), np.array(persons)

# %%
# Spikes where a value has moved
# ------------------------------
# Each column has a channel for up and one for down. What does not move costs nothing.

encoder = LevelCrossing(n_columns=6, delta=0.15, dt=1000.0 / HZ)
events = [encoder(one) for one in series]
for activity in ACTIVITIES:
    n = np.mean([len(e) for e, label in zip(events, labels, strict=True) if label == activity])
    print(f"{activity}: {n:.0f} events in {SECONDS} s")

# %%
# Persons left out in turn
# ------------------------
# Both systems get the same events, windows and readout; nobody is on both sides. The readout of the
# counts sees how often each channel spoke in each quarter of the recording.

N_WINDOWS = 4


def counts(one: hr.Events) -> np.ndarray:
    """Count the events of each window and channel."""
    window = one.t * N_WINDOWS // one.duration
    flat = np.bincount(window * one.n_channels + one.channel, minlength=N_WINDOWS * one.n_channels)
    return flat.reshape(N_WINDOWS, one.n_channels)


left_out = {"groups": persons, "cv": LeaveOneGroupOut()}
table = np.array([counts(one) for one in events])
classifier = hr.HRSNNClassifier(
    encoder=encoder, n_neurons=200, n_windows=N_WINDOWS, windows="time", rate=10.0
)
said = {
    "counts": cross_val_predict(hr.Readout(), table, labels, **left_out),
    "network": cross_val_predict(classifier, series, labels, **left_out),
}
circles = np.char.startswith(labels, "circle")
for name, predicted in said.items():
    right = predicted == labels
    print(
        f"{name}: {right.mean():.0%} of {labels.size} recordings of {N_PERSONS} persons; "
        f"circles {right[circles].mean():.0%}"
    )

# %%
# Where they differ
# -----------------

figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
shown = int(np.flatnonzero(labels == "circle left")[0])
axes[0].plot(np.arange(HZ * SECONDS) / HZ, series[shown, :, :2], label=["x", "y"])
axes[0].set(xlabel="time (s)", ylabel="acceleration (g)", title="a circle to the left", xlim=(0, 2))
axes[0].legend()
axes[1].scatter(events[shown].t / 1e6, events[shown].channel, s=4, color="k")
axes[1].set(xlabel="time (s)", ylabel="channel", title="its events", xlim=(0, 2))
score = {
    name: [np.mean(predicted[labels == one] == one) for one in ACTIVITIES]
    for name, predicted in said.items()
}
place = np.arange(len(ACTIVITIES))
axes[2].barh(place - 0.2, score["counts"], 0.4, color="0.6", label="counts")
axes[2].barh(place + 0.2, score["network"], 0.4, color="C0", label="network")
axes[2].set(yticks=place, yticklabels=ACTIVITIES, xlabel="share named right", xlim=(0, 1))
axes[2].invert_yaxis()
axes[2].legend()
plt.show()
