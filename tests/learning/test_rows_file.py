"""Rows that an experiment goes on from: written whole or not at all, and only beside their like."""

import numpy as np
import polars as pl
import pytest
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.learning.rows_file import RowsFile

SCHEMA = {"system": pl.String, "seed": pl.Int64, "score": pl.Float64, "data": pl.String,
          "settings": pl.String}  # fmt: skip
SAME = {"data": "blobs", "settings": {"rate": 3.0, "epochs": np.int64(1), "spikes": None}}


def opened(path, **changed):
    return RowsFile(path, SCHEMA, ("system", "seed"), SAME | changed)


def test_rows_come_back_in_the_order_asked_for(tmp_path):
    path = tmp_path / "rows.parquet"
    rows = opened(path)
    assert not path.exists()
    for seed in (3, 1):
        rows.add({"system": "a", "seed": seed, "score": seed / 2})
    again = opened(path)
    assert ("a", 3) in again
    assert ("b", 3) not in again
    again.add({"system": "b", "seed": 3, "score": None})
    asked = [("a", 1), ("b", 3), ("a", 3)]
    for file in (again, opened(path)):
        table = file.table(asked)
        assert table.schema == SCHEMA
        assert table.select("system", "seed", "score").rows() == [
            ("a", 1, 0.5), ("b", 3, None), ("a", 3, 1.5)
        ]  # fmt: skip
        assert table["data"].to_list() == ["blobs"] * 3
    assert [file.name for file in tmp_path.iterdir()] == ["rows.parquet"]


def test_a_row_that_cannot_be_written_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "rows.parquet"
    rows = opened(path)
    rows.add({"system": "a", "seed": 0, "score": 1.0})
    before = path.read_bytes()

    def half(_, target):
        target.write_bytes(b"PAR1 and no mo")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", half)
    with pytest.raises(OSError, match="No space left"):
        rows.add({"system": "a", "seed": 1, "score": 1.0})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["rows.parquet"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"data": "others"}, "must hold rows of data 'others' to go on from; got 'blobs' in row 0"),
        ({"settings": SAME["settings"] | {"epochs": 2}}, "rows of epochs 2 .* got 1 in row 0"),
        ({"settings": SAME["settings"] | {"spikes": 9.5}}, "rows of spikes 9.5 .* got None"),
        ({"settings": SAME["settings"] | {"more": "x"}}, "rows of more 'x' .* got None"),
        ({"settings": {"rate": 3.0, "epochs": 1}}, "rows of settings .* got"),
    ],
)
def test_what_differs_is_named(tmp_path, changed, says):
    path = tmp_path / "rows.parquet"
    opened(path).add({"system": "a", "seed": 0, "score": 1.0})
    before = path.read_bytes()
    with pytest.raises(ParameterError, match=says):
        opened(path, **changed)
    assert path.read_bytes() == before


def test_columns_that_differ_are_named(tmp_path):
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"system": ["a"], "seed": [0.5]}).write_parquet(path)
    with pytest.raises(FormatError, match="what differs is data, score, seed, settings"):
        opened(path)


def test_there_must_be_a_folder(tmp_path):
    with pytest.raises(ParameterError, match="output must lie in a folder that exists"):
        opened(tmp_path / "no" / "rows.parquet")
    with pytest.raises(ParameterError, match="output must be a path"):
        opened(7)
