"""UCF11: eleven actions from YouTube, in 25 groups.

Lives here: names, groups and the split that leaves one group out. Not here: decoding and
encoders. Invariant: clips of one group, which may show one person in one place, are never on
both sides.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_rs.arguments import check_integer, check_path
from hrsnn_rs.datasets.base import Recording
from hrsnn_rs.datasets.inspection import Inspection, Problem
from hrsnn_rs.datasets.video_dataset import VideoDataset, quick_faults, video_files
from hrsnn_rs.errors import FormatError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from hrsnn_rs.events.events import Events
    from hrsnn_rs.recordings.cache import EventCache

__all__ = ["UCF11"]

# Folder of a class, and the word in the names of its clips.
_WORDS = {
    "basketball": "shooting",
    "biking": "biking",
    "diving": "diving",
    "golf_swing": "golf",
    "horse_riding": "riding",
    "soccer_juggling": "juggle",
    "swing": "swing",
    "tennis_swing": "tennis",
    "trampoline_jumping": "jumping",
    "volleyball_spiking": "spiking",
    "walking": "walk",
}
_CLASSES = tuple(_WORDS)
_NAME = re.compile(r"v_(\w+?)_(\d{1,2})_(\d{1,2})", re.IGNORECASE)
_GROUP = re.compile(r"v_\w+_\d{1,2}", re.IGNORECASE)
_N_GROUPS = 25
_HOME = "https://www.crcv.ucf.edu/data/UCF_YouTube_Action.php"


class UCF11(VideoDataset):
    """UCF11, also called YouTube Actions [1]_: 1,600 clips of 11 classes in 25 groups.

    `biking/v_biking_01/v_biking_01_01.avi` or `.mpg`, at any depth below the folder, with or
    without the folders of groups. Annotations are not read. Some of the clips are enough.

    Parameters
    ----------
    root : str or path-like
        The folder.
    split : {"train", "test"}, default=None
        "test" are the clips of `test_group`, "train" those of all other groups. `None` means all.
    encoder : callable, default=None
        `EventEncoder`, `TemporalContrast` or `FrameDifference`. `None`: samples are what an
        event camera sees.
    test_group : int, default=1
        Group that is left out, 1 to 25; the protocol is to leave out each in turn.
    frame_size : tuple of int, default=(240, 320)
        (rows, columns) that frames of another size are scaled to. `None` means as they are.
    damaged : {"raise", "warn"}, default="raise"
        What to do with short or damaged files.
    cache : EventCache, str, path-like or bool, default=None
        Where to keep what samples became, see `Dataset`; `True` means the usual place.

    Raises
    ------
    FormatError
        If there is no clip; on reading, if a clip is short or damaged.
    ParameterError
        If `test_group` is out of range.

    Notes
    -----
    A group's number is that of its class: group 3 of biking and of diving share no scene. Leaving
    out a number leaves out one group of each class.

    References
    ----------
    .. [1] Liu, Luo & Shah (2009), Recognizing realistic actions from videos "in the wild", CVPR.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for group in ("v_golf_01", "v_golf_02"):
    ...         (Path(folder) / "golf_swing" / group).mkdir(parents=True)
    ...         clip = Path(folder) / "golf_swing" / group / f"{group}_03.mpg"
    ...         _ = clip.write_bytes(b"")
    ...     UCF11(folder, "train", test_group=1).index.select("class_name", "subject").rows()
    [('golf_swing', 2)]
    """

    splits = ("train", "test")

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        encoder: Callable[[Any], Events] | None = None,
        *,
        test_group: int = 1,
        frame_size: tuple[int, int] | None = (240, 320),
        damaged: str = "raise",
        cache: EventCache | str | os.PathLike[str] | bool | None = None,
    ) -> None:
        self.checked_split(split)
        self.test_group = check_integer("test_group", test_group, 1, _N_GROUPS)
        clips, _ = _clips(Path(check_path("root", root)))
        if not clips:
            raise FormatError(
                f"{root}: no clips; expected biking/v_biking_01/v_biking_01_01.mpg and so on."
            )
        recordings = [
            Recording(paths[0], label, group, "test" if group == test_group else "train")
            for (label, group, _), paths in sorted(clips.items())
        ]
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
        clips, strangers = _clips(root) if root.is_dir() else ({}, [])
        if not clips:
            return None
        problems: list[Problem] = []
        for label, name in enumerate(_CLASSES):
            present = {key[1] for key in clips if key[0] == label}
            absent = sorted(set(range(1, _N_GROUPS + 1)) - present)
            if absent:
                which = "all groups" if not present else f"groups {', '.join(map(str, absent))}"
                problems.append(Problem("missing", name, f"{which} of it are not here"))
        for path_of, reason in strangers:
            problems.append(Problem("misplaced", path_of.relative_to(root).as_posix(), reason))
        for paths in clips.values():
            for copy in paths[1:]:
                first = paths[0].relative_to(root).as_posix()
                words = f"is there twice, and {first} is read: delete one"
                problems.append(Problem("duplicated", copy.relative_to(root).as_posix(), words))
        problems += quick_faults([paths[0] for paths in clips.values()], root)
        advice: tuple[str, ...] = ()
        if len(clips) < 1600:
            advice = (
                f"Download UCF11_updated_mpg.rar from {_HOME} and unpack it into {root}; "
                "it is complete with 1,600 clips.",
            )
        found = {
            "recordings": len(clips),
            "samples": len(clips),
            "classes": len({key[0] for key in clips}),
            "groups": len({key[:2] for key in clips}),
        }
        expected = {
            "recordings": 1600,
            "samples": 1600,
            "classes": len(_CLASSES),
            "groups": len(_CLASSES) * _N_GROUPS,
        }
        layout = "class/v_word_NN/v_word_NN_MM.mpg"
        return Inspection("UCF11", layout, str(root), found, expected, tuple(problems), advice)


def _clips(
    root: Path,
) -> tuple[dict[tuple[int, int, int], list[Path]], list[tuple[Path, str]]]:
    """Return the files of each (label, group, number), and those that belong to no class."""
    clips: dict[tuple[int, int, int], list[Path]] = {}
    strangers = []
    for path in video_files(root):
        match = _NAME.fullmatch(path.stem)
        if match is None:
            continue
        group, number = int(match[2]), int(match[3])
        label = _label(path, match[1].lower())
        if label is None:
            strangers.append((path, "has a name like a clip's, but of no class: delete it"))
        elif not 1 <= group <= _N_GROUPS:
            strangers.append((path, f"is of group {group}, and there are 25: delete it"))
        else:
            clips.setdefault((label, group, number), []).append(path)
    for paths in (several for several in clips.values() if len(several) > 1):
        paths.sort(key=lambda path: (len(path.parts), path))
    return clips, strangers


def _label(path: Path, word: str) -> int | None:
    """Believe the word in the name; where it is none of ours, the folder of the class."""
    for label, known in enumerate(_WORDS.values()):
        if word == known or (known == "walk" and word.startswith("walk")):
            return label
    folder = path.parent
    if _GROUP.fullmatch(folder.name):
        folder = folder.parent
    name = folder.name.lower().replace(" ", "_").replace("-", "_")
    return _CLASSES.index(name) if name in _CLASSES else None
