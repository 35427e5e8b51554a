"""
KTH: actions in video
=====================

Video files become events, as an event camera would have seen them; a field follows who moves; a
layer of features learns without labels, and a linear readout names the action, of persons that
it has never seen: the official ones of KTH (Schuldt, Laptev & Caputo 2004, ICPR).

    python examples/kth_actions.py [FOLDER]

FOLDER holds KTH's clips and `00sequences.txt` as they unpack. Without it a small set is made up in
the very same form: figures of sticks that walk, run, wave and box.
"""

import sys
import tempfile
from pathlib import Path

import av
import hrsnn_rs as hr
import numpy as np
from hrsnn_rs.datasets import KTH
from hrsnn_rs.learning import confusion_matrix
from hrsnn_rs.plotting import clip_frames, confusion

HEIGHT, WIDTH, FPS, N_FRAMES = 60, 80, 25, 50
ACTIONS = ("boxing", "handwaving", "running", "walking")
#: Six of the persons that learn, three of those that test, by the official numbers.
PERSONS = (11, 12, 13, 14, 15, 16, 2, 3, 5)

# %%
# Made-up clips
# -------------
# A stick is a bright line between two points. Legs swing with the step; arms go up, or forward.


def stick(picture: np.ndarray, begin: np.ndarray, end: np.ndarray, width: float) -> None:
    """Draw a line of some width into a picture."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    along = end - begin
    share = ((x - begin[0]) * along[0] + (y - begin[1]) * along[1]) / max(along @ along, 1e-9)
    near = begin[:, None, None] + np.clip(share, 0.0, 1.0) * along[:, None, None]
    distance = np.hypot(x - near[0], y - near[1])
    np.maximum(picture, 70.0 + 150.0 * np.clip(width - distance, 0.0, 1.0), out=picture)


def frames(action: str, person: int) -> np.ndarray:
    """Give the frames of a clip; persons differ in height, tempo and place."""
    random = np.random.default_rng([person, ACTIONS.index(action)])
    size, tempo = random.uniform(15.0, 19.0), random.uniform(0.85, 1.15)
    film = np.full((N_FRAMES, HEIGHT, WIDTH), 70.0)
    start, begin = random.uniform(0.0, 2.0 * np.pi), random.uniform(-6.0, 6.0)
    speed = {"running": 1.7, "walking": 0.8}.get(action, 0.0) * tempo
    pace = {"running": 0.8, "walking": 0.4, "boxing": 0.7, "handwaving": 0.35}[action] * tempo
    for number, picture in enumerate(film):
        swing = np.sin(start + pace * number)
        x = WIDTH / 2 + begin if speed == 0.0 else (begin + speed * number) % (WIDTH + 20) - 10
        hip, neck = np.array([x, 36.0]), np.array([x, 36.0 - size * 0.8])
        stick(picture, hip, neck, 2.5)
        stick(picture, neck - [0.0, 4.0], neck - [0.0, 5.0], 3.0)
        for side in (-1.0, 1.0):
            stride = side * swing * size * 0.5 if speed else side * 3.0
            stick(picture, hip, np.add(hip, [stride, size]), 1.8)
            if action == "handwaving":
                hand = [side * size * 0.8 * np.cos(swing), -size * 0.8 * np.sin(swing)]
            elif action == "boxing":
                hand = [size * (0.5 + 0.4 * side * swing), 2.0]
            else:
                hand = [-stride, size * 0.5]
            shoulder = np.add(neck, [0.0, 2.0])
            stick(picture, shoulder, np.add(shoulder, hand), 1.6)
    return film.astype(np.uint8)


def write_clip(path: Path, film: np.ndarray) -> None:
    """Write grey frames as the MPEG-4 in an AVI that KTH's clips are."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = 2_000_000
        for picture in film:
            frame = av.VideoFrame.from_ndarray(picture, "gray").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def made_up(folder: Path) -> Path:
    """Write a folder as KTH's: a clip for each person and action, and what to cut of it."""
    lines = []
    for action in ACTIONS:
        (folder / action).mkdir()
        for person in PERSONS:
            name = f"person{person:02}_{action}_d1"
            write_clip(folder / action / f"{name}_uncomp.avi", frames(action, person))
            lines.append(f"{name}\tframes\t1-{N_FRAMES // 2}, {N_FRAMES // 2 + 1}-{N_FRAMES}")
    (folder / "00sequences.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


# %%
# From a folder to events
# -----------------------
# A data set knows names, persons and official parts, and reads nothing before its turn. Of a video
# the classifier takes an encoder that follows who moves.

given = sys.argv[1:]
scratch = tempfile.TemporaryDirectory()
folder = Path(given[0]) if given else made_up(Path(scratch.name))
size = (120, 160) if given else (HEIGHT, WIDTH)
train, test = (KTH(folder, part, frame_size=size) for part in ("train", "test"))
print(f"{len(train)} samples to learn from, {len(test)} of other persons")
classifier = hr.HRSNNClassifier(seed=1).fit(train)
print(f"layers: {classifier.layers_}; encoder: {type(classifier.encoder_).__name__}")
samples = [events for events, _ in test]
predicted = classifier.predict(samples)
print(f"right: {np.mean(predicted == test.labels):.0%} of {len(test)}")

# %%
# One sample as the camera saw it: the latest event of each pixel, the older the fainter.

shown = int(np.flatnonzero(test.labels == test.classes.index("walking"))[0])
pictures = clip_frames(samples[shown], n_frames=6, title="walking")

# %%
# Which action is taken for which.

table = confusion(
    confusion_matrix(test.labels, predicted, classes=np.arange(len(test.classes))), test.classes
)
scratch.cleanup()
