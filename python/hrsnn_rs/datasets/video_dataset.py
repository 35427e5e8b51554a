"""Video datasets: what all data sets of video files share.

Lives here: the way of frames into encoders, and cheap looks at files. Not
here: layouts, which each data set has of its own, and decoding (`video`). Invariant: which noise
and which events a clip gives depends on its name and content, never on its place in a list.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_rs.datasets.base import Dataset, Recording
from hrsnn_rs.datasets.inspection import Problem
from hrsnn_rs.datasets.walk import files_below
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.events.columns import kind_of
from hrsnn_rs.events.events import Events
from hrsnn_rs.made_up.camera import EventCamera
from hrsnn_rs.recordings.frame_stream import record_frames
from hrsnn_rs.recordings.video import (
    VIDEO_SUFFIXES,
    Video,
    checked_damaged,
    checked_frame_size,
    decoder_version,
    is_cut_off,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from hrsnn_rs.events.sensor import SensorEvents
    from hrsnn_rs.recordings.cache import EventCache

__all__ = ["VideoDataset", "quick_faults", "video_files"]


class VideoDataset(Dataset):
    """Samples in video files, decoded when they are asked for; base of all data sets of video.

    Without an encoder, and with an `EventEncoder`, an `EventCamera` without noise looks at the
    clip, at the times of the video. `TemporalContrast` and `FrameDifference` get the frames one
    after the other, at the times of the video too unless their `dt` says otherwise.

    Parameters
    ----------
    root, split, encoder, classes, recordings, subject_names
        As in `Dataset`; `start` and `stop` of a recording count frames.
    frame_size : tuple of int, default=None
        (rows, columns) that frames of another size are scaled to. `None` means as they are.
    damaged : {"raise", "warn"}, default="raise"
        What to do with short or damaged files.
    cache
        As in `Dataset`; what became of a damaged file is not kept.
    """

    is_video = True

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        encoder: Callable[[Any], Events] | None = None,
        *,
        classes: Sequence[str],
        recordings: Sequence[Recording],
        subject_names: Sequence[str] | None = None,
        frame_size: tuple[int, int] | None = None,
        damaged: str = "raise",
        cache: EventCache | str | os.PathLike[str] | bool | None = None,
    ) -> None:
        self.frame_size = checked_frame_size(frame_size)
        self.damaged = checked_damaged(damaged)
        self._damaged_paths: set[Path] = set()
        super().__init__(
            root,
            split,
            encoder,
            classes=classes,
            recordings=recordings,
            subject_names=subject_names,
            cache=cache,
        )

    def _reading(self, sample: int) -> dict[str, Any]:
        one = self.recordings[sample]
        return {
            "frame_size": self.frame_size,
            "noise": 0 if self.encoder is None else self._noise_stream(one),
            "decoder": decoder_version(),
        }

    def _may_keep(self, sample: int) -> bool:
        # A warning must come again with each reading.
        return self.recordings[sample].path not in self._damaged_paths

    def _video(self, one: Recording) -> Video:
        return Video(
            one.path,
            start=one.start or 0,
            stop=one.stop,
            frame_size=self.frame_size,
            damaged=self.damaged,
        )

    def _noise_stream(self, one: Recording) -> int:
        """Return a number for cameras with noise, the same in any split and folder."""
        return zlib.crc32(f"{one.path.name} {one.start} {one.stop}".encode())

    def _sensor_events(self, sample: int) -> SensorEvents:
        one = self.recordings[sample]
        with self._video(one) as video:
            camera = EventCamera(video.height, video.width, noise_rate=0.0)
            events = record_frames(camera, video)
            self._remember(video)
        return events

    def _look_at(self, sample: int) -> tuple[int, int]:
        with self._video(self.recordings[sample]) as video:
            for _ in video:
                pass
            return video.height, video.width

    def _remember(self, video: Video) -> None:
        if not video.is_sound:
            self._damaged_paths.add(video.path)

    def _encoded(self, sample: int) -> Events:
        stream: Any = getattr(self.encoder, "encode_stream", None)
        if stream is None:
            return super()._encoded(sample)
        one = self.recordings[sample]
        with self._video(one) as video:
            try:
                events, _ = stream(video, sample=self._noise_stream(one))
            except ShapeError as error:
                raise FormatError(
                    f"{one.path}: {error} Give frame_size=(rows, columns) to scale frames."
                ) from None
            self._remember(video)
        if not isinstance(events, Events):
            raise ParameterError(f"encoder must return Events; got {kind_of(events)}.")
        return events


def video_files(root: str | os.PathLike[str]) -> list[Path]:
    """Return the video files below a folder; FormatError where there is no such folder."""
    if not Path(root).is_dir():
        raise FormatError(f"{root}: no such folder.")
    return [path for path in files_below(root) if path.suffix.lower() in VIDEO_SUFFIXES]


def quick_faults(paths: Sequence[Path], root: Path) -> tuple[Problem, ...]:
    """Look at the first and last bytes of video files, and say which ones cannot be whole.

    Parameters
    ----------
    paths : sequence of Path
        Video files.
    root : Path
        Folder that the problems' paths are relative to.

    Returns
    -------
    tuple of Problem
        Files that are empty, cut off or of another kind.
    """
    problems = []
    for path in paths:
        name = (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
        try:
            fault = _fault(path)
        except OSError as error:
            fault = "unreadable", f"cannot be read ({error.strerror}): check its permissions"
        if fault is not None:
            problems.append(Problem(fault[0], name, fault[1]))
    return tuple(problems)


def _fault(path: Path) -> tuple[str, str] | None:
    size = path.stat().st_size
    if size == 0:
        return "truncated", "is empty: copy or unpack it again"
    suffix = path.suffix.lower()
    with path.open("rb") as file:
        head = file.read(12)
    if suffix == ".avi":
        if head[:4] != b"RIFF" or head[8:12] != b"AVI ":
            return "unreadable", "is no AVI file, whatever its name says: unpack it again"
        promised = struct.unpack("<I", head[4:8])[0] + 8
        if size < promised:
            return "truncated", f"has {size} of {promised} bytes: copy or unpack it again"
    elif suffix in (".mpg", ".mpeg"):
        if head[:4] != b"\0\0\1\xba":
            return "unreadable", "is no MPEG file, whatever its name says: unpack it again"
        if is_cut_off(path):
            return "truncated", "ends in the middle of a packet: copy or unpack it again"
    return None
