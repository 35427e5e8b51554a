"""Foreign files: formats of cameras that faery decodes, behind our errors.

Lives here: AEDAT4, EVT2, EVT3, DAT and ES as SensorEvents. Not here: the decoders. Invariant:
whatever a decoder does with a damaged file, even if it ends its process, is a FormatError here.
Times are those of `raw_clocks` where a format's clock runs over, for the decoder loses turns of it.
"""

from __future__ import annotations

import io
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from hrsnn_rs.errors import FormatError, MissingDependencyError, ParameterError
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.recordings.raw_clocks import event_times

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = (".aedat4", ".raw", ".dat", ".es")
"""Suffixes of the files that are read here."""

# A damaged file can make the decoder panic, which is no Exception, or abort, which ends the
# process: so it has one of its own.
_DECODER = """
import sys
try:
    import faery, numpy
    stream = faery.events_stream_from_file(sys.argv[1])
    numpy.save(sys.stdout.buffer, numpy.array(stream.dimensions(), numpy.int64))
    numpy.save(sys.stdout.buffer, stream.to_array())
except BaseException as error:
    said = str(error).strip().splitlines() or [""]
    sys.stderr.write(f"\\n{type(error).__name__}: {said[0]}")
    sys.exit(1)
"""


def read_foreign(path: Path, sensor_size: tuple[int, int] | None) -> SensorEvents:
    """Read a file of AEDAT4 (.aedat4), EVT2 or EVT3 (.raw), DAT (.dat) or ES (.es).

    It is decoded by faery in a process of its own, which takes about half a second to start.

    Parameters
    ----------
    path : Path
        The file.
    sensor_size : tuple of int or None
        (height, width), which must be what the file says; `None` means that.

    Returns
    -------
    SensorEvents
        All events that the decoder finds. These formats do not say how many there should be:
        a file that is cut between events looks like a shorter one.

    Raises
    ------
    FormatError
        If the decoder fails in any way, its events are not sorted or not within the sensor, or the
        clock steps in a way that can be read in two.
    MissingDependencyError
        If faery is not installed.
    """
    if find_spec("faery") is None:
        raise MissingDependencyError(f'{path.suffix} needs faery: pip install "hrsnn_rs[events]"')
    if not path.is_file():
        raise FormatError(f"{path}: no such file.")
    words = [sys.executable, "-c", _DECODER, str(path)]
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [""]
        ended = f"{said[-1]}" if done.returncode > 0 else f"it ended with {done.returncode}"
        raise FormatError(f"{path}: cannot be decoded: {ended}")
    output = io.BytesIO(done.stdout)
    width, height = np.lib.format.read_array(output, allow_pickle=False).tolist()
    events = np.lib.format.read_array(output, allow_pickle=False)
    if sensor_size is not None and sensor_size != (height, width):
        found = (height, width)
        raise FormatError(f"{path}: recorded with {found} pixels, sensor_size is {sensor_size}.")
    if not events.size:
        raise FormatError(f"{path}: holds no events: remove it.")
    times = event_times(path)
    if times is not None:
        if times.size != events.size:
            raise FormatError(
                f"{path}: {times.size} events are in it, of which the decoder finds {events.size}."
            )
        events["t"] = times
    try:
        return SensorEvents.from_structured(events, height, width)
    except ParameterError as error:
        raise FormatError(f"{path}: {error}") from None
