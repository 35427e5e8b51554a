"""Frames per second: video into luma and into events, beside OpenCV, and from the cache.

    python -m venv /tmp/bench && /tmp/bench/bin/pip install . av opencv-python-headless
    /tmp/bench/bin/python benches/runs/video.py [CLIP ...]

All are measured in one process, one after the other, over and over, and the median of each is
shown with its spread; OpenCV and FFmpeg have one thread each. Without clips, made-up ones of the
sizes of KTH (160 x 120, MPEG-4) and UCF (320 x 240, MPEG-4 and MPEG-1) are written.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;1"  # read at the first import
import cv2
import numpy as np
from hrsnn_rs import EventCamera, EventEncoder, FrameDifference, TemporalContrast
from hrsnn_rs.datasets.video_folder import VideoFolder
from hrsnn_rs.recordings.cache import EventCache
from hrsnn_rs.recordings.video import Video
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tests" / "support"))
from video_files import moving_square, write_video

N_FRAMES = 300


def decode(path: Path) -> int:
    """Ours: the luma plane as it is."""
    with Video(path) as video:
        return sum(1 for _ in video)


def opencv_frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """What a user of OpenCV writes: decode to BGR, convert to grey."""
    capture = cv2.VideoCapture(str(path))
    while True:
        found, frame = capture.read()
        if not found:
            break
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    capture.release()


def opencv_decode(path: Path) -> int:
    return sum(1 for _ in opencv_frames(path))


def opencv_difference(path: Path, pool: int = 5, threshold: int = 20) -> int:
    """A frame difference of OpenCV alone: absolute difference, largest of squares, threshold."""
    before, n_events = None, 0
    kernel = np.ones((pool, pool), np.uint8)
    for frame in opencv_frames(path):
        if before is not None:
            largest = cv2.dilate(cv2.absdiff(frame, before), kernel)[::pool, ::pool]
            n_events += np.count_nonzero(largest > threshold)
        before = frame
    return n_events


def measure(path: Path, folder: Path, n_rounds: int) -> None:
    with Video(path) as video:
        height, width = video.height, video.width
        n_frames = sum(1 for _ in video)
    difference = FrameDifference(height, width)
    contrast = TemporalContrast(
        EventCamera(height, width, noise_rate=0.0), EventEncoder(height, width)
    )

    def encode(encoder: FrameDifference | TemporalContrast) -> int:
        with Video(path) as video:
            return len(encoder.encode_stream(video)[0])

    link = folder / path.stem / "class" / path.name
    link.parent.mkdir(parents=True)
    link.symlink_to(path.absolute())
    cache = folder / path.stem / "cache"

    def cached(encoder: FrameDifference | TemporalContrast) -> int:
        # A new object each time: nothing is remembered in memory.
        samples = VideoFolder(link.parent.parent, encoder=encoder, cache=EventCache(cache))
        return len(samples[0][0])

    ways: dict[str, Callable[[], int]] = {
        "decode": lambda: decode(path),
        "decode, OpenCV": lambda: opencv_decode(path),
        "frame difference": lambda: encode(difference),
        "frame difference, OpenCV": lambda: opencv_difference(path),
        "OpenCV + our frame difference": lambda: len(
            difference.encode_stream(opencv_frames(path), frame_rate=25)[0]
        ),
        "temporal contrast": lambda: encode(contrast),
        "OpenCV + our temporal contrast": lambda: len(
            contrast.encode_stream(opencv_frames(path), frame_rate=25)[0]
        ),
        "frame difference, cached": lambda: cached(difference),
        "temporal contrast, cached": lambda: cached(contrast),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()  # the first pass fills the caches, ours and the system's
    for _ in range(n_rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    print(f"\n{path.name}: {n_frames} frames of {height} x {width}")
    for name, taken in seconds.items():
        low, middle, high = np.quantile(taken, [0.25, 0.5, 0.75])
        print(
            f"  {name:<32}{n_frames / middle:>10,.0f} frames/s"
            f"   ({n_frames / high:,.0f} to {n_frames / low:,.0f})"
        )
    for ours, theirs in [
        ("decode", "decode, OpenCV"),
        ("frame difference", "frame difference, OpenCV"),
        ("temporal contrast", "OpenCV + our temporal contrast"),
        ("frame difference, cached", "frame difference"),
        ("temporal contrast, cached", "temporal contrast"),
    ]:
        pairs = zip(seconds[theirs], seconds[ours], strict=True)
        ratio = statistics.median(other / own for other, own in pairs)
        print(f"  {ours} is {ratio:.1f} times as fast as {theirs}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", type=Path, help="video files (default: made up)")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = arguments.clips or [
            write_video(folder / "kth.avi", moving_square(N_FRAMES, 120, 160, step=1)),
            write_video(folder / "ucf.avi", moving_square(N_FRAMES, 240, 320, step=1)),
            write_video(folder / "ucf11.mpg", moving_square(N_FRAMES, 240, 320, step=1)),
        ]
        for clip in clips:
            measure(clip, folder, arguments.rounds)


if __name__ == "__main__":
    main()
