"""Ten million spikes from the core to polars, and from there to pyarrow, pandas and DuckDB.

    python benches/runs/arrow.py

One run makes 5000 neurons fire 2000 times. Each hand-over is timed `ROUNDS` times after one that
loads what it needs; the median is told, and whether the times are read at the very address at
which the core wrote them. The other packages come with the extra `arrow`.
"""

import statistics
import time
from collections.abc import Callable

import hrsnn_rs as hr
import numpy as np
import polars as pl

ROUNDS = 21
N_NEURONS, N_TIMES = 5000, 2000


def tell(name: str, hand_over: Callable[[], object], where: Callable[[object], object]) -> None:
    took = []
    for _ in range(ROUNDS + 1):
        begin = time.perf_counter()
        table = hand_over()
        took.append(1e3 * (time.perf_counter() - begin))
    print(f"{name:<42}{statistics.median(took[1:]):10.3f} ms   {where(table)}", flush=True)


def main() -> None:
    inputs = hr.RandomConnectivity(p=1.0, weight=20.0)
    network = hr.Network(1, N_NEURONS, inputs=inputs, seed=1)
    result = network.run((3000 * np.arange(N_TIMES), np.zeros(N_TIMES, int)))
    t, neuron = result._columns
    print(f"{result.stats.n_spikes:.0e} spikes")

    def same(times: np.ndarray) -> str:
        return "no copy" if times.ctypes.data == t.ctypes.data else "copied"

    tell(
        "core to polars (as result.spikes does)",
        lambda: pl.DataFrame({"t": t, "neuron": neuron}),
        lambda frame: same(frame["t"].to_numpy(allow_copy=False)),
    )
    spikes = result.spikes
    try:
        import duckdb
        import pandas
        import pyarrow
    except ModuleNotFoundError as error:
        print(f"{error}: the extra `arrow` brings it")
        return
    tell(
        "polars to pyarrow",
        lambda: pyarrow.table(spikes),
        lambda table: same(table["t"].chunk(0).to_numpy()),
    )
    tell(
        "polars to pandas, columns of Arrow",
        lambda: pyarrow.table(spikes).to_pandas(types_mapper=pandas.ArrowDtype),
        lambda frame: same(pyarrow.array(frame["t"]).to_numpy()),
    )
    tell(
        "polars to pandas, columns of NumPy",
        lambda: pyarrow.table(spikes).to_pandas(),
        lambda frame: same(frame["t"].to_numpy()),
    )

    def asked() -> list[tuple[int, ...]]:
        frame = spikes  # DuckDB finds it by this name.
        assert frame is spikes
        return duckdb.sql("select count(*), min(t), max(t) from frame").fetchall()

    tell("DuckDB: count, first and last time", asked, lambda rows: rows[0])


if __name__ == "__main__":
    main()
