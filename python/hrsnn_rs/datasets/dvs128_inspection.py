"""What is there of DVS128 Gesture, and what is wrong with it.

Lives here: the look at both layouts, by names, sizes and headers; no event is decoded. Not
here: the data set itself. Invariant: nothing that lies in a folder makes it raise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hrsnn_rs.datasets.dvs128_files import (
    FIRST_TEST_USER,
    LISTS,
    N_CLIPS,
    N_ONE_PER_CLASS,
    NOT_IN_TONIC,
    RECORDINGS,
    read_labels,
    read_list,
    user_of,
    without_overlap,
)
from hrsnn_rs.datasets.inspection import Inspection, Problem, duplicates, relative
from hrsnn_rs.datasets.walk import files_below, folders_in
from hrsnn_rs.errors import FormatError
from hrsnn_rs.made_up.movements import CLASSES
from hrsnn_rs.recordings.aedat import summarize_aedat
from hrsnn_rs.recordings.event_files import check_npy

if TYPE_CHECKING:
    from pathlib import Path

_IBM_ADVICE = (
    "The archive is DvsGesture.tar.gz (3 GB, MD5 8a5c71fb11e24e5ca5b11866ca6c00a1); get it with a "
    "browser from https://ibm.ent.box.com/s/3hiq58ww1pbbjrinh367ykfdf60xsfm8 (linked at "
    "https://research.ibm.com/interactive/dvsgesture), since IBM's site lets no program in.",
    "Unpack it with `tar xf DvsGesture.tar.gz` (5 GB) and open the folder DvsGesture as it is.",
)
_TONIC_ADVICE = {
    "train": "Get ibmGestureTrain.tar.gz (MD5 3a8f0d4120a166bac7591f77409cb105) with a browser "
    "from https://figshare.com/ndownloader/files/38022171 and unpack it with `tar xf`.",
    "test": "Get ibmGestureTest.tar.gz (MD5 56070e45dadaa85fff82e0fbfbc06de5) with a browser "
    "from https://figshare.com/ndownloader/files/38020584 and unpack it with `tar xf`.",
}
_GAP = 100_000


def inspect_ibm(root: Path, folder: Path) -> Inspection:
    """Look at IBM's layout in `folder`, which is `root` or lies in it."""
    problems: list[Problem] = []
    parts = _official_parts(root, folder, problems)
    found = dict.fromkeys(("recordings", "samples"), 0)
    found |= {f"{part} {what}": 0 for part in LISTS for what in ("recordings", "samples")}
    for name, part in parts.items():
        path, labels = folder / f"{name}.aedat", folder / f"{name}_labels.csv"
        n_clips = 0
        if not path.is_file():
            problems.append(_missing(root, path, f"the recording {name} is not there"))
        elif not labels.is_file():
            problems.append(_missing(root, labels, f"{name} cannot be cut into gestures without"))
        else:
            n_clips = _look_at_recording(root, path, labels, problems)
        for count in ("recordings", f"{part} recordings"):
            found[count] += path.is_file()
        for count in ("samples", f"{part} samples"):
            found[count] += n_clips
    for path in [one for one in files_below(root) if one.suffix == ".aedat"]:
        if path.parent != folder and path.stem in parts:
            kind = "duplicated" if (folder / path.name).is_file() else "misplaced"
            words = f"a recording outside {relative(folder, root)}, which is not read"
            problems.append(Problem(kind, relative(path, root), words))
        elif path.stem not in parts:
            words = "not in the official lists, so it is not read"
            problems.append(Problem("misplaced", relative(path, root), words))
    present = [folder / f"{name}.aedat" for name in parts if (folder / f"{name}.aedat").is_file()]
    for path, other in duplicates(present):
        words = f"has the very bytes of {relative(other, root)}: one of them is wrong"
        problems.append(Problem("duplicated", relative(path, root), words))
    expected = {"recordings": 122, "train recordings": 98, "test recordings": 24}
    expected |= {f"{part} samples": number for part, number in N_CLIPS.items()}
    return Inspection(
        dataset="DVS128Gesture",
        layout="as IBM ships it: userNN_light.aedat with label files and trial lists",
        root=str(folder),
        found=found,
        expected=expected,
        problems=tuple(problems),
        advice=_IBM_ADVICE if any(problem.harms for problem in problems) else (),
    )


def inspect_tonic(root: Path, parts: dict[str, Path]) -> Inspection:
    """Look at tonic's layout; `parts` are its folders by official part."""
    problems: list[Problem] = []
    found = dict.fromkeys(("recordings", "samples"), 0)
    expected: dict[str, int] = {}
    files: list[Path] = []
    wanted = tuple(part for part in parts if part) or tuple(LISTS)
    for part in wanted:
        folder = parts.get(part) or parts[""]
        names = [name for name, official in RECORDINGS.items() if official == part]
        expected |= {f"{part} recordings": len(names), f"{part} samples": N_ONE_PER_CLASS[part]}
        n_recordings = n_samples = 0
        for name in names:
            clips = [folder / name / f"{label}.npy" for label in range(len(CLASSES))]
            present = [clip for clip in clips if clip.is_file()]
            n_recordings += bool(present)
            n_samples += len(present)
            files += present
            if not present:
                problems.append(_missing(root, folder / name, "the whole recording is not there"))
                continue
            for label, clip in enumerate(clips):
                if clip not in present and (name, label) != NOT_IN_TONIC:
                    what = f"the clip of {CLASSES[label]} is not there"
                    problems.append(_missing(root, clip, what))
        found |= {f"{part} recordings": n_recordings, f"{part} samples": n_samples}
        found["recordings"] += n_recordings
        found["samples"] += n_samples
        problems += _misplaced(root, folder, part, is_alone=bool(parts.get(part)))
    if "" not in parts:
        for part in LISTS:
            if part not in parts:
                words = f"the {part} part is not there; the other can be used without it"
                problems.append(Problem("note", f"ibmGesture{part.title()}", words))
    for path in files:
        complaint = check_npy(path)
        if complaint is not None:
            kind = "truncated" if "cut" in complaint else "unreadable"
            problems.append(Problem(kind, relative(path, root), complaint))
    for path, other in duplicates(files):
        words = f"has the very bytes of {relative(other, root)}: one of them is wrong"
        problems.append(Problem("duplicated", relative(path, root), words))
    harmed = any(problem.harms for problem in problems)
    return Inspection(
        dataset="DVS128Gesture",
        layout="as tonic unpacks it: ibmGestureTrain/userNN_light/<label>.npy",
        root=str(root),
        found=found,
        expected=expected,
        problems=tuple(problems),
        advice=tuple(_TONIC_ADVICE[part] for part in wanted) if harmed else (),
    )


def _missing(root: Path, path: Path, words: str) -> Problem:
    return Problem("missing", relative(path, root), words)


def _official_parts(root: Path, folder: Path, problems: list[Problem]) -> dict[str, str]:
    """Part of each recording, by the lists of the folder or else the official ones."""
    parts: dict[str, str] = {}
    for part, name in LISTS.items():
        path = folder / name
        if not path.is_file():
            words = "the list is not there; users 1 to 23 count as training, as it would say"
            problems.append(Problem("note", relative(path, root), words))
            continue
        try:
            names = read_list(path)
        except (FormatError, OSError) as error:
            problems.append(Problem("unreadable", relative(path, root), str(error)))
            continue
        official = {one for one, its in RECORDINGS.items() if its == part}
        if set(names) != official or len(names) != len(official):
            words = f"lists {len(names)} recordings that are not the official {len(official)}"
            problems.append(Problem("wrong", relative(path, root), words))
        parts |= dict.fromkeys(names, part)
    return parts if len({*parts.values()}) == len(LISTS) else dict(RECORDINGS)


def _look_at_recording(root: Path, path: Path, labels: Path, problems: list[Problem]) -> int:
    """Count the clips that the label file cuts out of the recording."""
    try:
        clips, changed = without_overlap(read_labels(labels))
    except (FormatError, OSError) as error:
        problems.append(Problem("unreadable", relative(labels, root), str(error)))
        return 0
    for clip, stop in changed:
        is_known = labels.name == "user22_led_labels.csv" and clip.label == 8
        words = (
            f"line {clip.line}: class {clip.label + 1} is said to end at {clip.stop} µs, after the "
            f"next clip begins; it is read up to {stop} µs"
        )
        known = "; the official archive has this mistake" if is_known else ""
        problems.append(
            Problem("note" if is_known else "wrong", relative(labels, root), words + known)
        )
    try:
        last = summarize_aedat(path).last
    except (FormatError, OSError) as error:
        kind = "truncated" if "cut" in str(error) else "unreadable"
        problems.append(Problem(kind, relative(path, root), str(error)))
        return len(clips)
    late = [clip for clip in clips if last is None or clip.stop > last + _GAP]
    if late:
        words = f"ends at {last} µs, before {len(late)} of its {len(clips)} clips do"
        problems.append(Problem("truncated", relative(path, root), words))
    return len(clips)


def _misplaced(root: Path, folder: Path, part: str, is_alone: bool) -> list[Problem]:
    problems = []
    for child in folders_in(folder):
        user = user_of(child.name)
        if user is None or not is_alone:
            continue
        by_user = "test" if user >= FIRST_TEST_USER else "train"
        if by_user != part:
            words = f"user {user} belongs to the {by_user} part; results would leak"
            problems.append(Problem("misplaced", relative(child, root), words))
        elif child.name not in RECORDINGS:
            words = "not in the official lists"
            problems.append(Problem("misplaced", relative(child, root), words))
    return problems
