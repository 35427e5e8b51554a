"""Rows of an experiment in a Parquet file: written one by one, read again to go on from.

Not here: what a row means. Invariant: the file has the rows of before or those of now, never a part
of one, and all of them were measured in the same way.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hrsnn_rs.arguments import check_path
from hrsnn_rs.errors import FormatError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class RowsFile:
    """Rows that are there, and those that come.

    Parameters
    ----------
    path : str, path-like or None
        Parquet file, made with the first row; `None`: rows are held in memory alone.
    schema : mapping of str to polars type
        Columns.
    key : sequence of str
        Columns that tell rows apart.
    same : mapping of str to value
        What all rows have in common: kept rows of something else are refused. A mapping is kept
        as JSON, and compared name by name.

    Raises
    ------
    ParameterError
        If rows in the file are of something else, or there is no such folder.
    FormatError
        If the file is no table of rows.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning.rows_file import RowsFile
    >>> rows = RowsFile(None, {"seed": pl.Int64, "n": pl.Int64}, ["seed"], {"n": 3})
    >>> rows.add({"seed": 7})
    >>> (7,) in rows, rows.table([(7,)]).rows()
    (True, [(7, 3)])
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        schema: Mapping[str, Any],
        key: Sequence[str],
        same: Mapping[str, Any],
    ) -> None:
        self.path = None if path is None else Path(check_path("output", path))
        self._schema = dict(schema)
        self._key = list(key)
        self._same = {
            name: json.dumps(value, default=_plain) if isinstance(value, dict) else value
            for name, value in same.items()
        }
        kept = pl.DataFrame(schema=self._schema)
        if self.path is not None:
            if not self.path.absolute().parent.is_dir():
                raise ParameterError(f"output must lie in a folder that exists; got {self.path}.")
            if self.path.exists():
                kept = self._kept(self.path)
        self._rows = kept.to_dicts()
        self._known = set(kept.select(self._key).iter_rows())

    def __contains__(self, key: object) -> bool:
        return key in self._known

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row, with nulls where it says nothing, and write the file.

        Parameters
        ----------
        row : mapping
            Values by column; what all rows have in common is added.

        Raises
        ------
        OSError
            If the file cannot be written; it is as it was.
        """
        self._rows.append(dict.fromkeys(self._schema) | dict(row) | self._same)
        self._known.add(tuple(row[name] for name in self._key))
        if self.path is None:
            return
        unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        try:
            pl.DataFrame(self._rows, schema=self._schema).write_parquet(unfinished)
            unfinished.replace(self.path)
        finally:
            unfinished.unlink(missing_ok=True)

    def table(self, keys: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
        """Give the rows of some keys, in the order of the keys.

        Parameters
        ----------
        keys : sequence of tuple
            Values of the key columns.

        Returns
        -------
        polars.DataFrame
            A row for each key.
        """
        asked = pl.DataFrame(
            keys, schema=[(name, self._schema[name]) for name in self._key], orient="row"
        )
        everything = pl.DataFrame(self._rows, schema=self._schema)
        found = asked.join(everything, on=self._key, how="left", maintain_order="left")
        return found.select(*self._schema)

    def _kept(self, path: Path) -> pl.DataFrame:
        """Read the rows that are there, and refuse those that a new one cannot stand beside."""
        try:
            rows = pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise FormatError(f"{path} must be a Parquet file of rows: {error}.") from None
        if dict(rows.schema) != self._schema:
            pairs = set(rows.schema.items()) ^ set(self._schema.items())
            names = sorted({name for name, _ in pairs}) or rows.columns
            raise FormatError(
                f"{path} must have the columns of these rows to go on from; what differs is "
                f"{', '.join(names)}. Remove it, or name another file."
            )
        for name, value in self._same.items():
            for index, found in enumerate(rows[name]):
                if found != value:
                    what, wanted, got = next(_differences(name, value, found))
                    raise ParameterError(
                        f"{path} must hold rows of {what} {wanted!r} to go on from; got {got!r} in "
                        f"row {index}. Remove it, or name another file."
                    )
        return rows


def _plain(value: Any) -> Any:
    """Give a number of NumPy as JSON takes it, and words for anything else."""
    return value.item() if hasattr(value, "item") else repr(value)


def _differences(name: str, wanted: Any, got: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield what differs; of two mappings in JSON each name that does."""
    try:
        one, two = json.loads(wanted), json.loads(got)
    except (TypeError, ValueError):
        one = two = None
    if isinstance(one, dict) and isinstance(two, dict):
        for key in dict.fromkeys([*one, *two]):
            if one.get(key) != two.get(key):
                yield key, one.get(key), two.get(key)
    yield name, wanted, got
