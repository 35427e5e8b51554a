"""Files of the Spiking Heidelberg Digits that tests write."""

from pathlib import Path

import h5py
import numpy as np

NAMES = [*"0123456789", *(f"d{n}" for n in range(10))]


def write_h5(path: Path, speakers: list[int], seed: int) -> None:
    """Write samples as SHD has them: half-precision seconds and channels of varying length."""
    random = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        times = file.create_dataset("spikes/times", (len(speakers),), h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", (len(speakers),), h5py.vlen_dtype(np.uint16))
        for n in range(len(speakers)):
            times[n] = np.sort(random.random(30 + n)).astype(np.float16)
            units[n] = random.integers(0, 700, 30 + n).astype(np.uint16)
        file["labels"] = np.arange(len(speakers), dtype=np.uint16) % 20
        file["extra/speaker"] = np.array(speakers, np.uint16)
        file["extra/keys"] = np.array(NAMES, "S21")
