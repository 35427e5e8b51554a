"""Video folders: any videos, one folder per class.

Lives here: the layout and who is taken for the subject of a clip. Not here: decoding and
encoders. Invariant: nothing is guessed about subjects in silence; where a folder does not name
them, the data set says so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_rs.datasets.base import Recording
from hrsnn_rs.datasets.inspection import Inspection, Problem
from hrsnn_rs.datasets.video_dataset import VideoDataset, quick_faults, video_files
from hrsnn_rs.errors import FormatError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from hrsnn_rs.events.events import Events
    from hrsnn_rs.recordings.cache import EventCache

__all__ = ["VideoFolder"]

_SUBJECT = re.compile(
    r"(?<![a-z])(?:person|subject|actor|user|group|subj|sub|g|p|s)[ _-]?(\d{1,6})(?!\d)",
    re.IGNORECASE,
)


class VideoFolder(VideoDataset):
    """Videos in one folder per class: `<class>/<clip>.avi`, `.mp4`, `.mkv`, `.mov`, `.mpg`, ….

    The subject of a clip is found in one of three ways, the same for all clips: the folder
    between that of the class and the clip; a number behind person, subject, actor, user or group
    (or p, s, g) in every file's name; else each clip is a subject of its own, numbered within
    its class, and `split_warning` says so.

    Parameters
    ----------
    root : str or path-like
        The folder.
    split : None
        There are no official parts.
    encoder : callable, default=None
        `EventEncoder`, `TemporalContrast` or `FrameDifference`. `None`: samples are what an
        event camera sees.
    frame_size : tuple of int, default=None
        (rows, columns) that frames of another size are scaled to. `None` means as they are.
    damaged : {"raise", "warn"}, default="raise"
        What to do with short or damaged files.
    cache : EventCache, str, path-like or bool, default=None
        Where to keep what samples became, see `Dataset`; `True` means the usual place.

    Raises
    ------
    FormatError
        If there is no class with clips; on reading, if a clip is short or damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("jump/person2_a.avi", "jump/person7_b.avi", "run/person2_c.AVI"):
    ...         (Path(folder) / name).parent.mkdir(exist_ok=True)
    ...         _ = (Path(folder) / name).write_bytes(b"")
    ...     VideoFolder(folder).groups
    array([2, 7, 2])
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        encoder: Callable[[Any], Events] | None = None,
        *,
        frame_size: tuple[int, int] | None = None,
        damaged: str = "raise",
        cache: EventCache | str | os.PathLike[str] | bool | None = None,
    ) -> None:
        self.checked_split(split)
        clips = _clips(Path(root))
        if not clips:
            raise FormatError(f"{root}: no videos in folders; expected <class>/<clip>.avi.")
        classes = sorted(clips)
        groups, self.subjects_from = _groups(Path(root), clips)
        super().__init__(
            root,
            split,
            encoder,
            classes=classes,
            recordings=[
                Recording(path, label, groups[path])
                for label, name in enumerate(classes)
                for path in clips[name]
            ],
            frame_size=frame_size,
            damaged=damaged,
            cache=cache,
        )
        self.subjects_known = self.subjects_from != "clips"
        if not self.subjects_known:
            self.split_warning = (
                "no folder or name says who is in a clip: each counts as a subject of its own"
            )

    @classmethod
    def inspect(cls, path: str | os.PathLike[str]) -> Inspection | None:
        """Look for videos in folders; see `Dataset.inspect`."""
        root = Path(path)
        clips = _clips(root) if root.is_dir() else {}
        if not clips:
            return None
        groups, subjects_from = _groups(root, clips)
        paths = [clip for name in sorted(clips) for clip in clips[name]]
        problems = list(quick_faults(paths, root))
        if subjects_from == "clips":
            words = (
                "nothing says who is in a clip; put the clips of each person into a folder "
                "<class>/<person>/, or results may be better than they are for new persons"
            )
            problems.append(Problem("note", ".", words))
        for clip in video_files(root):
            if clip.parent == root:
                words = "lies in no folder of a class and is not read: move it into one"
                problems.append(Problem("misplaced", clip.name, words))
        found = {
            "recordings": len(paths),
            "samples": len(paths),
            "classes": len(clips),
            "subjects": len(set(groups.values())),
        }
        layout = f"<class>/<clip>, subjects from {subjects_from}"
        return Inspection("VideoFolder", layout, str(root), found, problems=tuple(problems))


def _clips(root: Path) -> dict[str, list[Path]]:
    """Return the videos of each class."""
    clips: dict[str, list[Path]] = {}
    for path in video_files(root):
        parts = path.relative_to(root).parts
        if len(parts) > 1:
            clips.setdefault(parts[0], []).append(path)
    return clips


def _groups(root: Path, clips: dict[str, list[Path]]) -> tuple[dict[Path, int], str]:
    """Return the subject of each clip, and where it was found: folders, names or clips."""
    every = [path for paths in clips.values() for path in paths]
    folders = {path: path.relative_to(root).parts[1:-1] for path in every}
    if all(folders.values()):
        names = sorted({parts[0] for parts in folders.values()}, key=_natural)
        return {path: names.index(parts[0]) for path, parts in folders.items()}, "folders"
    matches = {path: _SUBJECT.search(path.stem) for path in every}
    if all(matches.values()):
        return {path: int(match[1]) for path, match in matches.items() if match}, "names"
    return {path: place for paths in clips.values() for place, path in enumerate(paths)}, "clips"


def _natural(name: str) -> list[tuple[int, str]]:
    """Order by the numbers in a name: person2 before person10."""
    return [(int(digits or 0), words) for words, digits in re.findall(r"(\D*)(\d*)", name)]
