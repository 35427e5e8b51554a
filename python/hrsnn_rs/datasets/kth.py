"""KTH: six human actions, 25 persons, four scenes.

Lives here: names, official persons and sub-sequences. Not here: decoding and encoders.
Invariant: what a clip shows and who is in it is said by its name; a sub-sequence belongs to the
part of its person, so that nobody is on both sides.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_rs.arguments import check_path
from hrsnn_rs.datasets.base import Recording
from hrsnn_rs.datasets.inspection import Inspection, Problem
from hrsnn_rs.datasets.video_dataset import VideoDataset, quick_faults, video_files
from hrsnn_rs.datasets.walk import files_below
from hrsnn_rs.errors import FormatError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from hrsnn_rs.events.events import Events
    from hrsnn_rs.recordings.cache import EventCache

__all__ = ["KTH"]

_CLASSES = ("boxing", "handclapping", "handwaving", "jogging", "running", "walking")
_PERSONS = {
    "train": frozenset(range(11, 19)),
    "val": frozenset({19, 20, 21, 23, 24, 25, 1, 4}),
    "test": frozenset({22, 2, 3, 5, 6, 7, 8, 9, 10}),
}
_NAME = re.compile(rf"person(\d\d)_({'|'.join(_CLASSES)})_d([1-4])_uncomp\.avi", re.IGNORECASE)
_LINE = re.compile(r"person(\d\d)_(\w+)_d(\d)\s+(?:frames\s+([\d,\s-]+)|(\*missing\*))")
_SEQUENCES = "00sequences.txt"
# The one clip that the authors never had.
_MISSING = (13, "handclapping", 3)
_SAMPLES = {"train": 760, "val": 768, "test": 863}
_HOME = "https://www.csc.kth.se/cvap/actions/"

_Key = tuple[int, str, int]


class KTH(VideoDataset):
    r"""KTH actions [1]_: 599 clips, cut into 2391 sub-sequences by `00sequences.txt`.

    The folder may hold the clips side by side, as the six zips unpack, or in folders of any
    names; `00sequences.txt` lies beside or below. Some of the clips are enough.

    Parameters
    ----------
    root : str or path-like
        The folder.
    split : {"train", "val", "test"}, default=None
        Part by the official persons: 760, 768 and 863 sub-sequences. `None` means all.
    encoder : callable, default=None
        `EventEncoder`, `TemporalContrast` or `FrameDifference`. `None`: samples are what an
        event camera sees.
    sequences : str, path-like or bool, default=None
        The file of sub-sequences. `None` and `True` mean `00sequences.txt` in the folder, `False`
        that clips are not cut.
    frame_size : tuple of int, default=(120, 160)
        (rows, columns) that frames of another size are scaled to. `None` means as they are.
    damaged : {"raise", "warn"}, default="raise"
        What to do with short or damaged files.
    cache : EventCache, str, path-like or bool, default=None
        Where to keep what samples became, see `Dataset`; `True` means the usual place.

    Raises
    ------
    FormatError
        If there is no clip, or no file of sub-sequences or none for a clip; on reading, if a
        clip is short or damaged.

    References
    ----------
    .. [1] Schuldt, Laptev & Caputo (2004), Recognizing human actions: a local SVM approach, ICPR.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "person25_boxing_d4_uncomp.avi").write_bytes(b"")
    ...     _ = (Path(folder) / "00sequences.txt").write_text(
    ...         "person25_boxing_d4\tframes\t1-120, 121-224")
    ...     KTH(folder).index.select("class_name", "subject", "split", "start", "stop").rows()
    [('boxing', 25, 'val', 0, 120), ('boxing', 25, 'val', 120, 224)]
    """

    splits = ("train", "val", "test")

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        encoder: Callable[[Any], Events] | None = None,
        *,
        sequences: str | os.PathLike[str] | bool | None = None,
        frame_size: tuple[int, int] | None = (120, 160),
        damaged: str = "raise",
        cache: EventCache | str | os.PathLike[str] | bool | None = None,
    ) -> None:
        self.checked_split(split)
        folder = Path(check_path("root", root))
        if not (sequences is None or isinstance(sequences, bool)):
            check_path("sequences", sequences)
        clips = _clips(folder)
        if not clips:
            raise FormatError(
                f"{folder}: no clips; expected person01_boxing_d1_uncomp.avi and so on."
            )
        cuts = None if sequences is False else _read_sequences(_sequences_file(folder, sequences))
        recordings = []
        for key in sorted(clips, key=lambda one: (_CLASSES.index(one[1]), one[0], one[2])):
            person, action, _ = key
            part = next(name for name, persons in _PERSONS.items() if person in persons)
            if cuts is not None and key not in cuts:
                raise FormatError(f"{clips[key][0]}: {_SEQUENCES} says nothing about it.")
            for start, stop in [(None, None)] if cuts is None else cuts[key]:
                label = _CLASSES.index(action)
                recordings.append(Recording(clips[key][0], label, person, part, start, stop))
        super().__init__(
            root,
            split,
            encoder,
            classes=_CLASSES,
            recordings=recordings,
            frame_size=frame_size,
            damaged=damaged,
            cache=cache,
        )

    @classmethod
    def inspect(cls, path: str | os.PathLike[str]) -> Inspection | None:
        """Look for clips by their names; see `Dataset.inspect`."""
        root = Path(check_path("path", path))
        clips = _clips(root) if root.is_dir() else {}
        if not clips:
            return None
        problems: list[Problem] = []
        found = {"recordings": len(clips), "samples": 0, "persons": len({key[0] for key in clips})}
        expected = {"recordings": 599, "samples": sum(_SAMPLES.values()), "persons": 25}
        advice = []
        try:
            cuts = _read_sequences(_sequences_file(root, None))
            found["samples"] = sum(len(cuts.get(key, ())) for key in clips)
        except FormatError as error:
            problems.append(Problem("missing", _SEQUENCES, f"is needed to cut the clips: {error}"))
            advice.append(f"Download {_HOME}{_SEQUENCES} into {root}.")
        absent: dict[str, int] = {}
        for action in _CLASSES:
            keys = {(person, action, scene) for person in range(1, 26) for scene in range(1, 5)}
            n_absent = len(keys - {_MISSING} - set(clips))
            if n_absent:
                absent[action] = n_absent
                words = f"{n_absent} of its clips are not here"
                problems.append(Problem("missing", action, words))
        if absent:
            zips = ", ".join(f"{action}.zip" for action in absent)
            advice.append(f"Download {zips} from {_HOME} and unpack them into {root}.")
        for action_folder in _CLASSES:
            for key, paths in clips.items():
                if paths[0].parent.name == action_folder and key[1] != action_folder:
                    words = f"shows {key[1]} by its name, which is believed; move it there"
                    problems.append(Problem("misplaced", _below(paths[0], root), words))
        for paths in clips.values():
            for copy in paths[1:]:
                words = f"is there twice, and {_below(paths[0], root)} is read: delete one"
                problems.append(Problem("duplicated", _below(copy, root), words))
        problems += quick_faults([paths[0] for paths in clips.values()], root)
        layout = "clips personNN_action_dN_uncomp.avi"
        return Inspection("KTH", layout, str(root), found, expected, tuple(problems), tuple(advice))


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _clips(root: Path) -> dict[_Key, list[Path]]:
    """Return the files of each (person, action, scene), the least deep first."""
    clips: dict[_Key, list[Path]] = {}
    for path in video_files(root):
        match = _NAME.fullmatch(path.name)
        if match and 1 <= int(match[1]) <= 25:
            key = (int(match[1]), match[2].lower(), int(match[3]))
            clips.setdefault(key, []).append(path)
    for paths in (several for several in clips.values() if len(several) > 1):
        paths.sort(key=lambda path: (len(path.parts), path))
    return clips


def _sequences_file(root: Path, given: str | os.PathLike[str] | bool | None) -> Path:
    if given is not None and not isinstance(given, bool):
        return Path(given)
    beside = root.absolute().parent / _SEQUENCES
    found = [path for path in files_below(root) if path.name.lower() == _SEQUENCES]
    for path in [*found, beside]:
        if path.is_file():
            return path
    raise FormatError(
        f"{root}: no {_SEQUENCES}; download {_HOME}{_SEQUENCES} into it, or give sequences=False "
        "for whole clips."
    )


def _read_sequences(path: Path) -> dict[_Key, list[tuple[int, int]]]:
    """Return [start, stop) of each clip's sub-sequences, counted from 0."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: cannot be read: {error}") from None
    cuts: dict[_Key, list[tuple[int, int]]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip().startswith("person"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise FormatError(f"{path}: line {number} is not understood: {line.strip()!r}.")
        if match[5]:
            continue
        pieces = []
        for piece in match[4].split(","):
            first, _, last = piece.partition("-")
            if not (first.strip().isdigit() and last.strip().isdigit()):
                raise FormatError(f"{path}: line {number} has no frames in {piece.strip()!r}.")
            if not 1 <= int(first) <= int(last):
                raise FormatError(f"{path}: line {number} ends before it starts: {piece.strip()}.")
            # As it is printed: counted from 1, the last frame included.
            pieces.append((int(first) - 1, int(last)))
        cuts[int(match[1]), match[2].lower(), int(match[3])] = pieces
    if not cuts:
        raise FormatError(f"{path}: holds no sub-sequences.")
    return cuts
