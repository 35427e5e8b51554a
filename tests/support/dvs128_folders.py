"""DVS128 Gesture in both of its layouts, in small, for tests.

Names, trial lists, formats and numbers of clips are the official ones; recordings last a second.
"""

import os
import shutil
from pathlib import Path

import numpy as np
from aedat_files import write_aedat
from hrsnn_rs.datasets.dvs128_files import RECORDINGS

HEAD = "class,startTime_usec,endTime_usec"
STEP = 10_000


def labels_of(name: str) -> list[tuple[int, int, int]]:
    """Rows of a label file: class, start, end."""
    # As in the real user01_natural_labels.csv: 122 files of 12 rows are the official numbers.
    classes = [1, 2, 3, 5, 4, 6, 7, 8, 8, 9, 10, 11]
    rows = [(label, n * STEP + 500, n * STEP + 9000) for n, label in enumerate(classes)]
    if name == "user22_led":
        place = classes.index(9)
        rows[place] = (9, rows[place][1], rows[place + 1][1] + 4000)
    return rows


def events_of(name: str, until: int) -> tuple[np.ndarray, ...]:
    """Events every 40 µs or so, different for each recording."""
    random = np.random.default_rng([*name.encode()])
    t = np.arange(0, until, 40) + random.integers(0, 40, -(-until // 40))
    x, y = random.integers(0, 128, (2, t.size))
    return t, x, y, random.integers(0, 2, t.size)


def write_recording(folder: Path, name: str) -> None:
    """Write one recording with its label file."""
    rows = labels_of(name)
    write_aedat(folder / f"{name}.aedat", *events_of(name, rows[-1][2] + STEP))
    text = "\n".join([HEAD, *(",".join(map(str, row)) for row in rows)])
    (folder / f"{name}_labels.csv").write_text(text + "\n")


def write_ibm(folder: Path) -> None:
    """Write all 122 recordings as IBM ships them; real lists and labels where there are any."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in RECORDINGS:
        write_recording(folder, name)
    for part in ("train", "test"):
        names = [f"{name}.aedat" for name, its in RECORDINGS.items() if its == part]
        (folder / f"trials_to_{part}.txt").write_text("\n".join(names) + "\n\n")
    (folder / "gesture_mapping.csv").write_text("action,label\nhand_clapping,1\n")


def real_files() -> Path | None:
    """Folder of the real label file and trial lists, if `HRSNN_DATA` has one."""
    folder = Path(os.environ.get("HRSNN_DATA", "")) / "dvs128_gesture"
    return folder if "HRSNN_DATA" in os.environ and folder.is_dir() else None


def write_tonic(folder: Path, names: list[str] | None = None) -> None:
    """Write recordings as tonic unpacks them: one npy a class, columns x, y, p and t in ms."""
    for name, part in RECORDINGS.items():
        if names is not None and name not in names:
            continue
        place = folder / f"ibmGesture{part.title()}" / name
        place.mkdir(parents=True, exist_ok=True)
        for label in range(11):
            if (name, label) == ("user02_lab", 0):
                continue
            t, x, y, p = events_of(f"{name} {label}", 4000)
            table = np.stack([x, y, p, t // 40], axis=1).astype(np.float64)
            np.save(place / f"{label}.npy", table)


def copy(folder: Path, to: Path) -> Path:
    """Copy a folder by hard links, so that a test can remove and replace files in it."""
    shutil.copytree(folder, to, copy_function=os.link)
    return to
