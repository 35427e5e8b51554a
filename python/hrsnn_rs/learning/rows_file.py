"""Rows of an experiment in a Parquet file: written one by one, read again to go on from.

Not here: what a row means. Invariant: the file has the rows of before or those of now, never a part
of one, and all of them were measured in the same way. Several processes may add to one file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hrsnn_rs.arguments import check_path
from hrsnn_rs.errors import DataWarning, FormatError, ParameterError
from hrsnn_rs.network.saving import home_of, replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Stands before a hash of all other bytes, among what Parquet keeps for us.
_SEAL = b"sealed by hrsnn_rs: "
_UNSEALED = b"0" * 32


def check_output(path: object) -> Path | None:
    """Refuse a file of rows that is no path or lies nowhere; `None` is none.

    Parameters
    ----------
    path : str, path-like or None
        Of the file, which need not be there.

    Returns
    -------
    pathlib.Path or None
        The path.

    Raises
    ------
    ParameterError
        If it is no path, or there is no such folder.

    Examples
    --------
    >>> check_output(None)
    """
    if path is None:
        return None
    found = Path(check_path("output", path))
    if not found.absolute().parent.is_dir():
        raise ParameterError(f"output must lie in a folder that exists; got {found}.")
    return found


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
        self.path = check_output(path)
        self._schema = dict(schema)
        self._key = list(key)
        self._same = {
            name: json.dumps(value, default=_plain) if isinstance(value, dict) else value
            for name, value in same.items()
        }
        self._rows: dict[object, dict[str, Any]] = {}
        if self.path is not None:
            self.path = home_of("output", self.path)
            self._read(self.path)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

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
        whole = dict.fromkeys(self._schema) | dict(row) | self._same
        if self.path is None:
            self._take(whole)
            return
        with _alone(self.path):
            # Another process may have added some since.
            self._read(self.path)
            self._take(whole)
            self._write(self.path)

    def warn_of_others(self, commit: str | None) -> None:
        """Say it where rows that are kept were measured by another commit of this version.

        Parameters
        ----------
        commit : str or None
            By which rows are measured now, as `library_commit` gives it.

        Warns
        -----
        DataWarning
            Names the commits.
        """
        others = {row["commit"] for row in self._rows.values()} - {commit}
        if others:
            there = ", ".join(sorted(one or "an installed package" for one in others))
            warnings.warn(
                f"{self.path} holds rows of {there}, and this is {commit or 'an installed package'}"
                ", which may measure others. Name another file for rows of one kind.",
                DataWarning,
                stacklevel=3,
            )

    def _take(self, row: dict[str, Any]) -> None:
        """Take a row, unless there is one of its key."""
        self._rows.setdefault(tuple(row[name] for name in self._key), row)

    def _table(self) -> pl.DataFrame:
        return pl.DataFrame(list(self._rows.values()), schema=self._schema)

    def _write(self, path: Path) -> None:
        """Put all rows into the file at once."""
        content = sealed(self._table())
        try:
            replace_file(path, lambda part: part.write_bytes(content))
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from None

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
        found = asked.join(self._table(), on=self._key, how="left", maintain_order="left")
        return found.select(*self._schema)

    def _read(self, path: Path) -> None:
        """Take the rows that are there, and refuse those that a new one cannot stand beside."""
        if not path.exists():
            return
        damaged = f"{path} must be a Parquet file of rows"
        try:
            content = path.read_bytes()
            seal = _seal_of(content)
            if seal is not None and seal != _hashed(content):
                raise FormatError(f"{damaged}: its bytes are not those that were written.")
            rows = pl.read_parquet(io.BytesIO(content))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise FormatError(f"{damaged}: {error}.") from None
        except pl.exceptions.PanicException:
            raise FormatError(f"{damaged}: it is damaged.") from None
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
        for row in rows.iter_rows(named=True):
            self._take(row)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes from writing to a file, where the system can; they wait."""
    try:
        import fcntl
    except ImportError:  # pragma: no cover - where there is none, the last to write wins.
        yield
        return
    # The folder, for a file beside it would stay behind, or be another one for who comes late.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # Not every file system of a network can.
        with suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def sealed(rows: pl.DataFrame) -> bytes:
    """Give rows as a Parquet file that holds a hash of itself: some damage ends who reads it.

    Parameters
    ----------
    rows : polars.DataFrame
        Not changed.

    Returns
    -------
    bytes
        What any reader of Parquet takes.
    """
    file = io.BytesIO()
    rows.write_parquet(file, metadata={"seal": (_SEAL + _UNSEALED).decode()})
    content = bytearray(file.getbuffer())
    place = content.rindex(_SEAL) + len(_SEAL)
    content[place : place + len(_UNSEALED)] = _hashed(content)
    return bytes(content)


def _seal_of(content: bytes) -> bytes | None:
    """Give the hash that a file holds; `None` where it has no seal."""
    place = content.rfind(_SEAL)
    return None if place < 0 else content[place + len(_SEAL) :][: len(_UNSEALED)]


def _hashed(content: bytes | bytearray) -> bytes:
    """Hash all of a file but the hash that it holds."""
    place = content.rindex(_SEAL) + len(_SEAL)
    both = hashlib.blake2b(content[:place], digest_size=16)
    both.update(content[place + len(_UNSEALED) :])
    return both.hexdigest().encode()


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
