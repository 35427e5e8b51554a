"""Spikes in Neo and NWB: at the same µs there and back."""

import datetime

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.network import from_neo, from_nwb, to_neo, to_nwb


def result():
    network = hr.Network.from_populations(
        [hr.Population("E", 3, hr.LIF(bias=30.0)), hr.Population("I", 2, inhibitory=True)],
        [hr.Projection("inputs", "E", hr.RandomConnectivity(p=0.8, weight=9.0))],
        inputs=4,
        seed=3,
    )
    return network.run(([137, 5001, 70_003], [0, 1, 3]), duration=123_457)


def same(events, ran):
    spikes = ran.spikes
    assert (events.n_channels, events.duration) == (5, 123_457)
    assert np.array_equal(events.t, spikes["t"].to_numpy())
    assert np.array_equal(events.channel, spikes["neuron"].to_numpy())
    assert len(spikes) > 10


@pytest.mark.parametrize("wrong", [5, None, 1.5])
def test_what_holds_no_trains_is_refused(wrong):
    with pytest.raises(ParameterError, match=r"trains must be a neo\.Segment or SpikeTrains; got "):
        from_neo(wrong)


def test_spikes_go_to_neo_and_back():
    neo = pytest.importorskip("neo")
    ran = result()
    segment = to_neo(ran)
    trains = segment.spiketrains
    assert all(isinstance(train, neo.SpikeTrain) for train in trains)
    assert [train.annotations["population"] for train in trains] == [*"EEEII"]
    assert [train.annotations["neuron"] for train in trains] == [*range(5)]
    assert float(trains[0].t_stop.rescale("ms")) == pytest.approx(123.457)
    same(from_neo(segment), ran)
    # Seconds, another beginning, and trains by themselves.
    moved = [
        neo.SpikeTrain((train + 2e6 * train.units).rescale("s"), t_start=2.0, t_stop=2.123457)
        for train in trains
    ]
    same(from_neo(moved), ran)


def test_what_is_no_train_is_refused():
    pytest.importorskip("neo")
    with pytest.raises(ParameterError, match="trains must be SpikeTrains; got an array"):
        from_neo([np.zeros(3)])
    with pytest.raises(ParameterError, match="at least 1 train"):
        from_neo([])
    with pytest.raises(ParameterError, match=r"result must be one of Network\.run"):
        to_neo(3)


def test_spikes_go_to_nwb_and_back(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    ran, path = result(), tmp_path / "spikes.nwb"
    start = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    to_nwb(ran, path, description="five neurons", start=start)
    same(from_nwb(path), ran)
    with pynwb.NWBHDF5IO(path, "r") as file:
        content = file.read()
        assert content.session_description == "five neurons"
        assert content.session_start_time == start
        assert list(content.units["population"][:]) == [*"EEEII"]
    with pytest.raises(ParameterError, match="start must be a datetime with a time zone"):
        to_nwb(ran, path, start=datetime.datetime(2026, 1, 2))
    with pytest.raises(ParameterError, match="description must be a text"):
        to_nwb(ran, path, description="")


def test_what_is_no_nwb_is_refused(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    with pytest.raises(FileNotFoundError):
        from_nwb(tmp_path / "missing")
    (tmp_path / "text").write_text("no")
    with pytest.raises(FormatError, match="cannot be read as NWB"):
        from_nwb(tmp_path / "text")
    now = datetime.datetime.now(datetime.UTC)
    with pynwb.NWBHDF5IO(tmp_path / "empty.nwb", "w") as file:
        file.write(pynwb.NWBFile("nothing", "id", now))
    with pytest.raises(FormatError, match="has no units"):
        from_nwb(tmp_path / "empty.nwb")
