"""Events through a pipe: whatever pieces the system makes of it, and one error on nonsense."""

import io

import numpy as np
import pytest
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.recordings.event_pipe import RECORD, pieces_of_pipe
from hypothesis import given, settings
from hypothesis import strategies as st

EVENTS = [(5, 0, 1, 1), (5, 3, 1, 0), (7, 2, 0, 1), (1_000_000, 3, 1, 0)]
TEXT = "".join(f"{t},{x},{y},{p}\n" for t, x, y, p in EVENTS).encode()


class Pipe(io.RawIOBase):
    """Gives its bytes in pieces, as a pipe does."""

    def __init__(self, data, cuts):
        ends = [*sorted(cuts), len(data)]
        self.pieces = [data[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True) if a < b]

    def read1(self, n):
        return self.pieces.pop(0) if self.pieces else b""


def records(events):
    table = np.zeros(len(events), RECORD)
    for row, event in enumerate(events):
        table[row] = event
    return table.tobytes()


def read(pipe, **settings):
    pieces = list(pieces_of_pipe(pipe, 2, 4, **settings))
    assert all(len(piece) for piece in pieces)
    return [
        (int(t), int(x), int(y), int(p))
        for piece in pieces
        for t, x, y, p in zip(piece.t, piece.x, piece.y, piece.p, strict=True)
    ]


@settings(max_examples=40)
@given(cuts=st.lists(st.integers(0, 64), max_size=9), is_text=st.booleans())
def test_the_same_events_come_in_whatever_pieces(cuts, is_text):
    data, form = (TEXT, "csv") if is_text else (records(EVENTS), "raw")
    assert read(Pipe(data, [min(cut, len(data)) for cut in cuts]), form=form) == EVENTS


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.rstrip(),
        b"t,x,y,p\n" + TEXT,
        b"t, x, y, p\r\n" + TEXT.replace(b"\n", b"\r\n"),
        b"# a camera\n\n" + TEXT.replace(b"1\n", b" 1  # on\n"),
    ],
)
def test_headers_comments_and_spaces_are_left_out(text):
    assert read(io.BytesIO(text)) == EVENTS


def test_a_record_has_the_documented_layout():
    raw = (5).to_bytes(8, "little") + b"\3\0" + b"\1\0" + b"\1" + b"xyz"
    assert read(io.BytesIO(raw), form="raw") == [(5, 3, 1, 1)]
    assert read(io.BytesIO(b""), form="raw") == read(io.BytesIO(b"")) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"5,0,1\n", "line 1: must be t,x,y,p, four whole numbers; got '5,0,1'"),
        (TEXT + b"8,0,1,1,9\n", "line 5: must be t,x,y,p"),
        (TEXT + b"8;0;1;1\n", "line 5: must be"),
        (TEXT + b"\n8.5,0,1,1\n", "line 6: must be"),
        (TEXT + b"t,x,y,p\n", "line 5: must be"),
        (b"5,0,1,1\n99999999999999999999,0,1,1\n", "line 2: must be"),
        (b"\xff\xfe\0\0\n", "line 1: must be"),
        (b"7" * 5000, "line 1: longer than 4096 bytes"),
        (b"5,4,1,1\n", "events from line 1 on: x must be .*got 4 at event 0"),
        (b"5,0,2,1\n", "events from line 1 on: y must be"),
        (b"5,0,1,-1\n", "events from line 1 on: p must be 0"),
        (b"-5,0,1,1\n", "events from line 1 on: t must be"),
        (b"5,0,1,1\n4,0,1,1\n", "events from line 1 on: t must not decrease; got 4 after 5"),
    ],
)
def test_nonsense_is_told_with_its_line(text, words):
    with pytest.raises(FormatError, match=words):
        read(io.BytesIO(text))


def test_nonsense_in_records_is_told_with_its_number():
    with pytest.raises(FormatError, match="record 4: the pipe ends after 3 of 16 bytes"):
        read(io.BytesIO(records(EVENTS) + b"abc"), form="raw")
    with pytest.raises(FormatError, match="events from record 0 on: p must be"):
        read(io.BytesIO(b"\0" * 12 + b"\7\0\0\0"), form="raw")
    with pytest.raises(ParameterError, match="form must be one of csv, raw; got 'json'"):
        read(io.BytesIO(), form="json")
