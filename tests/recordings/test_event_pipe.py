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
        (b"5,4,1,1\n", "line 1: x must be from 0 to 3; got 4"),
        (b"5,0,2,1\n", "line 1: y must be from 0 to 1; got 2"),
        (b"5,0,1,-1\n", "line 1: p must be from 0 to 1; got -1"),
        (b"-5,0,1,1\n", "line 1: t must be at least 0; got -5"),
        (b"5,0,1,1\n4,0,1,1\n", "line 2: t must not go back; got 4 after 5 µs"),
        (TEXT + b"9,0,1,1\n", "line 5: t must not go back; got 9 after 1000000 µs"),
        (b"# a\n\n5,0,1,1\n# b\n6,0,1,1\n7,0,1,7\n", "line 6: p must be .* got 7"),
        (b"5,0,1,1\n6,0,9,7\n7,9,1,1\n", "line 2: p must be"),
        (
            b"5,0,1,1\n4611686018427387903,0,1,1\n",
            "line 2: t must not jump ahead by more than 3600 s",
        ),
    ],
)
def test_nonsense_is_told_with_its_line(text, words):
    for cut in ([], [text.rstrip().rfind(b"\n") + 1]):
        with pytest.raises(FormatError, match=words):
            read(Pipe(text, cut), most_jump=3_600_000_000)


def test_the_first_event_does_not_go_back_behind_what_has_come():
    assert read(io.BytesIO(TEXT), since=5) == EVENTS
    with pytest.raises(FormatError, match="line 1: t must not go back; got 5 after 6 µs"):
        read(io.BytesIO(TEXT), since=6)
    with pytest.raises(FormatError, match="line 4: t must not jump ahead by more than"):
        read(io.BytesIO(TEXT), since=6 - 1, most_jump=900_000)


def test_nonsense_in_records_is_told_with_its_number():
    with pytest.raises(FormatError, match="record 4: the pipe ends after 3 of 16 bytes"):
        read(io.BytesIO(records(EVENTS) + b"abc"), form="raw")
    with pytest.raises(FormatError, match="record 0: p must be from 0 to 1; got 7"):
        read(io.BytesIO(b"\0" * 12 + b"\7\0\0\0"), form="raw")
    with pytest.raises(ParameterError, match="form must be one of csv, raw; got 'json'"):
        read(io.BytesIO(), form="json")
