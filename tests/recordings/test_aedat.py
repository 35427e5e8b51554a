"""AEDAT 3.1 from Python: whole, in part, piece by piece; the core's tests hold the format."""

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from aedat_files import HEADER, packet, write_aedat
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.recordings.aedat import iterate_aedat, read_aedat, read_clip, summarize_aedat
from numpy.typing import NDArray

Columns = tuple[NDArray[np.int64], ...]


def columns(n: int = 5000, seed: int = 0) -> Columns:
    random = np.random.default_rng(seed)
    t = np.sort(random.integers(0, 10 * n, n)) + 2**31 - 5 * n
    return t, random.integers(0, 128, n), random.integers(0, 128, n), random.integers(0, 2, n)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "user01_led.aedat"
    write_aedat(path, *columns())
    return path


def test_what_was_written_is_read(file: Path) -> None:
    events = read_aedat(file)
    for read, written in zip((events.t, events.x, events.y, events.p), columns(), strict=True):
        np.testing.assert_array_equal(read, written)
    # The file runs over 2^31 µs in its middle.
    assert events.t[0] < 2**31 < events.t[-1]
    assert (events.height, events.width, events.duration) == (128, 128, events.t[-1] + 1)
    assert events.x.dtype == np.uint16
    assert not events.t.flags.writeable
    pieces = list(iterate_aedat(file, 100))
    assert len(pieces) > 10
    np.testing.assert_array_equal(np.concatenate([piece.x for piece in pieces]), events.x)
    summary = summarize_aedat(file)
    assert (summary.n_events, summary.n_invalid, summary.n_others) == (5000, 0, {})
    assert (summary.first, summary.last) == (events.t[0], events.t[-1])


def test_a_part_is_read_by_time(file: Path) -> None:
    t, x, *_ = columns()
    start, stop = 2**31 - 9000, 2**31 + 9000
    inside = (t >= start) & (t < stop)
    events = read_aedat(file, start, stop)
    np.testing.assert_array_equal(events.t, t[inside])
    assert events.duration == stop
    clip = read_clip(file, start, stop, allowed_gap=0)
    np.testing.assert_array_equal(clip.t, t[inside] - start)
    np.testing.assert_array_equal(clip.x, x[inside])
    assert clip.duration == stop - start
    last = int(t[-1])
    assert len(read_clip(file, start, last + 1001, allowed_gap=1001)) == (t >= start).sum()
    with pytest.raises(FormatError, match=f"ends at {last} µs, before the end of the clip"):
        read_clip(file, start, last + 1001, allowed_gap=1000)
    assert len(read_aedat(file, 0, 10)) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": -1}, "start must be at least 0"),
        ({"start": 5, "stop": 5}, "stop must be at least 6"),
        ({"start": 0.5}, "start must be a whole number"),
        ({"sensor_size": 128}, r"sensor_size must be \(height, width\); got 128"),
        ({"sensor_size": (0, 128)}, r"sensor_size\[0\] must be at least 1"),
    ],
)
def test_arguments_are_checked(file: Path, arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        read_aedat(file, **arguments)  # type: ignore[arg-type]


def test_wrong_files_are_named_with_their_byte(tmp_path: Path, file: Path) -> None:
    with pytest.raises(FormatError, match=r"user01_led\.aedat: byte \d+: event at x \d+, y \d+"):
        read_aedat(file, sensor_size=(64, 128))
    whole = file.read_bytes()
    file.write_bytes(whole[:-3])
    for read in (read_aedat, summarize_aedat, lambda path: list(iterate_aedat(path))):
        with pytest.raises(FormatError, match=r"user01_led\.aedat: byte \d+: the file is cut"):
            read(file)  # type: ignore[operator]
    file.write_bytes(HEADER + packet([5, 9], [0, 1], [0, 1], [0, 1], valid=1))
    with pytest.raises(FormatError, match="promises 1 valid events and has 2"):
        read_aedat(file)
    file.write_bytes(HEADER)
    with pytest.raises(FormatError, match="no polarity events"):
        read_aedat(file)
    with pytest.raises(FileNotFoundError):
        read_aedat(tmp_path / "missing.aedat")
    with pytest.raises(OSError, match="directory"):
        read_aedat(tmp_path)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX signals")
def test_ctrl_c_stops_a_long_read(tmp_path: Path) -> None:
    path = tmp_path / "long.aedat"
    n = 2**20
    part = packet(np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n))
    with path.open("wb") as file:
        file.write(HEADER)
        for _ in range(30):
            file.write(part)
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        any(len(read_aedat(path)) == 0 for _ in range(100))
    timer.cancel()
