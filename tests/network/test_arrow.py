"""Results in other packages, by Arrow's PyCapsule interface: the same rows, and no copy of them."""

import hrsnn_rs as hr
import numpy as np
import polars as pl
import pytest


@pytest.fixture(scope="module")
def result():
    network = hr.Network.from_populations(
        [hr.Population("E", 30, hr.LIF(bias=30.0)), hr.Population("I", 2, inhibitory=True)],
        [hr.Projection("inputs", "E", hr.RandomConnectivity(p=0.8, weight=9.0))],
        inputs=4,
        seed=3,
    )
    events = ([137, 5001, 70_003], [0, 1, 3])
    ran = network.run(events, duration=123_457, record={"v": "I"}, every=10.0)
    assert ran.stats.n_spikes > 100
    return ran


def address(values: np.ndarray) -> int:
    return values.ctypes.data


def of(column: pl.Series) -> int:
    """Where a column lies; polars raises if telling would take a copy."""
    return address(column.to_numpy(allow_copy=False))


def test_polars_holds_what_the_core_has_written(result):
    t, neuron = result._columns
    assert of(result.spikes["t"]) == address(t)
    assert of(result.spikes["neuron"]) == address(neuron)


@pytest.mark.parametrize("take", ["spikes", "rates", "record"])
def test_pyarrow_reads_in_place(result, take):
    pyarrow = pytest.importorskip("pyarrow")
    tables = {"spikes": result.spikes, "rates": result.rates(), "record": result.record["v"]}
    frame = tables[take]
    table = pyarrow.table(frame)
    assert table.column_names == frame.columns
    assert pl.DataFrame(table).equals(frame)
    for name in frame.select(pl.selectors.numeric()).columns:
        (chunk,) = table[name].chunks
        assert address(chunk.to_numpy(zero_copy_only=True)) == of(frame[name]), name


def test_pandas_reads_in_place(result):
    pyarrow, pandas = pytest.importorskip("pyarrow"), pytest.importorskip("pandas")
    spikes = result.spikes
    frame = pyarrow.table(spikes).to_pandas(types_mapper=pandas.ArrowDtype)
    assert frame["t"].tolist() == spikes["t"].to_list()
    for name in spikes.columns:
        assert address(pyarrow.array(frame[name]).to_numpy()) == of(spikes[name]), name


def test_duckdb_finds_a_table_by_its_name(result):
    pytest.importorskip("pyarrow")
    duckdb = pytest.importorskip("duckdb")
    spikes = result.spikes
    rows = duckdb.sql("select neuron, count(*) from spikes group by neuron order by neuron")
    counts = np.bincount(spikes["neuron"].to_numpy())
    fired = np.flatnonzero(counts)
    assert rows.fetchall() == list(zip(fired.tolist(), counts[fired].tolist(), strict=True))


def test_duckdb_reads_the_parts_of_a_long_run(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    network = hr.Network(1, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
    result = network.run(([100, 5000], [0, 0]), spikes_to=tmp_path / "spikes")
    where = (tmp_path / "spikes" / "*.parquet").as_posix()
    rows = duckdb.sql(f"select t, neuron from read_parquet('{where}') order by t, neuron")
    assert rows.fetchall() == result.spikes.rows()
