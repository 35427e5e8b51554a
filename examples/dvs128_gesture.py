"""
DVS128 Gesture: an event camera's own data set
==============================================

Eleven gestures before an event camera (Amir et al. 2017, CVPR), by the official split: persons 1 to
23 to learn from, 24 to 29 to be tested. Features learn without labels, a linear readout sees how
often each fired.

    python examples/dvs128_gesture.py [FOLDER]

FOLDER is the data set as IBM ships it or as tonic unpacks it. Without it a few persons are made up
and written in tonic's form: ``ibmGestureTrain/userNN_light/<label>.npy``.
"""

import sys
import tempfile
from pathlib import Path

import hrsnn_rs as hr
import numpy as np
from hrsnn_rs.datasets import DVS128Gesture
from hrsnn_rs.learning import confusion_matrix
from hrsnn_rs.plotting import clip_frames, confusion

TRAINING, TESTING = ("user01", "user02", "user03", "user04", "user05"), ("user24", "user25")

# %%
# A folder as tonic's
# -------------------
# A row is an event: column, row, polarity, and the time in ms.


def made_up(folder: Path) -> Path:
    """Write each person's clips, one file a gesture."""
    people = [*TRAINING, *TESTING]
    gestures = hr.make_gestures(len(people), n_repeats=1, seed=0, size=128, duration=800_000)
    for number, (events, label) in enumerate(gestures):
        user = people[int(gestures.subjects[number])]
        part = "Train" if user in TRAINING else "Test"
        place = folder / f"ibmGesture{part}" / f"{user}_fluorescent"
        place.mkdir(parents=True, exist_ok=True)
        columns = (events.x, events.y, events.p, events.t / 1000.0)
        np.save(place / f"{label}.npy", np.stack(columns, axis=1).astype(np.float64))
    return folder


given = sys.argv[1:]
scratch = tempfile.TemporaryDirectory()
folder = Path(given[0]) if given else made_up(Path(scratch.name))

# %%
# From the folder to a score
# --------------------------
# `hrsnn data doctor FOLDER` tells what is missing of a folder; nothing is read before its turn.

train, test = DVS128Gesture(folder, "train"), DVS128Gesture(folder, "test")
print(f"{len(train)} clips of {len(set(train.subjects))} persons to learn from")
classifier = hr.HRSNNClassifier(seed=1).fit(train)
samples = [events for events, _ in test]
predicted = classifier.predict(samples)
right = predicted == test.labels
print(f"right: {right.mean():.0%} of {right.size} clips of {len(set(test.subjects))} others")

# %%
# One clip: what each pixel saw last, the older the fainter.

shown = int(np.flatnonzero(test.labels == 3)[0])
pictures = clip_frames(samples[shown], n_frames=6, title=test.classes[3])

# %%
# Which gesture is taken for which.

classes = np.arange(len(test.classes))
table = confusion(confusion_matrix(test.labels, predicted, classes=classes), test.classes)
scratch.cleanup()
