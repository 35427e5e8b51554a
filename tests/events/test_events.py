"""Events and SensorEvents: what is accepted, what is refused and with which words."""

import copy
import pickle

import hrsnn_rs as hr
import numpy as np
import polars as pl
import pytest
from hrsnn_rs.errors import HRSNNError, ParameterError, ShapeError
from hrsnn_rs.events.current import InjectedCurrent
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.forms import as_events
from hrsnn_rs.events.sensor import SensorEvents
from hypothesis import given
from hypothesis import strategies as st

COLUMNS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 6)), max_size=40)


def events_of(rows, duration=2 * 10**9):
    rows = sorted(rows)
    return Events([t for t, _ in rows], [c for _, c in rows], n_channels=7, duration=duration)


@pytest.mark.parametrize(
    ("t", "channel", "message"),
    [
        ([5, 3], [0, 0], "t must not decrease; got 3 after 5 at event 1. Sort the events by t"),
        ([0, -1], [0, 0], "t must be at least 0; got -1 at event 1."),
        ([0.0, 1.5], [0, 0], "t must be a whole number; got 1.5 at event 1."),
        ([0.0, np.nan], [0, 0], "t must be a whole number; got nan at event 1."),
        ([0.0, np.inf], [0, 0], "t must be a whole number; got inf at event 1."),
        (np.array([1, 2**63], np.uint64), [0, 0], "got 9223372036854775808 at event 1."),
        ([0, 2**64], [0, 0], "t must hold whole numbers; got dtype object with 0 at event 0."),
        (["a", "b"], [0, 0], "t must hold whole numbers; got dtype <U1 with 'a' at event 0."),
        ([True, False], [0, 0], "t must hold whole numbers; got dtype bool with True"),
        ([None, 1], [0, 0], "t must hold whole numbers; got dtype object with None at event 0."),
        ([[0, 1]], [0, 0], "t must have 1 dimension; got shape (1, 2)."),
        (None, [0, 0], "t must have 1 dimension; got shape ()."),
        ([[0], [1, 2]], [0, 0], "t must be an array; NumPy says:"),
        (np.ma.array([0, 1], mask=[False, True]), [0, 0], "masked values; got one at index 1."),
        (np.array([1, 2], "m8[us]"), [0, 0], "t must hold whole numbers; got dtype timedelta64"),
        ([0, 1], [0, 4], "channel must be below 4; got 4 at event 1."),
        ([0, 1], [0, -1], "channel must be at least 0; got -1 at event 1."),
        ([0, 1], [0, 2**32], "channel must be below 4; got 4294967296 at event 1."),
        ([0, 1], [0], "channel must have the length of t (2); got 1."),
    ],
)
def test_each_fault_of_a_column_is_named(t, channel, message):
    with pytest.raises(HRSNNError) as raised:
        Events(t, channel, n_channels=4)
    assert message in str(raised.value)


@pytest.mark.parametrize("value", [None, np.nan, -1, 0, 2.5, "4", True, [4], 2**32, np.inf])
def test_nonsense_for_n_channels(value):
    with pytest.raises(ParameterError, match=r"^n_channels must be"):
        Events([0], [0], n_channels=value)


@pytest.mark.parametrize("value", [np.nan, -1, 0, 2.5, "4", True, [4], 7, 2**62, np.inf])
def test_nonsense_for_duration(value):
    with pytest.raises(ParameterError, match=r"^duration must be"):
        Events([7], [0], n_channels=1, duration=value)


def test_empty_events_need_a_duration():
    assert len(Events([], [], n_channels=3, duration=10)) == 0
    with pytest.raises(ParameterError, match=r"^duration must be given"):
        Events([], [], n_channels=3)
    with pytest.raises(ShapeError, match=r"^channel must have the length of t \(0\); got 1"):
        Events([], [1], n_channels=3)
    assert SensorEvents([], [], [], [], 2, 2, duration=5).duration == 5


@pytest.mark.parametrize(
    "convert",
    [
        lambda a: a.astype(">i8"),
        lambda a: a.astype(np.uint8),
        lambda a: a.astype(np.float16),
        lambda a: np.repeat(a, 2)[::2],
        lambda a: a[::-1].copy()[::-1],
        list,
        tuple,
        pl.Series,
        lambda a: np.ma.array(a),
    ],
)
def test_widths_orders_strides_and_lists_are_the_same_events(convert):
    t, channel = np.array([1, 5, 5]), np.array([2, 0, 1])
    assert Events(convert(t), convert(channel), 3) == Events(t, channel, 3)


def test_inputs_are_copied_and_attributes_frozen():
    t, channel = np.array([1, 5]), np.array([0, 1], np.uint32)
    t.flags.writeable = False
    events = Events(t, channel, 2)
    channel[0] = 1
    assert events.channel.tolist() == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        events.t[0] = 0
    for change in (lambda: setattr(events, "t", t), lambda: delattr(events, "t")):
        with pytest.raises(AttributeError, match="cannot be changed"):
            change()
    sensor = SensorEvents([0], [1], [1], [1], 2, 2)
    for table in (events, sensor):
        assert pickle.loads(pickle.dumps(table)) == table == copy.deepcopy(table)
        assert not pickle.loads(pickle.dumps(table)).t.flags.writeable
    assert events != sensor
    assert events != Events(t, [0, 0], 2)


@given(
    t=st.lists(st.sampled_from([0, 1, 255, 256, 65_535, 65_536, 2**40, 2**62 - 2]), max_size=6),
    n_channels=st.sampled_from([1, 256, 257, 65_537, 2**32 - 1]),
)
def test_a_table_travels_as_what_it_is(t, n_channels):
    channel = [n_channels - 1] * len(t)
    events = Events(sorted(t), channel, n_channels, duration=2**62 - 1)
    again = pickle.loads(pickle.dumps(events))
    assert again == events
    assert (again.t.dtype, again.channel.dtype) == (np.int64, np.uint32)


def test_a_class_made_of_a_table_is_one():
    class Named(Events):
        __slots__ = ()

    current = InjectedCurrent([1.0], [0.0, 5.0])
    table = Named([1, 5], [0, 1], 2)
    assert table != Named([1, 6], [0, 1], 2)
    again = copy.deepcopy(table)
    assert type(again) is Named
    assert again == table
    Mine = type("Mine", (InjectedCurrent,), {"__slots__": ()})
    assert copy.deepcopy(Mine([1.0], [0.0, 5.0])).values == current.values
    assert Mine([1.0], [0.0, 5.0]) != Mine([2.0], [0.0, 5.0])


def test_recorded_events_travel_in_a_third_of_their_bytes():
    events = Events(np.arange(10_000) * 200, np.arange(10_000) % 2048, 2048)
    assert len(pickle.dumps(events)) < 31_000
    sensor = SensorEvents(events.t, events.channel % 64, events.channel % 32, [1] * 10_000, 32, 64)
    assert len(pickle.dumps(sensor)) < 42_000


def test_a_coarser_lattice_keeps_order_duplicates_and_duration():
    events = hr.Events([0, 999, 999, 1800, 2999], [3, 1, 1, 0, 2], n_channels=4, duration=3005)
    coarse = events.quantized(1000)
    assert coarse.t.tolist() == [0, 0, 0, 1000, 2000]
    assert coarse.channel.tolist() == events.channel.tolist()
    assert (coarse.duration, coarse.n_channels) == (3005, 4)
    assert events.t.tolist() == [0, 999, 999, 1800, 2999]
    assert events.quantized(1) is events
    assert coarse.quantized(1000).t.tolist() == coarse.t.tolist()
    # Every arrival counts: three inputs of 6 mV in one quantum reach the threshold of 15 mV.
    inputs = hr.RandomConnectivity(p=1.0, weight=6.0)
    net = hr.Network(4, 1, neuron=hr.LIF(tau_m=0.1), inputs=inputs)
    assert net.run(events).stats.n_spikes == 0
    assert net.run(coarse).stats.n_spikes == 1


@pytest.mark.parametrize("quantum", [0, -1, 0.5, "1", None, True])
def test_a_quantum_that_is_no_time_is_refused(quantum):
    with pytest.raises(hr.ParameterError, match="quantum"):
        hr.Events([0], [0], n_channels=1).quantized(quantum)


@given(COLUMNS)
def test_reversed_twice_is_the_same(rows):
    events = events_of(rows)
    back = events.reversed()
    assert back.reversed() == events
    assert sorted(back.channel) == sorted(events.channel)


@given(COLUMNS)
def test_frames_and_pairs_are_ways_there_and_back(rows):
    events = events_of(rows)
    frame = events.to_frame()
    assert frame.schema == {"t": pl.Int64, "channel": pl.UInt32}
    assert Events.from_frame(frame, n_channels=7, duration=events.duration) == events
    assert as_events((events.t, events.channel), 7, duration=events.duration) == events
    assert as_events(events, 7) is events


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=8))
def test_a_raster_keeps_each_count(rows):
    raster = np.array(rows)
    events = Events.from_raster(raster, dt=0.5)
    assert len(events) == raster.sum()
    assert events.duration == 500 * len(rows)
    counts = np.zeros_like(raster)
    np.add.at(counts, (events.t // 500, events.channel), 1)
    assert (counts == raster).all()


def test_faults_of_rasters():
    with pytest.raises(
        ParameterError, match=r"raster must be at least 0; got -1 at \(row, column\) \(1, 0"
    ):
        Events.from_raster([[0, 1], [-1, 0]], dt=1.0)
    for raster in ([1, 2], np.zeros((0, 3)), np.zeros((3, 0))):
        with pytest.raises(ShapeError, match=r"^raster must have shape"):
            Events.from_raster(raster, dt=1.0)
    for dt in (0.0, -1.0, np.nan, "1", None, True, 1e-4, 1e300):
        with pytest.raises(ParameterError, match=r"^dt must be"):
            Events.from_raster([[1]], dt=dt)
    assert len(Events.from_raster([[True, False]], dt=1)) == 1


def structured(**columns):
    array = np.zeros(len(next(iter(columns.values()))), [(n, c.dtype) for n, c in columns.items()])
    for name, column in columns.items():
        array[name] = column
    return array


T, X, Y = np.array([3, 9]), np.array([1, 2], np.int16), np.array([0, 1], np.int16)


@pytest.mark.parametrize(
    ("order", "polarity", "dtype"),
    [("xypt", "p", bool), ("xytp", "p", np.int8), ("txyp", "polarity", "f4"), ("tpyx", "on", "u8")],
)
def test_structured_arrays_are_read_by_name(order, polarity, dtype):
    columns = {"t": T, "x": X, "y": Y, "p": np.array([1, 0]).astype(dtype)}
    array = structured(**{polarity if name == "p" else name: columns[name] for name in order})
    before = array.copy()
    events = Events.from_structured(array, sensor_size=(4, 3, 2))
    assert events == Events(T, [13, 6], 24)
    assert Events.from_structured(array, sensor_size=(4, 3, 1)) == Events(T, [1, 6], 12)
    sensor = SensorEvents.from_structured(array, height=3, width=4)
    assert sensor == SensorEvents(T, X, Y, [1, 0], 3, 4)
    assert as_events(sensor, 24) == events == as_events(array, 24, sensor_size=(4, 3, 2))
    assert (array == before).all()


def test_audio_has_one_dimension():
    array = structured(t=T, x=np.array([699, 0]), p=np.array([1, 1]))
    assert Events.from_structured(array, n_channels=700) == Events(T, [699, 0], 700)
    assert Events.from_structured(array, sensor_size=(700, 1, 1)) == Events(T, [699, 0], 700)
    array["p"][0] = 0
    with pytest.raises(ParameterError, match=r"sensor_size=.* of two polarities"):
        Events.from_structured(array, n_channels=700)
    with pytest.raises(ParameterError, match="x must be below 10; got 699 at event 0"):
        Events.from_structured(array, sensor_size=(10, 1, 2))


def test_faults_of_structured_arrays():
    full = {"t": T, "x": X, "y": Y, "p": np.array([1, -1])}
    for read in (
        lambda a: Events.from_structured(a, sensor_size=(4, 3, 2)),
        lambda a: SensorEvents.from_structured(a, 3, 4),
    ):
        with pytest.raises(ParameterError, match=r"p must be 0 \(OFF\) or 1 \(ON\); got -1 at ev"):
            read(structured(**full))
        with pytest.raises(ParameterError, match="p must be below 2; got 2 at event 0"):
            read(structured(**full | {"p": np.array([2, 0])}))
        for missing in "txp":
            with pytest.raises(ParameterError, match=f"array must have .*{missing}"):
                read(structured(**{n: c for n, c in full.items() if n != missing}))
        with pytest.raises(ParameterError, match="one field of polarity"):
            read(structured(**full, on=np.array([1, 1])))
        with pytest.raises(ParameterError, match="structured array"):
            read(np.zeros((3, 4)))
    with pytest.raises(ParameterError, match=r"sensor_size=.*x and y"):
        Events.from_structured(structured(**full), n_channels=24)
    for size in ((4, 3), 5, "abc", (4, 3, 3), (0, 3, 2), (4, None, 2)):
        with pytest.raises(ParameterError, match=r"^sensor_size"):
            Events.from_structured(structured(**full), sensor_size=size)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": [4, 0]}, "x must be below 4; got 4 at event 0."),
        ({"x": [-1, 0]}, "x must be at least 0; got -1 at event 0."),
        ({"y": [0, 3]}, "y must be below 3; got 3 at event 1."),
        ({"p": [0, 0.5]}, "p must be a whole number; got 0.5 at event 1."),
        ({"p": ["on", "off"]}, "p must hold whole numbers; got dtype <U3"),
        ({"y": [0]}, "y must have the length of t (2); got 1."),
        ({"t": []}, "x must have the length of t (0); got 2."),
        ({"height": 0}, "height must be at least 1; got 0."),
        ({"width": 2**16}, "width must be at most 65535; got 65536."),
        ({"t": [2, 1]}, "t must not decrease; got 1 after 2 at event 1."),
        ({"duration": 2}, "duration must be greater than the last t (2 µs); got 2."),
    ],
)
def test_faults_of_sensor_events(change, message):
    good = {"t": [1, 2], "x": [0, 3], "y": [0, 2], "p": [0, 1], "height": 3, "width": 4}
    assert len(SensorEvents(**good).reversed()) == 2
    with pytest.raises(HRSNNError) as raised:
        SensorEvents(**good | change)
    assert message in str(raised.value)


def test_as_events_says_what_is_missing():
    raster = np.ones((2, 3))
    assert as_events(raster, 3, dt=1.0).n_channels == 3
    assert as_events(Events([1], [0], 3), duration=50).duration == 50
    for call, message in [
        (lambda: as_events(raster, 3), "dt must be given"),
        (lambda: as_events(raster, 4, dt=1.0), "events must have 4 channels; got 3."),
        (lambda: as_events(([1], [0])), "n_channels must be given"),
        (lambda: as_events([1, 2], 3), "events must be Events, .* got a list"),
        (lambda: as_events(None, 3), "got a NoneType"),
        (lambda: as_events(pl.DataFrame({"t": [1]}), 3), "column 'channel'"),
        (lambda: as_events(pl.DataFrame({"t": [None, 1], "channel": [0, 0]}), 3), "got null at e"),
    ]:
        with pytest.raises(HRSNNError, match=message):
            call()
