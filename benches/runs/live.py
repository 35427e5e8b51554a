"""A classifier on a stream: the same scores for all chunks, latency, and the pace it keeps up with.

    HRSNN_DATA=/path/to/data python benches/runs/live.py

`HRSNN_DATA` has a folder `dvs128_gesture` with recorded clips, an npz each. A classifier is fitted
to both halves of each. One clip is streamed in chunks of 1, 10 and 33 ms, whose scores must be the
same bits. Then recordings are laid over each other, each shifted in time, until the wanted number
of events a second is reached, for ten seconds, and streamed in chunks of 10 ms. A chunk's latency
runs from the end of its 10 ms to the end of the work on it, waiting for the chunk before included.
It keeps up where no chunk of the last second is more than 50 ms late. Both are told by the clock
and, since others may be at work on the machine, by the time of the processor that it took.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
from hrsnn_rs import EventEncoder, HRSNNClassifier, SensorEvents, TrackingEncoder
from numpy.typing import NDArray

SIDE, CHUNK, SECONDS = 128, 10_000, 10
ENCODERS = {
    "whole sensor": EventEncoder(SIDE, SIDE),
    "whole sensor, dead time 5 ms": EventEncoder(SIDE, SIDE, dead_time=5.0),
    "causal tracking": TrackingEncoder(SIDE, SIDE),
}
PACES = (0.06, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
Columns = tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint8]]


def recordings(folder: Path) -> list[SensorEvents]:
    found = []
    for path in sorted(folder.glob("[0-9]*.npz")):
        with np.load(path, allow_pickle=False) as file:
            found.append(
                SensorEvents(file["t"], file["x"], file["y"], file["p"], SIDE, SIDE, 1_450_000)
            )
    return found


def part(events: SensorEvents, start: int, end: int) -> SensorEvents:
    inside = slice(*np.searchsorted(events.t, [start, end]))
    columns = (column[inside] for column in (events.t, events.x, events.y, events.p))
    t, x, y, p = columns
    return SensorEvents(t - start, x, y, p, SIDE, SIDE, end - start)


def busy_scene(clips: list[SensorEvents], pace: float) -> Columns:
    """So many million events a second: recordings one over the other, none as another began."""
    n, random = round(pace * 1e6 * SECONDS), np.random.default_rng(0)
    layers, n_before = [], 0
    while n_before < n:
        clip = clips[len(layers) % len(clips)]
        shift = int(random.integers(0, clip.duration))
        times = [
            clip.t + shift + k * clip.duration
            for k in range(-1, 1_000_000 * SECONDS // clip.duration + 1)
        ]
        t = np.concatenate(times)
        inside = (t >= 0) & (t < SECONDS * 1_000_000)
        others = [np.tile(column, len(times))[inside] for column in (clip.x, clip.y, clip.p)]
        layers.append((t[inside], *others))
        n_before += int(inside.sum())
    t, x, y, p = (np.concatenate(column) for column in zip(*layers, strict=True))
    chosen = np.sort(random.permutation(len(t))[:n])
    order = chosen[np.argsort(t[chosen], kind="stable")]
    return t[order], x[order], y[order], p[order]


def pushed(classifier: HRSNNClassifier, columns: Columns, chunk: int) -> tuple[list, NDArray]:
    """Scores, and what each chunk took, s: by the clock, and of the processor."""
    stream, scores, took = classifier.stream(), [], []
    end = int(columns[0][-1]) + 1
    for start in range(int(columns[0][0]), end, chunk):
        inside = slice(*np.searchsorted(columns[0], [start, start + chunk]))
        piece = tuple(column[inside] for column in columns)
        begin = time.perf_counter(), time.process_time()
        scores += stream.push(piece, until=start + chunk)
        took.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
    return scores, np.array(took).T


def latencies(took: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the end of each chunk's time to the end of its work."""
    late, found = 0.0, []
    for seconds in took:
        late = max(late - CHUNK / 1e6, 0.0) + seconds
        found.append(late)
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--paces", type=float, nargs="+", default=PACES)
    arguments = parser.parse_args()
    clips = recordings(Path(os.environ["HRSNN_DATA"], "dvs128_gesture"))
    halves = [part(clip, start, start + 725_000) for clip in clips for start in (0, 725_000)]
    labels = np.repeat(np.arange(len(clips)), 2)
    for name, encoder in ENCODERS.items():
        classifier = HRSNNClassifier(encoder=encoder).fit(halves, labels)
        clip = clips[2]
        columns = (clip.t, clip.x, clip.y, clip.p)
        bits = []
        for chunk in (1000, 10_000, 33_000):
            scores, _ = pushed(classifier, columns, chunk)
            bits.append([(s.t, s.decision.tobytes()) for s in scores if s.t < clip.t[-1]])
        assert bits[0] == bits[1] == bits[2]
        print(f"{name}: {len(bits[0])} scores, the same bits in chunks of 1, 10 and 33 ms")
        for pace in arguments.paces:
            scores, took = pushed(classifier, busy_scene(clips, pace), CHUNK)
            passed_on = scores[-1].n_events / SECONDS / 1e6
            print(f"  {pace:5.2f} M events/s ({passed_on:.2f} passed on)")
            for what, seconds in zip(("clock", "processor"), took, strict=True):
                late = latencies(seconds)
                keeps_up = late[-100:].max() < 0.05
                print(
                    f"    {what:<9}: {1e3 * np.median(seconds):6.2f} ms a chunk, p99 "
                    f"{1e3 * np.quantile(seconds, 0.99):6.2f}; latency p99 "
                    f"{1e3 * np.quantile(late, 0.99):7.1f} ms; busy {seconds.sum() / SECONDS:.2f}"
                    + ("" if keeps_up else "; falls behind"),
                    flush=True,
                )
            if not keeps_up:
                break


if __name__ == "__main__":
    main()
