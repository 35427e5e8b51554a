"""Damaged recordings: an error of ours that names the file, or every event that was promised.

10,000 mutants of each format in the slow test, a few hundred of each otherwise. A mutant has a few
bytes changed, inserted or removed, is cut, or has a piece exchanged. Formats without a checksum
cannot tell one coordinate from another, so a mutant may be read with other values; it must never
be read with fewer events than the bytes of the file promise.
"""

import io
import time
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from aedat_files import write_aedat
from hrsnn_rs.errors import FormatError
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.recordings.aedat import read_aedat, read_clip, summarize_aedat
from hrsnn_rs.recordings.event_files import read_events, read_nmnist_bin
from nmnist_files import write_bin

N = 240
FORMATS = ("aedat", "npz", "npy", "bin")


def columns(below: int) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(3)
    t = np.linspace(0, 300_000, N).astype(np.int64)
    return t, *random.integers(0, below, (2, N)), random.integers(0, 2, N)


def whole_file(kind: str, folder: Path) -> bytes:
    path = folder / f"whole.{kind}"
    t, x, y, p = columns(34 if kind == "bin" else 128)
    if kind == "aedat":
        write_aedat(path, t, x, y, p, per_packet=40)
    elif kind == "npz":
        small = [column.astype(np.uint8) for column in (x, y, p)]
        np.savez_compressed(path, t=t, x=small[0], y=small[1], p=small[2], duration=400_000)
    elif kind == "npy":
        np.save(path, np.stack([x, y, p, t / 1000], axis=1))
    else:
        write_bin(path, t, x, y, p)
    return path.read_bytes()


def mutant(whole: bytes, random: np.random.Generator) -> bytes:
    """Change the file in one of the ways in which files are damaged."""
    changed = bytearray(whole)
    for _ in range(int(random.integers(1, 4))):
        place = int(random.integers(len(changed)))
        match int(random.integers(6)):
            case 0:
                changed[place] ^= 1 << int(random.integers(8))
            case 1:
                changed[place] = int(random.integers(256))
            case 2:
                del changed[place : place + int(random.integers(1, 40))]
            case 3:
                changed[place:place] = random.bytes(int(random.integers(1, 40)))
            case 4:
                del changed[place:]
            case _:
                other = int(random.integers(len(changed)))
                changed[place : place + 8] = changed[other : other + 8]
        if not changed:
            break
    return bytes(changed)


def promised(kind: str, path: Path) -> int:
    """Events that the bytes of an accepted file promise, told without the reader under test."""
    contents = path.read_bytes()
    if kind == "bin":
        return len(contents) // 5
    if kind == "npy":
        return len(np.load(io.BytesIO(contents)))
    if kind == "npz":
        with zipfile.ZipFile(path) as archive:
            return len(np.load(io.BytesIO(archive.read("t.npy"))))
    place, n = contents.index(b"\n", contents.index(b"#!END-HEADER")) + 1, 0
    while place < len(contents):
        size, number, valid = (
            int.from_bytes(contents[place + at : place + at + 4], "little") for at in (4, 20, 24)
        )
        if int.from_bytes(contents[place : place + 2], "little") == 1:
            n += valid
        place += 28 + size * number
    return n


def read(kind: str, path: Path) -> SensorEvents:
    return read_nmnist_bin(path) if kind == "bin" else read_events(path)


def outcome(kind: str, path: Path, whole: bytes, changed: bytes) -> str:
    path.write_bytes(changed)
    start = time.perf_counter()
    try:
        events = read(kind, path)
    except FormatError as error:
        said = "refused" if str(path) in str(error) else f"nameless: {error}"
    else:
        assert len(events) == promised(kind, path), changed
        said = "same file" if changed == whole else "as many"
        if len(events) != N:
            said = "other number, as promised"
    seconds = time.perf_counter() - start
    return f"{said}, after {seconds:.1f} s" if seconds > 1.0 else said


def outcomes(kind: str, folder: Path, n: int) -> Counter[str]:
    whole, path = whole_file(kind, folder), folder / f"mutant.{kind}"
    counts: Counter[str] = Counter()
    for number in range(n):
        random = np.random.default_rng([FORMATS.index(kind), number])
        counts[outcome(kind, path, whole, mutant(whole, random))] += 1
    print(kind, dict(counts))
    assert counts["refused"] > n // 2
    assert not any("after" in said or "nameless" in said for said in counts), counts
    return counts


@pytest.mark.parametrize("kind", FORMATS)
def test_mutants_are_refused_or_lose_nothing(kind: str, tmp_path: Path) -> None:
    counts = outcomes(kind, tmp_path, 300)
    assert "other number, as promised" not in counts or kind != "npz", counts


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_ten_thousand_mutants(kind: str, tmp_path: Path) -> None:
    outcomes(kind, tmp_path, 10_000)


@pytest.mark.parametrize("kind", ["aedat", "npz", "npy"])
def test_no_cut_gives_fewer_events(kind: str, tmp_path: Path) -> None:
    whole, path = whole_file(kind, tmp_path), tmp_path / f"cut.{kind}"
    # Packets of 40 events; a cut between two leaves a whole file, which labels must tell.
    edges = {len(whole) - n * (28 + 40 * 8) for n in range(N // 40)}
    # Every length near a promise, every seventh elsewhere.
    near = {edge + n for edge in edges for n in range(-30, 30)} if kind == "aedat" else set()
    for length in sorted({*range(0, len(whole), 7), *near} & set(range(len(whole)))):
        path.write_bytes(whole[:length])
        if kind == "aedat" and length in edges:
            assert summarize_aedat(path).n_events == len(read_aedat(path)) < N
            continue
        with pytest.raises(FormatError):
            read_events(path)


def test_a_clip_of_a_mutant_has_all_its_events(tmp_path: Path) -> None:
    whole, path = whole_file("aedat", tmp_path), tmp_path / "mutant.aedat"
    start, stop = 100_000, 200_000
    for number in range(300):
        changed = mutant(whole, np.random.default_rng([9, number]))
        path.write_bytes(changed)
        try:
            clip = read_clip(path, start, stop, allowed_gap=0)
            t = read_aedat(path).t
        except FormatError:
            continue
        assert len(clip) == ((t >= start) & (t < stop)).sum(), number
