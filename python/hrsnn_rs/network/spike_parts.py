"""The spikes of a long run as a folder of Parquet files, written while it runs.

Lives here: the folder and its parts. Not here: when a part is full (the core). Invariant: a part
that stands in the folder is whole, also where the run was killed.
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from hrsnn_rs.arguments import check_path
from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    import os

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["PART", "SpikeParts"]

#: Spikes of a part: some 12 MB of them wait in the memory.
PART = 1 << 20


class SpikeParts:
    """A folder into which the spikes of one run go, part by part.

    Parameters
    ----------
    folder : str or path
        Is made; an empty one may be there.

    Raises
    ------
    ParameterError
        If there is something in it, or it is a file.
    OSError
        If the system refuses.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from hrsnn_rs.network.spike_parts import SpikeParts
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     parts = SpikeParts(folder)
    ...     parts(np.array([5, 6]), np.array([1, 0], np.uint32))
    ...     parts.read().rows()
    [(5, 1), (6, 0)]
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = pathlib.Path(check_path("spikes_to", folder)).absolute()
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise ParameterError(f"spikes_to must be a new or an empty folder; got {self.folder}.")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._n = 0

    def __call__(self, t: NDArray[np.int64], neuron: NDArray[np.uint32]) -> None:
        """Write the next part."""
        import polars as pl

        path = self.folder / f"{self._n:06d}.parquet"
        unfinished = path.with_suffix(".part")
        pl.DataFrame({"t": t, "neuron": neuron}).write_parquet(unfinished)
        unfinished.replace(path)
        self._n += 1

    def read(self) -> pl.DataFrame:
        """Read all parts: `t` (int64, µs) and `neuron` (uint32), sorted by both."""
        import polars as pl

        if not self._n:
            return pl.DataFrame(schema={"t": pl.Int64, "neuron": pl.UInt32})
        paths = [self.folder / f"{part:06d}.parquet" for part in range(self._n)]
        return pl.read_parquet(paths, glob=False)
