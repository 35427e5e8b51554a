"""Damaged video files: an error of ours or every frame that was promised, and never a long wait.

What is promised: an AVI or MP4 file says itself how many frames it has; of an MPEG stream the
test knows it. One that breaks off exactly between two packets is the one thing that nobody can
tell from a whole one; such are counted as "open end".
"""

import random
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hrsnn_rs.errors import FormatError
from hrsnn_rs.recordings.video import Video
from video_files import moving_square, write_video

N_FRAMES = 40
FORMATS = {
    "mpeg4.avi": {"codec": "mpeg4"},
    "msmpeg4.avi": {"codec": "msmpeg4"},
    "mjpeg.avi": {"codec": "mjpeg", "pixels": "yuvj420p"},
    "raw.avi": {"codec": "rawvideo", "pixels": "gray"},
    "mpeg1.mpg": {"codec": "mpeg1video"},
    "mpeg2.mpg": {"codec": "mpeg2video"},
    "mpeg4.mp4": {"codec": "mpeg4"},
}


def mutant(data: bytes, rng: random.Random) -> bytes:
    """One of the ways in which files get damaged: cut, flipped, overwritten, lost, doubled."""
    out = bytearray(data)
    place = rng.randrange(len(out))
    kind = rng.randrange(7)
    if kind == 0:
        del out[place:]
    elif kind == 1:
        for _ in range(rng.choice((1, 1, 3, 30))):
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    elif kind == 2:
        for _ in range(rng.choice((1, 4, 16))):
            out[rng.randrange(len(out))] = rng.choice((0, 1, 127, 128, 255))
    elif kind == 3:
        del out[place : place + rng.choice((1, 2, 7, 100, 3000))]
    elif kind == 4:
        n = rng.choice((4, 512, 4096))
        out[place : place + n] = bytes(min(n, len(out) - place))
    elif kind == 5:
        out[place:place] = out[place : place + rng.choice((1, 8, 900))]
    else:  # the head, where sizes and rates stand
        place = rng.randrange(min(400, len(out)))
        out[place : place + 4] = rng.choice(
            (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", rng.randbytes(4))
        )
    return bytes(out)


def outcome(path: Path, seconds: list[float]) -> str:
    """What became of one file; anything but an error of ours goes through."""
    # Of this process alone: others may keep it waiting.
    start = time.process_time()
    n_frames, promised = 0, None
    try:
        with Video(path) as video:
            promised = video.n_promised
            for frame in video:
                assert frame.dtype == np.uint8
                assert frame.shape == (video.height, video.width)
                n_frames += 1
    except FormatError as error:
        return "refused" if str(error).startswith(str(path)) else f"unnamed: {error}"
    finally:
        seconds.append(time.process_time() - start)
    if n_frames >= N_FRAMES:
        return "whole"
    if promised is not None:
        # The damage may have hit the promise itself.
        return "promises fewer" if n_frames >= promised else "short"
    return "open end"


def outcomes(folder: Path, name: str, n_mutants: int, seed: int) -> tuple[Counter, list[float]]:
    options = FORMATS[name]
    path = folder / name
    frames = moving_square(N_FRAMES, 48, 64, step=2)
    data = write_video(path, frames, **options).read_bytes()
    counts, seconds = Counter(), []
    rng = random.Random(f"{name} {seed}")
    assert outcome(path, seconds) == "whole"
    for _ in range(n_mutants):
        path.write_bytes(mutant(data, rng))
        counts[outcome(path, seconds)] += 1
    return counts, seconds


def check(counts: Counter, seconds: list[float], n_mutants: int) -> None:
    assert counts.total() == n_mutants
    assert set(counts) <= {"refused", "whole", "promises fewer", "open end"}
    assert counts["refused"] > n_mutants // 4
    assert counts["open end"] <= n_mutants // 50
    assert max(seconds) < 1.0


@pytest.mark.parametrize("name", FORMATS)
def test_some_mutants(tmp_path, name):
    counts, seconds = outcomes(tmp_path, name, 60, seed=0)
    check(counts, seconds, 60)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_ten_thousand_mutants(tmp_path, name):
    counts, seconds = outcomes(tmp_path, name, 10_000, seed=1)
    print(f"\n{name}: {dict(counts)}, longest {max(seconds):.3f} s")
    check(counts, seconds, 10_000)
