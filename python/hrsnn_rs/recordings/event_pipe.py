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
    from collections.abc import Iterator, Sequence
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
    pipe: BinaryIO,
    height: int,
    width: int,
    *,
    form: str = "csv",
    since: int | None = None,
    most_jump: int | None = None,
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
    since : int, default=None
        Time in µs behind which no event may go back, and from which the first one must not be too
        far. `None`: events begin where they begin.
    most_jump : int, default=None
        Most µs from an event to the next one. `None`: any.

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
    for columns, word, numbers in pieces:
        if not len(columns["t"]):
            continue
        t, x, y, p = (columns[name] for name in _COLUMNS)
        faults = [
            *_outside("x", x, width),
            *_outside("y", y, height),
            *_outside("p", p, 2),
            *_outside("t", t, None),
            *_out_of_order(t, since, most_jump),
        ]
        if faults:
            place, words = min(faults)
            raise FormatError(f"{word} {numbers[place]}: {words}.")
        try:
            yield SensorEvents(t, x, y, p, height, width)
        except (ParameterError, ShapeError) as error:
            raise FormatError(f"events from {word} {numbers[0]} on: {error}") from None
        since = int(t[-1])


def _outside(name: str, column: Any, below: int | None) -> Iterator[tuple[int, str]]:
    """Yield where the first number stands that is too small or too large, and what is wrong."""
    is_wrong = column < 0 if below is None else (column < 0) | (column >= below)
    if is_wrong.any():
        place = int(is_wrong.argmax())
        allowed = "at least 0" if below is None else f"from 0 to {below - 1}"
        yield place, f"{name} must be {allowed}; got {column[place]}"


def _out_of_order(t: Any, since: int | None, most_jump: int | None) -> Iterator[tuple[int, str]]:
    """Yield where a time goes back first, and where it jumps ahead."""
    before = np.concatenate([[t[0] if since is None else since], t[:-1]])
    for is_wrong, words in (
        (t < before, "t must not go back"),
        # Not by their difference, which may be too large a number where one is nonsense.
        (
            np.zeros(len(t), bool) if most_jump is None else t > before + most_jump,
            f"t must not jump ahead by more than {(most_jump or 0) / 1e6:g} s",
        ),
    ):
        if is_wrong.any():
            place = int(is_wrong.argmax())
            yield place, f"{words}; got {t[place]} after {before[place]} µs"


def _of_text(pipe: BinaryIO) -> Iterator[tuple[Any, str, Sequence[int]]]:
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
            columns, numbers = _columns(whole, line)
            yield columns, "line", numbers
            line += whole.count(b"\n")
        if not data:
            return


def _columns(text: bytes, first: int) -> tuple[dict[str, Any], Sequence[int]]:
    """Read lines, quickly if they are plain numbers, one by one if not, and say which they are."""
    n_lines = text.count(b"\n") + (not text.endswith(b"\n"))
    try:
        frame = pl.read_csv(
            io.BytesIO(text),
            has_header=False,
            schema=dict.fromkeys(_COLUMNS, pl.Int64),
        )
        if frame.null_count().sum_horizontal().item() == 0 and len(frame) == n_lines:
            return _arrays(frame), range(first, first + n_lines)
    except (pl.exceptions.PolarsError, pl.exceptions.NoDataError):
        pass
    rows, numbers = [], []
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
        numbers.append(number)
    table = np.array(rows, np.int64).reshape(-1, len(_COLUMNS))
    return dict(zip(_COLUMNS, table.T, strict=True)), numbers


def _arrays(frame: pl.DataFrame) -> dict[str, Any]:
    return {name: frame[name].to_numpy() for name in _COLUMNS}


def _of_records(pipe: BinaryIO) -> Iterator[tuple[Any, str, Sequence[int]]]:
    rest, n_before = b"", 0
    while data := _next(pipe):
        whole = rest + data
        n = len(whole) // RECORD.itemsize
        records = np.frombuffer(whole, RECORD, n)
        rest = whole[n * RECORD.itemsize :]
        columns = {name: records[name] for name in _COLUMNS}
        yield columns, "record", range(n_before, n_before + n)
        n_before += n
    if rest:
        raise FormatError(
            f"record {n_before}: the pipe ends after {len(rest)} of {RECORD.itemsize} bytes."
        )


def _next(pipe: BinaryIO) -> bytes:
    """Wait for the next bytes; none at the end."""
    data: bytes = (pipe.read1 if hasattr(pipe, "read1") else pipe.read)(_AT_A_TIME)
    return data
