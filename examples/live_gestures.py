"""
A gesture, recognised while it is made
======================================

A classifier is fitted to whole clips of some persons. Then the clips of others come in chunks of
10 ms, as a camera sends them. Every 50 ms the classifier says what it thinks: the network, the
encoder and the counts of spikes are kept from chunk to chunk, so a score costs little, and it does
not matter how the stream is cut.

    python examples/live_gestures.py
"""

import hrsnn_rs as hr
import numpy as np
from hrsnn_rs.learning import early_recognition
from matplotlib import pyplot as plt

# %%
# Fitted to whole clips
# ---------------------
# Made-up gestures of six persons; the last two are left out. The field follows what moves, and
# knows the past alone: `smoothing="causal"` is what a stream asks of a `TrackingEncoder`.

clips = hr.make_gestures(n_subjects=6, n_repeats=1, seed=0)
sensor = clips[0][0]
is_test = np.isin(clips.subjects, np.unique(clips.subjects)[-2:])
train, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
encoder = hr.TrackingEncoder(sensor.height, sensor.width, smoothing="causal")
layer = hr.FeatureLayer(n_features=16, n_patches=600, field=7)
classifier = hr.HRSNNClassifier(encoder=encoder, feature_layer=layer)
classifier.fit([clips[i][0] for i in train], clips.labels[train])

# %%
# One clip, chunk by chunk
# ------------------------
# `until` says how far the stream has come, whether or not there were events. A score knows all
# events before its time and no other.

clip, truth = clips[int(test[0])]
stream, scores = classifier.stream(every=50.0), []
for start in range(0, clip.duration, 10_000):
    inside = slice(*np.searchsorted(clip.t, [start, start + 10_000]))
    chunk = (clip.t[inside], clip.x[inside], clip.y[inside], clip.p[inside])
    scores += stream.push(chunk, until=start + 10_000)
for score in scores[3::4]:
    name = clips.classes[score.label]
    print(f"{score.t / 1e6:.2f} s: {name}, {score.probability.max():.0%}")
print(f"it was: {clips.classes[truth]}")

# %%
# How early?
# ----------
# The accuracy where only a share of each clip has been seen. A stream whose window holds the whole
# clip gives these very scores on its way.

table = early_recognition(classifier, [clips[i][0] for i in test], clips.labels[test])
print(table)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
for place, name in enumerate(clips.classes):
    course = [score.probability[place] for score in scores]
    is_true = place == truth
    left.plot(
        [score.t / 1e6 for score in scores],
        course,
        color="C3" if is_true else "0.7",
        label=name if is_true else None,
        zorder=2 + is_true,
    )
left.set(xlabel="time (s)", ylabel="probability", title="one clip", ylim=(0, 1))
left.legend()
right.plot(table["share"], table["accuracy"], "o-")
right.axhline(1 / len(clips.classes), color="0.5", linestyle=":", label="chance")
right.set(xlabel="share of the clip seen", ylabel="accuracy", title="left-out persons", ylim=(0, 1))
right.legend()
plt.show()
