"""Video folders: any videos, one folder per class.

Lives here: the data set. Not here: what folders mean (`layout`), decoding and encoders.
Invariant: nothing is guessed about subjects; where nothing names them, the data set says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_rs.arguments import check_path
from hrsnn_rs.datasets.layout import Rule, checked_has_splits, inspect_layout, read_layout
from hrsnn_rs.datasets.video_dataset import VideoDataset, quick_faults
from hrsnn_rs.errors import FormatError
from hrsnn_rs.recordings.video import VIDEO_SUFFIXES

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from hrsnn_rs.datasets.inspection import Inspection
    from hrsnn_rs.events.events import Events
    from hrsnn_rs.recordings.cache import EventCache

__all__ = ["VideoFolder"]


class VideoFolder(VideoDataset):
    r"""Videos in folders, as `[<split>/]<class>/[<person>/]<clip>.avi`, `.mp4`, `.mkv`, `.mov`, ….

    Folders mean what they mean to `load_folder`: who is in a clip is said by a folder between
    class and clip, or by one of `subject`, `index_file` and `clips_per_subject`. Otherwise nobody
    knows, and `split_warning` and every result say so.

    Parameters
    ----------
    root : str or path-like
        The folder.
    split : str, default=None
        Name of a folder above the classes, such as train. `None` means all.
    encoder : callable, default=None
        `EventEncoder`, `TemporalContrast` or `FrameDifference`. `None`: samples are what an
        event camera sees.
    subject, index_file, clips_per_subject, has_splits
        As in `load_folder`.
    frame_size : tuple of int, default=None
        (rows, columns) that frames of another size are scaled to. `None` means as they are.
    damaged : {"raise", "warn"}, default="raise"
        What to do with short or damaged files.
    cache : EventCache, str, path-like or bool, default=None
        Where to keep what samples became, see `Dataset`; `True` means the usual place.

    Raises
    ------
    FormatError
        If there is no class with clips, or a folder could mean two things; on reading, if a clip
        is short or damaged.
    ParameterError
        If an argument is out of range, or names nobody for a clip.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("jump/person2_a.avi", "jump/person10_b.avi", "run/person2_c.AVI"):
    ...         (Path(folder) / name).parent.mkdir(exist_ok=True)
    ...         _ = (Path(folder) / name).write_bytes(b"")
    ...     VideoFolder(folder, subject=r"person(\d+)").subjects.tolist()
    ['2', '10', '2']
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        encoder: Callable[[Any], Events] | None = None,
        *,
        subject: str | None = None,
        index_file: str | os.PathLike[str] | None = None,
        clips_per_subject: int | None = None,
        has_splits: bool | None = None,
        frame_size: tuple[int, int] | None = None,
        damaged: str = "raise",
        cache: EventCache | str | os.PathLike[str] | bool | None = None,
    ) -> None:
        rule = Rule.checked(subject, index_file, clips_per_subject)
        checked_has_splits(has_splits)
        folder = Path(check_path("root", root))
        if not folder.is_dir():
            raise FormatError(f"{root}: no such folder.")
        layout = read_layout(folder, VIDEO_SUFFIXES, rule, has_splits)
        if not layout.recordings:
            raise FormatError(f"{root}: no videos in folders; expected <class>/<clip>.avi.")
        self.splits = layout.splits
        self.subjects_known = layout.subjects is not None
        super().__init__(
            root,
            split,
            encoder,
            classes=layout.classes,
            recordings=layout.recordings,
            subject_names=layout.subjects,
            frame_size=frame_size,
            damaged=damaged,
            cache=cache,
        )
        self.split_warning = layout.warning(split)

    @classmethod
    def inspect(cls, path: str | os.PathLike[str]) -> Inspection | None:
        """Look for videos in folders; see `Dataset.inspect`."""
        root = Path(check_path("path", path))
        return inspect_layout(
            cls.__name__, root, VIDEO_SUFFIXES, lambda files: quick_faults(files, root)
        )
