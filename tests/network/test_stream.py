"""A network on a stream: the spikes and features of one sample, whatever the pieces."""

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.network import default_network
from hrsnn_rs.network.stream import NetworkStream

DURATION = 300_000


@pytest.fixture(scope="module", params=["float32", "float64"])
def network(request):
    made = default_network(
        20, sensor=None, n_neurons=50, seed=2, recurrent_delay=2.0, dtype=request.param
    )
    made.calibrate([events()], rate=30.0)
    return made


def events():
    random = np.random.default_rng(5)
    t = np.sort(random.integers(0, DURATION, 2000))
    return hr.Events(t, random.integers(0, 20, 2000), n_channels=20, duration=DURATION)


def fed(network, span, step, state=None, until=DURATION):
    """Spikes, and the stream, of all pieces; the state is put back before each."""
    stream, sample = NetworkStream(network, span), events()
    spikes = []
    for start in range(0, until, step):
        stop = min(start + step, until)
        inside = slice(*np.searchsorted(sample.t, [start, stop]))
        stream.feed(sample.t[inside], sample.channel[inside], stop, 1)
        spikes.append(np.stack(stream.spikes(start)))
        stream = NetworkStream(network, span, stream.state())
    return np.concatenate(spikes, axis=1), stream


@pytest.mark.parametrize("step", [1_009, 70_000])
def test_spikes_and_features_are_those_of_a_sample(network, step):
    whole = network.run(events())
    spikes, stream = fed(network, DURATION, step)
    assert spikes[0].tolist() == whole.spikes["t"].to_list()
    assert spikes[1].tolist() == whole.spikes["neuron"].to_list()
    assert (stream.n_spikes, stream.n_input_events) == (len(whole.spikes), 2000)
    for windows in ("events", "time"):
        for features in ("counts", "lowpass", "both"):
            settings = {"windows": windows, "features": features}
            expected = network.transform([events()], 4, **settings)[0]
            assert np.array_equal(stream.features(DURATION, 4, **settings), expected)


def test_a_window_counts_what_lies_in_it_and_the_past_is_forgotten(network):
    spikes, stream = fed(network, 50_000, 10_000)
    assert stream.spikes(0)[0].size < spikes.shape[1] / 2
    recent = spikes[:, spikes[0] >= DURATION - 50_000]
    t = events().t[events().t >= DURATION - 50_000]
    # Windows of equal shares of the events that lie in the span.
    ends = [*(t[len(t) * k // 3] for k in (1, 2)), DURATION]
    expected = np.zeros((3, 50))
    np.add.at(expected, (np.searchsorted(ends, recent[0], side="right"), recent[1]), 1.0)
    assert np.array_equal(stream.features(50_000, 3), expected)


def test_a_state_that_is_not_whole_or_of_another_network_is_refused(network):
    _, stream = fed(network, 1000, DURATION)
    arrays, numbers = stream.state()
    without = {name: array for name, array in arrays.items() if name != "event_t"}
    with pytest.raises(FormatError, match="event_t"):
        NetworkStream(network, 1000, (without, numbers))
    other = default_network(20, sensor=None, n_neurons=40, seed=2, dtype=network.dtype)
    with pytest.raises((ParameterError, hr.ShapeError)):
        NetworkStream(other, 1000, (arrays, numbers))
