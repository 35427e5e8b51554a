"""Rows that an experiment goes on from: written whole or not at all, and only beside their like."""

import multiprocessing
import os
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hrsnn_rs.errors import DataWarning, FormatError, ParameterError
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


def test_rows_of_another_commit_are_told_of(tmp_path):
    path, schema = tmp_path / "rows.parquet", {"seed": pl.Int64, "commit": pl.String}
    rows = RowsFile(path, schema, ["seed"], {})
    rows.warn_of_others("1234567")
    rows.add({"seed": 0, "commit": "1234567"})
    rows.warn_of_others("1234567")
    rows.add({"seed": 1, "commit": None})
    rows = RowsFile(path, schema, ["seed"], {})
    said = r"rows\.parquet holds rows of 1234567, an installed package, and this is 89abcde\+, "
    with pytest.warns(DataWarning, match=said) as told:
        rows.warn_of_others("89abcde+")
    with pytest.warns(DataWarning, match="holds rows of 1234567, and this is an installed package"):
        rows.warn_of_others(None)
    assert len(told) == 1


def test_a_row_that_cannot_be_written_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "rows.parquet"
    rows = opened(path)
    rows.add({"system": "a", "seed": 0, "score": 1.0})
    before = path.read_bytes()

    def half(self, content):
        with self.open("wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match=r"No space left on device: '.*rows\.parquet'"):
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


def test_a_name_is_no_pattern(tmp_path):
    patterned, plain = tmp_path / "rows[1].parquet", tmp_path / "rows1.parquet"
    for path, seed in ((plain, 0), (patterned, 1), (patterned, 2)):
        opened(path).add({"system": "a", "seed": seed, "score": 1.0})
    assert pl.read_parquet(plain)["seed"].to_list() == [0]
    assert pl.read_parquet(patterned, glob=False)["seed"].to_list() == [1, 2]


def test_a_link_stays_one_and_permissions_too(tmp_path):
    path, link = tmp_path / "rows.parquet", tmp_path / "link.parquet"
    opened(path).add({"system": "a", "seed": 0, "score": 1.0})
    path.chmod(0o640)
    link.symlink_to(path)
    opened(link).add({"system": "a", "seed": 1, "score": 1.0})
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert pl.read_parquet(path).height == 2


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(
        ParameterError, match="output must be a regular file or a new one; got a pipe"
    ):
        opened(tmp_path / "pipe")


def add_some(path, system):
    rows = opened(path)
    for seed in range(20):
        rows.add({"system": system, "seed": seed, "score": 1.0})


def test_two_processes_may_add_to_one_file(tmp_path):
    path = tmp_path / "rows.parquet"
    start = multiprocessing.get_context("spawn").Process
    both = [start(target=add_some, args=(path, system)) for system in "ab"]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
        assert process.exitcode == 0
    assert sorted(pl.read_parquet(path).select("system", "seed").rows()) == [
        (system, seed) for system in "ab" for seed in range(20)
    ]
    assert [file.name for file in tmp_path.iterdir()] == ["rows.parquet"]


def test_a_row_of_another_process_is_kept(tmp_path):
    path = tmp_path / "rows.parquet"
    one, other = opened(path), opened(path)
    one.add({"system": "a", "seed": 0, "score": 0.25})
    other.add({"system": "a", "seed": 0, "score": 0.75})
    other.add({"system": "b", "seed": 0, "score": 0.5})
    assert opened(path).table([("a", 0), ("b", 0)])["score"].to_list() == [0.25, 0.5]


def test_damage_is_one_error_whatever_byte_it_meets(tmp_path):
    path = tmp_path / "rows.parquet"
    for seed in range(3):
        opened(path).add({"system": "a", "seed": seed, "score": seed / 3})
    good = path.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(300):
        place, value = random.integers(len(good)), random.integers(256)
        path.write_bytes(good[:place] + bytes([value]) + good[place + 1 :])
        if value == good[place]:
            continue
        seal = re.search(rb"sealed by hrsnn_rs: ", path.read_bytes())
        if seal is None:
            # Who made the file is then unknown; nothing else is damaged.
            assert opened(path).table([("a", 0)])["score"].to_list() == [0.0]
            continue
        with pytest.raises(FormatError, match=r"rows\.parquet must .* not those that were written"):
            opened(path)


def test_rows_without_a_seal_are_read(tmp_path):
    path = tmp_path / "rows.parquet"
    opened(path).add({"system": "a", "seed": 0, "score": 0.5})
    pl.read_parquet(path).write_parquet(path)
    assert opened(path).table([("a", 0)])["score"].to_list() == [0.5]
