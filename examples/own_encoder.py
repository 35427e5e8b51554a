"""
Thorpe 2001: an encoder of your own, the brightest pixels first
===============================================================

A network takes `Events`: times in µs and input channels, nothing else. So an encoder is any
function that makes them. This one codes a picture by the order in which its pixels fire, the
brightest first (Thorpe, Delorme & Van Rullen 2001, Neural Networks 14:715): one spike for each
pixel at most. Pictures are the digits of scikit-learn, 8 x 8 pixels, so that nothing need be
downloaded.

    python examples/own_encoder.py
"""

import hrsnn_rs as hr
import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SIZE, LATEST = 8, 60_000  # pixels; µs at which the darkest pixel that fires would


def encode(picture: np.ndarray) -> hr.Events:
    """Let each pixel that is not black fire once, the earlier the brighter it is."""
    value = picture.ravel() / 16.0
    channel = np.flatnonzero(value > 0.1)
    t = np.round(LATEST * (1.0 - value[channel])).astype(np.int64)
    order = np.argsort(t, kind="stable")
    return hr.Events(t[order], channel[order], SIZE * SIZE, duration=2 * LATEST)


pictures, digits = load_digits(return_X_y=True)
pictures = pictures.reshape(-1, SIZE, SIZE)[:800]
samples = [encode(picture) for picture in pictures]
print(f"{len(samples)} pictures, {np.mean([len(one) for one in samples]):.0f} events each")

# %%
# From picture to events
# ----------------------

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
left.imshow(pictures[3], cmap="gray")
left.set_axis_off()
right.scatter(samples[3].t / 1000, samples[3].channel, s=12, c="C3")
right.set(
    xlabel="time (ms)", ylabel="channel", xlim=(-2, 2 * LATEST / 1000), ylim=(SIZE * SIZE, -1)
)
right.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# A network that takes them
# -------------------------
# The estimator of scikit-learn's kind takes events as they are. Order is all there is in them:
# windows are of time, and a network whose neurons forget within some ms can tell what came first.

X_train, X_test, y_train, y_test = train_test_split(
    samples, digits[:800], test_size=200, random_state=0, stratify=digits[:800]
)
network = hr.Network(
    n_inputs=SIZE * SIZE,
    n_neurons=300,
    neuron=hr.LIF(tau_m=hr.Gamma(mean=20.0, shape=3.0)),
    inputs=hr.LocalConnectivity(sensor=(SIZE, SIZE), polarities=1, sigma=1.5),
    recurrent=hr.RandomConnectivity(p=0.05, weight=0.5),
    seed=0,
)
clf = hr.HRSNNClassifier(network, windows="time", rate=15.0, epochs=0)
clf.fit(X_train, y_train)
print(f"accuracy {clf.score(X_test, y_test):.3f} of {len(y_test)} digits; by chance 0.1")
