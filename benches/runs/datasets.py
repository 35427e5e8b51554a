"""Events per second of our readers beside tonic's, on the same files, in turn.

python benches/runs/datasets.py [--rounds 5]

Needs tonic in the environment. Seconds are those of the process, so that other work on the
machine does not count. Ours check every event; tonic's do not.
"""

import argparse
import statistics
import struct
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from hrsnn_rs.datasets.dvs128_gesture import DVS128Gesture
from hrsnn_rs.datasets.tonic_samples import from_tonic
from hrsnn_rs.recordings.aedat import read_aedat

if TYPE_CHECKING:
    from collections.abc import Callable

N_PACKETS, N_EVENTS, N_CLIPS = 1000, 4096, 40


def write_aedat(path: Path) -> int:
    header = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 0: DVS128\r\n#!END-HEADER\r\n"
    number = np.arange(N_PACKETS * N_EVENTS)
    data = number * 31 % 128 << 17 | number * 17 % 128 << 2 | (number & 1) << 1 | 1
    words = np.stack([data, number * 10], axis=1).astype("<u4").reshape(N_PACKETS, -1)
    head = struct.pack("<hhiiiiii", 1, 0, 8, 4, 0, N_EVENTS, N_EVENTS, N_EVENTS)
    path.write_bytes(header + b"".join(head + part.tobytes() for part in words))
    return number.size


def write_clips(folder: Path) -> int:
    """Clips of some 200,000 events, as DVSGesture has them, in tonic's layout."""
    random, total = np.random.default_rng(0), 0
    for n in range(N_CLIPS):
        path = folder / "DVSGesture" / "ibmGestureTest" / f"user{24 + n // 8}_led" / f"{n % 8}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        t = np.sort(random.integers(0, 6000, 200_000))
        x, y, p = *random.integers(0, 128, (2, t.size)), random.integers(0, 2, t.size)
        np.save(path, np.stack([x, y, p, t], axis=1).astype(np.float64))
        total += t.size
    return total


def tonic_aedat(path: Path) -> None:
    # read_dvs_ibm itself fails in tonic 1.7: it takes two of the header's three values.
    from tonic.io import (
        get_aer_events_from_file,
        make_structured_array,
        read_aedat_header_from_file,
    )

    version, start, _ = read_aedat_header_from_file(str(path))
    events = get_aer_events_from_file(str(path), version, start)
    data = events["address"]
    make_structured_array(
        data >> 17 & 0x1FFF, data >> 2 & 0x1FFF, events["timeStamp"], data >> 1 & 1
    )


def read_all(samples: object) -> None:
    for n in range(len(samples)):  # type: ignore[arg-type]
        samples[n]  # type: ignore[index]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    from tonic.datasets import DVSGesture

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "user01_led.aedat"
        n_events, n_clips = write_aedat(path), write_clips(folder)
        # tonic believes nothing below a hundred files, and would download.
        DVSGesture._check_exists = lambda _: True
        theirs = DVSGesture(name, train=False)
        ours = DVS128Gesture(folder / "DVSGesture", "test")
        tasks: dict[str, tuple[int, Callable[[], None]]] = {
            "AEDAT 3.1, ours": (n_events, lambda: read_aedat(path) and None),
            "AEDAT 3.1, tonic": (n_events, lambda: tonic_aedat(path)),
            "tonic's layout, ours": (n_clips, lambda: read_all(ours)),
            "tonic's layout, tonic": (n_clips, lambda: read_all(theirs)),
            "tonic's layout, from_tonic": (n_clips, lambda: read_all(from_tonic(theirs))),
        }
        rates: dict[str, list[float]] = {task: [] for task in tasks}
        for _ in range(arguments.rounds):
            for task, (number, read) in tasks.items():
                start = time.process_time()
                read()
                rates[task].append(number / (time.process_time() - start) / 1e6)
    for task, found in rates.items():
        least, median, most = min(found), statistics.median(found), max(found)
        print(f"{task}: {median:.1f} M events/s ({least:.1f} to {most:.1f})")


if __name__ == "__main__":
    main()
