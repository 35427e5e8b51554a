"""Video files that tests write: real containers and codecs, made-up pictures.

Data sets are written with their official numbers of files, all links to a few small clips.
"""

import os
import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

CODECS = {".avi": "mpeg4", ".mpg": "mpeg1video", ".mp4": "mpeg4", ".mkv": "mpeg4"}


def moving_square(
    n_frames: int, height: int, width: int, seed: int = 0, step: int = 3
) -> NDArray[np.uint8]:
    """A bright square on a fixed pattern, `step` pixels further in each frame."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(40, 90, (height // 8 + 1, width // 8 + 1), dtype=np.uint8)
    ground = np.kron(ground, np.ones((8, 8), np.uint8))[:height, :width]
    frames = np.repeat(ground[None], n_frames, axis=0)
    side, row = height // 4, int(rng.integers(0, height // 2))
    for number in range(n_frames):
        column = (number * step) % (width - side)
        frames[number, row : row + side, column : column + side] = 220
    return frames


def write_video(
    path: Path,
    frames: NDArray[np.uint8],
    *,
    rate: Any = 25,
    codec: str | None = None,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    times: Iterable[int] | None = None,
) -> Path:
    """Write grey frames (n, height, width) as a file of the kind that its ending names.

    Parameters
    ----------
    times : iterable of int, default=None
        When each frame is, in ms; `None` means one after the other at `rate`.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec or CODECS[path.suffix.lower()], rate=rate)
        stream.height, stream.width = frames.shape[1:]
        stream.pix_fmt = pixels
        stream.options = options or {}
        stream.codec_context.thread_count = 1
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        moments = None if times is None else list(times)
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, "gray").reformat(format=pixels)
            if moments is not None:
                picture.time_base, picture.pts = Fraction(1, 1000), moments[number]
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def set_display_matrix(path: Path, a: float, b: float, c: float, d: float) -> None:
    """Say in an MP4 or MOV file that a point (x, y) is to be shown at (a x + c y, b x + d y)."""
    data = bytearray(path.read_bytes())
    header = data.index(b"tkhd")
    place = header + (56 if data[header + 4] else 44)
    numbers = (round(number * 2**16) for number in (a, b, 0, c, d, 0, 0, 0, 2**14))
    data[place : place + 36] = struct.pack(">9i", *numbers)
    path.write_bytes(data)


def chunks_of_avi(data: bytes) -> tuple[bytes, list[bytes]]:
    """Everything before the list of chunks of an AVI file, and the chunks."""
    begin = data.index(b"movi")
    place, chunks = begin + 4, []
    while data[place : place + 4] == b"00dc":
        (size,) = struct.unpack("<I", data[place + 4 : place + 8])
        chunks.append(data[place + 8 : place + 8 + size])
        place += 8 + size + size % 2
    return data[12 : begin - 8], chunks


def avi_of_chunks(head: bytes, chunks: list[bytes]) -> bytes:
    """An AVI file with an index of its chunks; the first one alone is a key frame."""
    movi, index = b"movi", b""
    for number, chunk in enumerate(chunks):
        index += b"00dc" + struct.pack("<III", 0x10 * (number == 0), len(movi), len(chunk))
        movi += b"00dc" + struct.pack("<I", len(chunk)) + chunk + b"\0" * (len(chunk) % 2)
    body = b"AVI " + head + b"LIST" + struct.pack("<I", len(movi)) + movi
    body += b"idx1" + struct.pack("<I", len(index)) + index
    return b"RIFF" + struct.pack("<I", len(body)) + body


def link_all(clip: Path, targets: Iterable[Path]) -> None:
    """Let each target be the clip, as a hard link where the file system has them."""
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(clip, target)
