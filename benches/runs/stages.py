"""What each stage of a clip's way takes: reading, encoding, features; processor time, one thread.

    python benches/runs/stages.py FOLDER --clips 5 --rounds 3

The first stage is that of the data set: decoding a video and simulating a camera, or reading a
recording. Events a second are those of the recording, whatever the stage makes of them.
"""

import argparse
import json
import time

import numpy as np
from hrsnn_rs.datasets import open_dataset
from hrsnn_rs.learning import default_encoder, default_layer


def timed(work, *arguments: object) -> tuple:
    """Give what work gives, and the seconds that the processor took."""
    begin = time.process_time()
    found = work(*arguments)
    return found, time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--clips", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--option", type=json.loads, default={}, metavar="JSON")
    arguments = parser.parse_args()
    data = open_dataset(arguments.data, **arguments.option)
    chosen = np.unique(np.linspace(0, len(data) - 1, arguments.clips).astype(int)).tolist()
    first, _ = data[chosen[0]]
    encoder = default_encoder(first.height, first.width, is_video=data.is_video)
    layer = default_layer(encoder, is_video=data.is_video, n_threads=1)
    layer.fit([encoder(data[place][0]) for place in chosen])
    total = np.zeros((arguments.rounds, 3))
    n_events, n_encoded, seconds = 0, 0, 0.0
    for place in chosen:
        for n in range(arguments.rounds):
            (recorded, _), total_read = timed(data.__getitem__, place)
            encoded, total_encode = timed(encoder, recorded)
            _, total_features = timed(layer.transform, [encoded])
            total[n] += total_read, total_encode, total_features
        n_events, n_encoded = n_events + len(recorded), n_encoded + len(encoded)
        seconds += recorded.duration / 1e6
    print(f"{len(chosen)} clips, {seconds:.1f} s, {n_events:,} events, {n_encoded:,} encoded")
    for name, took in zip(("reading", "encoding", "features"), np.median(total, 0), strict=True):
        each = took / len(chosen)
        print(f"{name:10s} {each:.3f} s a clip, {n_events / took / 1e6:.1f} M events a second")
    print(f"real time over all stages: {seconds / np.median(total.sum(1)):.1f}")


if __name__ == "__main__":
    main()
