"""Events that come through a pipe, as text or as records, a chunk at a time.

Lives here: the two forms and what is refused. Not here: files of whole recordings (`event_files`).
Invariant: nothing is skipped in silence but empty lines, comments and one header; an error names
the line or the record.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.events.sensor import SensorEvents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = ["FORMS", "RECORD", "pieces_of_pipe"]

#: What a pipe may hold.
FORMS = ("csv", "raw")
#: One event of 16 bytes, little-endian; the last three say nothing.
RECORD = np.dtype(
    {
        "names": ["t", "x", "y", "p"],
        "formats": ["<i8", "<u2", "<u2", "u1"],
        "offsets": [0, 8, 10, 12],
        "itemsize": 16,
    }
)
#: As much is read at a time at most; a pipe gives what it has.
_AT_A_TIME = 1 << 16
_LONGEST_LINE = 1 << 12
_COLUMNS = ("t", "x", "y", "p")


def pieces_of_pipe(
    pipe: BinaryIO, height: int, width: int, *, form: str = "csv"
) -> Iterator[SensorEvents]:
    r"""Read events as they come.

    Parameters
    ----------
    pipe : binary file
        What `read1` is asked for: it waits for the next bytes and returns what there is.
    height, width : int
        Rows and columns of the sensor.
    form : {"csv", "raw"}, default="csv"
        Lines `t,x,y,p` of whole numbers (µs, column, row, 0 or 1), of which empty ones, comments
        from `#` on and a header `t,x,y,p` are left out; or records of 16 bytes: int64 t, uint16 x,
        uint16 y, uint8 p and three of padding, little-endian.

    Yields
    ------
    SensorEvents
        The next events, at least one.

    Raises
    ------
    FormatError
        If a line or record is no event of the sensor, or the pipe ends within a record.

    Examples
    --------
    >>> import io
    >>> from hrsnn_rs.recordings.event_pipe import pieces_of_pipe
    >>> list(pieces_of_pipe(io.BytesIO(b"t,x,y,p\n5,0,1,1\n7,3,1,0\n"), 4, 4))
    [SensorEvents(2 events, height=4, width=4, duration=8 µs)]
    """
    if form not in FORMS:
        raise ParameterError(f"form must be one of {', '.join(FORMS)}; got {form!r}.")
    pieces = _of_text(pipe) if form == "csv" else _of_records(pipe)
    for columns, where in pieces:
        if not len(columns["t"]):
            continue
        try:
            t, x, y, p = (columns[name] for name in _COLUMNS)
            yield SensorEvents(t, x, y, p, height, width)
        except (ParameterError, ShapeError) as error:
            raise FormatError(f"events from {where} on: {error}") from None


def _of_text(pipe: BinaryIO) -> Iterator[tuple[Any, str]]:
    rest, line = b"", 1
    while True:
        data = _next(pipe)
        text = rest + data
        end = text.rfind(b"\n") + 1 if data else len(text)
        whole, rest = text[:end], text[end:]
        if len(rest) > _LONGEST_LINE:
            raise FormatError(
                f"line {line}: longer than {_LONGEST_LINE} bytes; it must be t,x,y,p."
            )
        if whole:
            columns = _columns(whole, line)
            yield columns, f"line {line}"
            line += whole.count(b"\n")
        if not data:
            return


def _columns(text: bytes, first: int) -> dict[str, Any]:
    """Read lines, quickly if they are plain numbers, one by one if not."""
    try:
        frame = pl.read_csv(
            io.BytesIO(text),
            has_header=False,
            schema=dict.fromkeys(_COLUMNS, pl.Int64),
        )
        if frame.null_count().sum_horizontal().item() == 0:
            return frame.to_dict(as_series=False) if not len(frame) else _arrays(frame)
    except (pl.exceptions.PolarsError, pl.exceptions.NoDataError):
        pass
    rows = []
    for number, line in enumerate(text.split(b"\n"), first):
        words = line.partition(b"#")[0].strip()
        if not words or (number == 1 and words.replace(b" ", b"") == b"t,x,y,p"):
            continue
        try:
            row = [int(word) for word in words.split(b",")]
        except ValueError:
            row = []
        if len(row) != len(_COLUMNS) or max(map(abs, row)) >= 2**62:
            shown = line[:60].decode(errors="replace")
            raise FormatError(f"line {number}: must be t,x,y,p, four whole numbers; got {shown!r}.")
        rows.append(row)
    table = np.array(rows, np.int64).reshape(-1, len(_COLUMNS))
    return dict(zip(_COLUMNS, table.T, strict=True))


def _arrays(frame: pl.DataFrame) -> dict[str, Any]:
    return {name: frame[name].to_numpy() for name in _COLUMNS}


def _of_records(pipe: BinaryIO) -> Iterator[tuple[Any, str]]:
    rest, n_before = b"", 0
    while data := _next(pipe):
        whole = rest + data
        n = len(whole) // RECORD.itemsize
        records = np.frombuffer(whole, RECORD, n)
        rest = whole[n * RECORD.itemsize :]
        yield {name: records[name] for name in _COLUMNS}, f"record {n_before}"
        n_before += n
    if rest:
        raise FormatError(
            f"record {n_before}: the pipe ends after {len(rest)} of {RECORD.itemsize} bytes."
        )


def _next(pipe: BinaryIO) -> bytes:
    """Wait for the next bytes; none at the end."""
    data: bytes = (pipe.read1 if hasattr(pipe, "read1") else pipe.read)(_AT_A_TIME)
    return data
