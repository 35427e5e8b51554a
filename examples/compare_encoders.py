"""Temporal contrast beside frame difference, on a video of yours or on made-up gestures.

    python examples/compare_encoders.py clip.avi --output encoders.png
    python examples/compare_encoders.py --output docs/encoders.png

Prints a table and draws where and when the events are. Without a clip it renders one of the
gestures of `hrsnn demo`, at 25 frames per second, so that nobody's recording is needed. Needs
the extras `plot` and, for a clip of yours, `video`.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hrsnn_rs import EventCamera, EventEncoder, Events, FrameDifference, TemporalContrast
from hrsnn_rs.made_up import CLASSES, render
from hrsnn_rs.recordings import Video
from numpy.typing import NDArray

THRESHOLDS = (0.1, 0.2, 0.4)
# Pixels of a square of the frame difference, and of the field of a channel of the camera.
SIDE = 4


def made_up(gesture: str, rate: int = 25, size: int = 128) -> NDArray[np.uint8]:
    """Render a gesture as a video camera would record it: few frames, luma of 8 bits."""
    light, _ = render(CLASSES.index(gesture), 0, 0, seed=0, size=size, duration=2_000_000)
    # Luma follows light by a power law, so that dark shades keep their steps.
    luma: NDArray[np.uint8] = (16 + 219 * light[:: 250 // rate] ** (1 / 2.2)).astype(np.uint8)
    return luma


def encoders(height: int, width: int) -> Iterator[tuple[str, Any, tuple[int, int]]]:
    """Give names, encoders and shapes of their channels."""
    shape = (-(-height // SIDE), -(-width // SIDE))
    for threshold in THRESHOLDS:
        camera = EventCamera(
            height, width, threshold_on=threshold, threshold_off=threshold, noise_rate=0.0
        )
        # Numbers a second are of the whole clip, also before anything moves.
        encoder = TemporalContrast(camera, EventEncoder(height, width, size=shape, start="zero"))
        yield f"temporal contrast {threshold}", encoder, shape
    for threshold in THRESHOLDS:
        encoder = FrameDifference(height, width, pool=SIDE, threshold=threshold, start="zero")
        yield f"frame difference {threshold}", encoder, shape


def row(name: str, events: Events, n_frames: int, seconds: float) -> str:
    """Describe what an encoder made of the clip."""
    n_times = len(np.unique(events.t))
    n_active = len(np.unique(events.channel))
    return (
        f"{name:<24}{len(events):>9}{len(events) / (events.duration / 1e6):>11.0f}"
        f"{n_times:>8}{n_active / events.n_channels:>9.0%}{n_frames / seconds:>10.0f}"
    )


def draw(found: dict[str, tuple[Events, tuple[int, int]]], output: Path) -> None:
    """Draw for each encoder where its events are, and when."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        2, len(found), figsize=(2.2 * len(found), 4.0), height_ratios=(2.2, 1), squeeze=False
    )
    for column, (name, (events, shape)) in enumerate(found.items()):
        where = np.bincount(events.channel, minlength=events.n_channels)
        where = where.reshape(-1, *shape).sum(axis=0)
        axes[0, column].imshow(np.sqrt(where), cmap="magma")
        axes[0, column].set_title(f"{name}\n{len(events):,} events", fontsize=8)
        axes[0, column].set_xticks([])
        axes[0, column].set_yticks([])
        middle = events.duration // 2_000
        axes[1, column].hist(events.t / 1000, bins=range(middle - 100, middle + 100, 2))
        axes[1, column].set_xlabel("time (ms)", fontsize=8)
        axes[1, column].tick_params(labelsize=7)
    axes[1, 0].set_ylabel("events in 2 ms", fontsize=8)
    figure.tight_layout()
    # Few colours are enough, and keep the file small.
    figure.savefig(output, dpi=80, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    """Encode, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", help="video file (default: a made-up gesture)")
    parser.add_argument("--gesture", default="right_arm_clockwise", choices=CLASSES)
    parser.add_argument("--output", type=Path, metavar="PNG", help="picture to write")
    arguments = parser.parse_args()
    if arguments.clip is None:
        frames, rate = made_up(arguments.gesture), 25
        clock = {"frame_rate": rate}
    else:
        with Video(arguments.clip) as video:
            frames = np.array([frame.copy() for frame in video])
            rate, clock = video.frame_rate, {"times": video.times}
    print(
        f"{len(frames)} frames of {frames.shape[1]} x {frames.shape[2]}, {float(rate):g} a second"
    )
    header = f"{'':<24}{'events':>9}{'per s':>11}{'times':>8}{'active':>9}{'frames/s':>10}"
    print(header)
    found = {}
    for name, encoder, shape in encoders(*frames.shape[1:]):
        start = time.perf_counter()
        events, _ = encoder.encode_stream(frames, **clock)
        print(row(name, events, len(frames), time.perf_counter() - start))
        found[name] = (events, shape)
    if arguments.output is not None:
        draw(found, arguments.output)
        print(f"Picture: {arguments.output}")


if __name__ == "__main__":
    main()
