"""Video files: grey frames, one after the other.

Lives here: the decoding of a file and the proof that it is whole. Not here: what frames become
(`contrast`) and where files lie. Invariant: one frame is in memory at a time, and a file that
gives fewer frames than it promises, or damaged ones, is never taken for a whole one in silence.
"""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.errors import DataWarning, FormatError, MissingDependencyError, ParameterError
from hrsnn_rs.events.columns import whole_number

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["VIDEO_SUFFIXES", "Video"]

VIDEO_SUFFIXES = frozenset({".avi", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm"})
"""Endings of files that are taken for video, in lower case."""

# Only plain containers: a playlist could name other files, or other computers.
_CONTAINER_OPTIONS = {
    "format_whitelist": "avi,matroska,mov,mpeg,mpegts",
    "protocol_whitelist": "file",
}
# A damaged header may claim any size: 2^24 pixels are 4096 x 4096.
_MAX_PIXELS = 2**24
# Otherwise FFmpeg paints over what it cannot decode.
_STRICT = "crccheck+bitstream+buffer+explode"
# A chunk without content, or an MPEG-4 picture "not coded": the frame before stays.
_LARGEST_HELD = 8
# Of an MPEG program stream: start of a pack, end of all, and what 16 bits can say.
_PACK_START, _PROGRAM_END = b"\0\0\1\xba", b"\0\0\1\xb9"
_LARGEST_PACKET = 2**16 + 6


class Video(AbstractContextManager["Video"]):
    """A video file, open for one pass over its grey frames.

    The frames are the luma plane as it is stored; what has none of 8 bits (RGB, palettes, packed
    or deeper formats) is converted to one. Where the file holds a frame over, without content
    for the next, it is given again.

    Parameters
    ----------
    path : str or path-like
        The file.
    start : int, default=0
        First frame that is given; those before are decoded all the same.
    stop : int, default=None
        First frame that is not given any more. `None` means all, which alone proves that the
        whole file is sound.
    frame_size : tuple of int, default=None
        (rows, columns) that frames of another size are scaled to. `None` means as they are.
    damaged : {"raise", "warn"}, default="raise"
        What to do where frames are missing or damaged. "warn" gives what can be decoded.

    Attributes
    ----------
    height, width : int
        Size of the frames that are given.
    frame_rate : Fraction
        Frames per second.
    n_promised : int or None
        Number of frames by the file's own header. `None`: it does not say (MPEG program streams,
        of which only gaps and an end in the middle of a packet are noticed).
    n_frames : int
        Number of frames given so far.
    is_sound : bool
        Whether nothing was found missing or damaged so far.

    Raises
    ------
    FormatError
        If the file cannot be opened, has no video or, on iteration, is short or damaged.
    ParameterError
        If an argument is out of range.
    MissingDependencyError
        If PyAV is not installed.

    Warns
    -----
    DataWarning
        For `damaged="warn"`, where frames are missing or damaged.

    Examples
    --------
    >>> import av, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "still.avi"
    ...     with av.open(str(path), "w") as container:
    ...         stream = container.add_stream("mpeg4", rate=25, width=64, height=48)
    ...         frame = av.VideoFrame.from_ndarray(np.full((48, 64), 80, np.uint8), "gray")
    ...         for packet in [*stream.encode(frame.reformat(format="yuv420p")), *stream.encode()]:
    ...             container.mux(packet)
    ...     with Video(path) as video:
    ...         shapes = [frame.shape for frame in video]
    >>> shapes, video.n_promised, video.frame_rate
    ([(48, 64)], 1, Fraction(25, 1))
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        start: int = 0,
        stop: int | None = None,
        frame_size: tuple[int, int] | None = None,
        damaged: str = "raise",
    ) -> None:
        self.path = Path(path)
        self._start = whole_number(start, "start")
        self._stop = None if stop is None else whole_number(stop, "stop", low=self._start + 1)
        self._frame_size = checked_frame_size(frame_size)
        self._is_strict = checked_damaged(damaged) == "raise"
        self.n_frames = 0
        self.is_sound = True
        self._held: set[int] | None = None
        self._have_luma: dict[str, bool] = {}
        self._av = _pyav()
        if not self.path.is_file():
            raise FormatError(f"{self.path}: no such file.")
        try:
            self._container = self._av.open(
                str(self.path.absolute()),
                container_options=_CONTAINER_OPTIONS,
                metadata_errors="replace",
            )
        except (self._av.FFmpegError, ValueError, OSError) as error:
            raise FormatError(f"{self.path}: cannot be read as video: {_said(error)}.") from None
        try:
            self._describe()
        except BaseException:
            self._container.close()
            raise

    def _describe(self) -> None:
        if not self._container.streams.video:
            raise FormatError(f"{self.path}: there is no video in it.")
        self._stream = self._container.streams.video[0]
        codec = self._stream.codec_context
        if codec is None:
            raise FormatError(f"{self.path}: its video has no known codec.")
        # Clips are small, and several processes may read at a time.
        codec.thread_count = 1
        codec.options = {"max_pixels": str(_MAX_PIXELS)}
        if self._is_strict:
            codec.options |= {"err_detect": _STRICT}
        height, width = int(codec.height), int(codec.width)
        rate = self._stream.average_rate or self._stream.guessed_rate
        if not (height > 0 and width > 0 and height * width <= _MAX_PIXELS):
            raise FormatError(f"{self.path}: has frames of {height} x {width} pixels.")
        if not rate or not Fraction(1, 10) <= rate <= 10_000:
            raise FormatError(f"{self.path}: has {rate} frames per second.")
        self.frame_rate = Fraction(rate)
        self._decoded_size: tuple[int, int] = (height, width)
        self.height, self.width = self._frame_size or self._decoded_size
        self.n_promised = int(self._stream.frames) or None

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Give the frames, uint8 of shape (height, width), each valid until the next."""
        try:
            for number, frame in enumerate(self._slots()):
                if number >= self._start:
                    self.n_frames += 1
                    yield self._luma(frame)
                if number + 1 == self._stop:
                    return
        except FormatError:
            raise
        except (self._av.FFmpegError, ValueError, IndexError, OSError) as error:
            self._complain(f"is damaged after {self.n_frames + self._start} frames: {_said(error)}")

    def _slots(self) -> Iterator[Any]:
        """Decode, and put the frame before where the file holds it over."""
        before: Any = None
        first = last = None
        n_slots = 0
        # One tick of the clock is one frame in AVI; elsewhere times need not be regular.
        counts = self._stream.time_base == 1 / self.frame_rate
        for frame in self._container.decode(self._stream):
            if frame.is_corrupt and self.is_sound:
                self._complain(f"has damaged frames from {n_slots} on")
            if frame.pts is not None:
                first = frame.pts if first is None else first
                last = frame.pts
                while counts and n_slots < last - first and self._is_held(n_slots):
                    n_slots += 1
                    yield before
            n_slots += 1
            yield frame
            before = frame
        promised = self.n_promised
        while promised and 0 < n_slots < promised and self._is_held(n_slots):
            n_slots += 1
            yield before
        if promised is None and first is not None and last is not None:
            # The file does not say how many, but its clock says what is missing in between.
            promised = round((last - first) * self._stream.time_base * self.frame_rate) + 1
        if n_slots == 0 or (promised is not None and n_slots < promised):
            self._complain(f"has {n_slots} of the {promised or 'expected'} frames it promises")
        elif self._stop is not None and n_slots < self._stop:
            self._complain(f"has {n_slots} of the {self._stop} frames that are asked for")
        elif self._container.format.name == "mpeg" and is_cut_off(self.path):
            self._complain("is cut off in the middle of a packet")

    def _is_held(self, slot: int) -> bool:
        """Say whether the file's index leaves a slot out, or has a chunk without content there."""
        if self._held is None:
            sizes = {entry.timestamp: entry.size for entry in self._stream.index_entries}
            slots = range(max(sizes, default=-1) + 1)
            self._held = {one for one in slots if sizes.get(one, 0) <= _LARGEST_HELD}
        return slot in self._held

    def _luma(self, frame: Any) -> NDArray[np.uint8]:
        size = (frame.height, frame.width)
        if size != self._decoded_size:
            before = "{} x {}".format(*self._decoded_size)
            raise FormatError(
                f"{self.path}: frame size changes from {before} to {size[0]} x {size[1]} at "
                f"frame {self.n_frames + self._start - 1}."
            )
        pixels = frame.format
        has_luma = self._have_luma.get(pixels.name)
        if has_luma is None:
            has_luma = self._have_luma[pixels.name] = _has_luma_plane(pixels)
        if size != (self.height, self.width) or not has_luma:
            # Luma keeps the range in which it is stored; other formats get the usual one.
            target, span = (pixels.name, None) if has_luma else ("yuv420p", "MPEG")
            frame = frame.reformat(self.width, self.height, target, dst_color_range=span)
        plane = frame.planes[0]
        # The view keeps the plane alive; the decoder still needs it unchanged.
        padded = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        luma = padded[: self.height, : self.width]
        luma.flags.writeable = False
        return luma

    def _complain(self, words: str) -> None:
        self.is_sound = False
        if self._is_strict:
            raise FormatError(f"{self.path}: {words}; damaged='warn' takes what there is.")
        warnings.warn(f"{self.path}: {words}.", DataWarning, stacklevel=3)


def is_cut_off(path: Path) -> bool:
    """Say whether an MPEG program stream ends in the middle of a packet.

    Such a stream does not say how long it is; but where its last packet would end, it does.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2 * _LARGEST_PACKET))
        tail = file.read()
    place = tail.rfind(_PACK_START)
    while 0 <= place < len(tail):
        code = tail[place : place + 4]
        if not code.startswith(b"\0\0\1"[: len(code)]):
            return False  # padding, or something of which nothing is known
        if code == _PACK_START:
            # MPEG-2 has two bits 01 there, and says how much stuffing follows.
            is_second = tail[place + 4 : place + 5] >= b"\x40"
            stuffing = tail[place + 13] & 7 if is_second and place + 13 < len(tail) else 0
            place += 14 + stuffing if is_second else 12
        elif code == _PROGRAM_END:
            return False
        else:
            place += 6 + int.from_bytes(tail[place + 4 : place + 6], "big")
    return place != len(tail) and place >= 0


def _has_luma_plane(pixels: Any) -> bool:
    """Say whether plane 0 holds luma of 8 bits and nothing else."""
    first = pixels.components[0]
    is_grey = len(pixels.components) == 1 and pixels.name != "pal8"
    return (
        not pixels.is_rgb
        and first.plane == 0
        and first.bits == 8
        and (is_grey or all(other.plane > 0 for other in pixels.components[1:]))
    )


def _said(error: BaseException) -> str:
    # Without the number and the path, which FFmpeg puts around its words.
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _pyav() -> Any:
    try:
        import av
    except ImportError:
        raise MissingDependencyError('video needs PyAV: pip install "hrsnn_rs[video]"') from None
    return av


def decoder_version() -> str:
    """Return the version of PyAV, whose FFmpeg decides about pixels."""
    return str(_pyav().__version__)


def checked_frame_size(frame_size: Any) -> tuple[int, int] | None:
    """Return (rows, columns), or `None`, or say what is wrong."""
    if frame_size is None:
        return None
    if not isinstance(frame_size, (tuple, list)) or len(frame_size) != 2:
        raise ParameterError(f"frame_size must be (rows, columns); got {frame_size!r}.")
    rows, columns = (
        whole_number(value, f"frame_size[{place}]", low=1, below=2**12)
        for place, value in enumerate(frame_size)
    )
    return rows, columns


def checked_damaged(damaged: Any) -> str:
    """Return what to do with damaged files, or say what is wrong."""
    if damaged not in ("raise", "warn"):
        raise ParameterError(f"damaged must be 'raise' or 'warn'; got {damaged!r}.")
    return str(damaged)
