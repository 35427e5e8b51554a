"""Video files: grey frames, one after the other.

Lives here: the decoding of a file, the time of each frame and the proof that the file is whole.
Not here: pixels of a frame (`luma`), what frames become (`contrast`) and where files lie.
Invariant: one frame is in memory at a time, and a file that gives fewer frames than it promises,
or damaged ones, or no time for one, is never taken for a whole one in silence.
"""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hrsnn_rs.arguments import check_choice, check_integer, check_path
from hrsnn_rs.errors import DataWarning, FormatError, MissingDependencyError, ParameterError
from hrsnn_rs.recordings.luma import Orientation, has_luma_plane, luma_of, orientation_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import numpy as np
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


class _Shown(NamedTuple):
    """A frame, and when it begins and ends: s from the first frame of the file."""

    frame: Any
    begin: Fraction
    end: Fraction


class Video(AbstractContextManager["Video"]):
    """A video file, open for passes over its grey frames, one after the other.

    The frames are the luma plane as it is stored; what has none of 8 bits (RGB, palettes, packed
    or deeper formats) is converted to one. Where the file holds a frame over, without content
    for the next, it is given again. A file that says that it is to be shown turned by quarters of a
    circle, or mirrored, as phones do, is.

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
        (rows, columns) that upright frames of another size are scaled to. `None` means as they are.
    damaged : {"raise", "warn"}, default="raise"
        What to do where frames, or their times, are missing or damaged. "warn" gives what can be
        decoded.

    Attributes
    ----------
    height, width : int
        Size of the frames that are given.
    frame_rate : Fraction
        Frames per second, in the mean.
    n_promised : int or None
        Number of frames by the file's own header. `None`: it does not say (Matroska, and MPEG
        program streams, of which an end in the middle of a packet is noticed).
    n_frames : int
        Number of frames given so far in this pass.
    times : list of int
        When each of these begins: µs from the first one given, by the file's own clock. What its
        ticks round off from a constant rate is put back.
    duration : int
        When the last of these ends: µs from the first one given.
    is_sound : bool
        Whether nothing was found missing or damaged so far in this pass.

    Raises
    ------
    FormatError
        If the file cannot be opened, has no video or, on iteration, is short or damaged.
    ParameterError
        If an argument is wrong or, on iteration, the video is closed, or another pass has begun.
    MissingDependencyError
        If PyAV is not installed.

    Warns
    -----
    DataWarning
        With `damaged="warn"`, if the file is short or damaged.

    Examples
    --------
    >>> import av, tempfile
    >>> import numpy as np
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
    >>> video.times, video.duration
    ([0], 40000)
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
        self.path = Path(check_path("path", path))
        self._start = check_integer("start", start)
        self._stop = None if stop is None else check_integer("stop", stop, self._start + 1)
        self._frame_size = checked_frame_size(frame_size)
        self._is_strict = checked_damaged(damaged) == "raise"
        self._av = _pyav()
        # Passes begun; None once the file is closed.
        self._pass: int | None = 0
        self._open()

    def _open(self) -> None:
        self.n_frames = 0
        self.times: list[int] = []
        self.duration = 0
        self.is_sound = True
        self._held: set[int] | None = None
        self._have_luma: dict[str, bool] = {}
        if not self.path.is_file():
            raise FormatError(f"{self.path}: no such file.")
        try:
            self._container = self._av.open(
                str(self.path.absolute()),
                container_options=_CONTAINER_OPTIONS,
                # From 19 on PyAV takes any bytes without it, and does not know the word.
                **({} if _major(self._av) >= 19 else {"metadata_errors": "replace"}),
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
        self.n_promised = int(self._stream.frames) or None
        if self.n_promised and self._container.format.name.startswith("mov"):
            # An edit may leave out frames that are in the file.
            shown = sum(not entry.is_discard for entry in self._stream.index_entries)
            self.n_promised = min(self.n_promised, shown) or self.n_promised
        # Only a frame says how it is to be turned.
        self._decoder = self._container.decode(self._stream)
        self._ahead: list[Any] = []
        self._fault: Exception | None = None
        try:
            self._ahead += [next(self._decoder)]
        except StopIteration:
            pass
        except self._faults as error:
            self._fault = error
        self._orientation = Orientation()
        if self._ahead:
            self._orientation = orientation_of(self._ahead[0], self.path)
        upright = self._orientation.size(self._decoded_size)
        self.height, self.width = self._frame_size or upright

    @property
    def _faults(self) -> tuple[type[Exception], ...]:
        """What PyAV raises where data are damaged."""
        return self._av.FFmpegError, ValueError, IndexError, OSError

    def __exit__(self, *_: object) -> None:
        self._pass = None
        self._container.close()

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Begin a pass: give the frames, uint8 of shape (height, width), each valid until the next.

        A second pass opens the file anew, and ends the one before.
        """
        if self._pass is None:
            raise ParameterError(f"{self.path}: the video is closed; open it again.")
        if self._pass:
            self._container.close()
            self._open()
        self._pass += 1
        return self._frames(self._pass)

    def _frames(self, number_of_pass: int) -> Iterator[NDArray[np.uint8]]:
        begin: Fraction | None = None
        try:
            for number, (frame, begins, ends) in enumerate(self._slots()):
                if number >= self._start:
                    begin = begins if begin is None else begin
                    self.n_frames += 1
                    self.times.append(round((begins - begin) * 1_000_000))
                    self.duration = round((ends - begin) * 1_000_000)
                    yield self._luma(frame)
                    if self._pass != number_of_pass:
                        what = "is closed" if self._pass is None else "was begun anew"
                        raise ParameterError(
                            f"{self.path}: the video {what} while its frames were read; open it "
                            "once for each pass."
                        )
                if number + 1 == self._stop:
                    return
        except (FormatError, ParameterError):
            raise
        except self._faults as error:
            self._complain(f"is damaged after {self.n_frames + self._start} frames: {_said(error)}")

    def _decoded(self) -> Iterator[Any]:
        """Give what was decoded ahead, and all else."""
        if self._fault is not None:
            raise self._fault
        while self._ahead:
            yield self._ahead.pop()
        # PyAV's generator raises StopIteration through `yield from` if it is at its end already.
        while (frame := next(self._decoder, None)) is not None:
            yield frame

    def _slots(self) -> Iterator[_Shown]:
        """Decode, and put the frame before where the file holds it over."""
        before: Any = None
        first: int | None = None
        n_slots = 0
        step = 1 / self.frame_rate
        # One tick of the clock is one frame in AVI; elsewhere times need not be regular.
        counts = self._container.format.name == "avi" and self._stream.time_base == step
        last: _Shown | None = None
        for frame in self._decoded():
            if frame.is_corrupt:
                self._doubt(f"has damaged frames from {n_slots} on")
            if counts:
                if frame.pts is not None:
                    first = frame.pts if first is None else first
                    while n_slots < frame.pts - first and self._is_held(n_slots):
                        yield _Shown(before, n_slots * step, (n_slots + 1) * step)
                        n_slots += 1
                yield _Shown(frame, n_slots * step, (n_slots + 1) * step)
            else:
                if frame.pts is not None and first is None:
                    first = frame.pts - round(n_slots * step / self._stream.time_base)
                last = self._shown(frame, n_slots, first or 0, last)
                yield last
            n_slots += 1
            before = frame
        promised = self.n_promised
        while counts and promised and 0 < n_slots < promised and self._is_held(n_slots):
            yield _Shown(before, n_slots * step, (n_slots + 1) * step)
            n_slots += 1
        if n_slots == 0 or (promised is not None and n_slots < promised):
            self._complain(f"has {n_slots} of the {promised or 'expected'} frames it promises")
        elif self._stop is not None and n_slots < self._stop:
            self._complain(f"has {n_slots} of the {self._stop} frames that are asked for")
        elif self._container.format.name == "mpeg" and is_cut_off(self.path):
            self._complain("is cut off in the middle of a packet")

    def _shown(self, frame: Any, number: int, first: int, last: _Shown | None) -> _Shown:
        """Return a frame with its own time, or say that it has none."""
        tick, step = Fraction(self._stream.time_base), 1 / self.frame_rate

        before = -tick if last is None else last.begin
        begin = Fraction(0) if last is None else last.end
        if frame.pts is None:
            self._doubt(f"gives no time for frame {number}")
            return _Shown(frame, begin, begin + step)
        own = (frame.pts - first) * tick
        # Matroska counts ms: less than a tick beside a constant rate is that rate. Times of a
        # program stream are few, and FFmpeg counts on in between, in whole ticks.
        slack = max(tick, step / 50) if self._container.format.name == "mpeg" else tick
        regular = round(own / step) * step
        if abs(own - regular) < slack and regular > before:
            own = regular
        if own > before:
            begin = own
        else:
            at = f"{float(own):.6f} s, and the one before at {float(before):.6f} s"
            self._doubt(f"has frame {number} at {at}")
        shown = frame.duration * tick if frame.duration else step
        return _Shown(frame, begin, begin + (step if abs(shown - step) <= tick else shown))

    def _doubt(self, words: str) -> None:
        if self.is_sound:
            self._complain(words)

    def _is_held(self, slot: int) -> bool:
        """Say whether the file's index leaves a slot out, or has a chunk without content there."""
        if self._held is None:
            sizes = {entry.timestamp: entry.size for entry in self._stream.index_entries}
            slots = range(max(sizes, default=-1) + 1)
            self._held = {one for one in slots if sizes.get(one, 0) <= _LARGEST_HELD}
        return slot in self._held

    def _luma(self, frame: Any) -> NDArray[np.uint8]:
        number = self.n_frames + self._start - 1
        size = (frame.height, frame.width)
        if size != self._decoded_size:
            before = "{} x {}".format(*self._decoded_size)
            raise FormatError(
                f"{self.path}: frame size changes from {before} to {size[0]} x {size[1]} at "
                f"frame {number}."
            )
        if orientation_of(frame, self.path) != self._orientation:
            raise FormatError(f"{self.path}: the side that is up changes at frame {number}.")
        name = frame.format.name
        if name not in self._have_luma:
            self._have_luma[name] = has_luma_plane(frame.format)
        stored = self._orientation.size((self.height, self.width))
        return self._orientation.turned(luma_of(frame, stored, self._have_luma[name]))

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


def _major(av: Any) -> int:
    return int(av.__version__.partition(".")[0])


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
        check_integer(f"frame_size[{place}]", value, 1, 2**12 - 1)
        for place, value in enumerate(frame_size)
    )
    return rows, columns


def checked_damaged(damaged: Any) -> str:
    """Return what to do with damaged files, or say what is wrong."""
    return check_choice("damaged", damaged, ("raise", "warn"))
