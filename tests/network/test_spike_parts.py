"""Spikes written while a run goes on: the same spikes, and no memory that grows with them."""

import signal

import hrsnn_rs as hr
import numpy as np
import polars as pl
import pytest
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.network import one_sample, spike_parts


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(one_sample, "PART", 100)


def network(**settings):
    return hr.Network(
        4, 30, neuron=hr.LIF(bias=40.0, t_ref=1.0), inhibitory_fraction=0.2, seed=1, **settings
    )


EVENTS = ([100, 5000, 90_000], [0, 1, 3])


@pytest.mark.parametrize("learn", [False, True])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_spikes_are_those_of_a_run_that_keeps_them(tmp_path, learn, n_threads):
    settings = {"plasticity": hr.STDP()} if learn else {}
    ours, theirs = network(**settings), network(**settings)
    words = {"duration": 1_000_000, "learn": learn, "record": {"v": [3]}, "every": 10.0}
    kept = ours.run(EVENTS, **words)
    written = theirs.run(EVENTS, spikes_to=tmp_path / "spikes", n_threads=n_threads, **words)
    assert written._columns[0].size == 0
    assert written.spikes.equals(kept.spikes)
    assert written.record["v"].equals(kept.record["v"])
    assert written.rates(10.0).equals(kept.rates(10.0))
    assert written.stats.n_spikes == kept.stats.n_spikes == len(kept.spikes)
    assert np.array_equal(ours.recurrent_weights.data, theirs.recurrent_weights.data)
    parts = sorted((tmp_path / "spikes").iterdir())
    sizes = [len(pl.read_parquet(part)) for part in parts]
    assert len(parts) > 5
    # A part ends with the window in which it has become full.
    assert min(sizes[:-1]) >= 100
    assert max(sizes) < 100 + 30 * 2
    assert pl.scan_parquet(tmp_path / "spikes").collect().equals(kept.spikes)


def test_silence_leaves_an_empty_folder(tmp_path):
    result = hr.Network(1, 5).run(([100], [0]), spikes_to=tmp_path / "spikes")
    assert result.spikes.schema == {"t": pl.Int64, "neuron": pl.UInt32}
    assert (len(result.spikes), list((tmp_path / "spikes").iterdir())) == (0, [])


def test_a_folder_in_use_is_refused_before_the_run(tmp_path):
    (tmp_path / "file").write_text("kept")
    for place in (tmp_path, tmp_path / "file"):
        with pytest.raises(ParameterError, match="spikes_to must be a new or an empty folder"):
            network().run(EVENTS, spikes_to=place)
    assert (tmp_path / "file").read_text() == "kept"
    with pytest.raises(ParameterError, match=r"^spikes_to must be"):
        network().run(EVENTS, spikes_to=3)


@pytest.mark.parametrize("learn", [False, True])
def test_a_part_that_cannot_be_written_ends_the_run(tmp_path, monkeypatch, learn):
    written = []

    def full(self, t, neuron):
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(len(t))

    monkeypatch.setattr(spike_parts.SpikeParts, "__call__", full)
    made = network(plasticity=hr.STDP())
    with pytest.raises(OSError, match="No space left"):
        made.run(EVENTS, duration=10**9, learn=learn, spikes_to=tmp_path / "spikes")
    assert len(written) == 2
    assert made.run(EVENTS).stats.n_spikes > 0


def test_ctrl_c_leaves_whole_parts(tmp_path, monkeypatch):
    write = spike_parts.SpikeParts.__call__

    def interrupted(self, t, neuron):
        write(self, t, neuron)
        if self._n == 5:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(spike_parts.SpikeParts, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        network().run(EVENTS, duration=10**10, spikes_to=tmp_path / "spikes")
    spikes = pl.read_parquet(tmp_path / "spikes" / "*.parquet")
    expected = network().run(EVENTS, duration=int(spikes["t"][-1]) + 1).spikes
    assert spikes.equals(expected[: len(spikes)])


def test_spikes_are_read_from_wherever_they_were_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parts = spike_parts.SpikeParts("a[1]*")
    parts(np.array([5]), np.array([1], np.uint32))
    monkeypatch.chdir("/")
    assert parts.read().rows() == [(5, 1)]
