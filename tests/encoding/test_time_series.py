"""Encoders of time series: what a loop over time would send, and what is known beforehand."""

import json
from fractions import Fraction

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.encoding import GaussianFields, LevelCrossing

STEP = 4000


def by_a_loop(series: np.ndarray, delta: list[Fraction]) -> list[tuple[int, int]]:
    """Send-on-delta, step by step, in exact numbers."""
    sent = []
    n_columns = series.shape[1]
    for column in range(n_columns):
        values = [Fraction(float(value)) for value in series[:, column]]
        last = values[0]
        for row in range(1, len(values)):
            before, now = values[row - 1], values[row]
            while abs(now - last) >= delta[column]:
                up = now > last
                last += delta[column] if up else -delta[column]
                share = (last - before) / (now - before)
                sent.append((row * STEP - STEP + int(share * STEP), column + n_columns * up))
    return sorted(sent)


def rows(events: hr.Events) -> list[tuple[int, int]]:
    return [*zip(events.t.tolist(), events.channel.tolist(), strict=True)]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["steps", "walk", "jumps", "still"])
def test_level_crossing_sends_what_a_loop_sends(seed, kind):
    # Multiples of 1/8 and a delta of a power of 2: values often stand on a level, and all is exact.
    random = np.random.default_rng(seed)
    shape = (60, 3)
    series = {
        "steps": random.integers(-3, 4, shape),
        "walk": np.cumsum(random.integers(-2, 3, shape), axis=0),
        "jumps": random.integers(-40, 40, shape) * (random.random(shape) < 0.3),
        "still": np.full(shape, 5),
    }[kind] / 8.0
    delta = [0.25, 0.5, 1.0]
    encoder = LevelCrossing(n_columns=3, delta=delta, dt=STEP / 1000)
    events, report = encoder.encode(series)
    assert rows(events) == by_a_loop(series, [Fraction(one) for one in delta])
    assert (events.n_channels, events.duration) == (6, 60 * STEP)
    assert report.n_in == report.n_out == len(events)
    assert kind == "still" or len(events) > 20


def test_what_was_sent_gives_the_signal_back_within_delta():
    random = np.random.default_rng(3)
    series = np.cumsum(random.normal(0.0, 0.3, (2000, 2)), axis=0)
    events = LevelCrossing(n_columns=2, delta=0.4, dt=1.0)(series)
    for column in range(2):
        for row in (500, 1000, 1999):
            so_far = events.channel[events.t <= row * 1000]
            net = np.sum(so_far == column + 2) - np.sum(so_far == column)
            assert abs(series[0, column] + 0.4 * net - series[row, column]) < 0.4 + 1e-9


def test_a_constant_fires_its_fields_at_equal_intervals():
    encoder = GaussianFields(n_columns=2, low=[0.0, -2.0], high=[4.0, 2.0], dt=10.0, n_fields=5)
    events, report = encoder.encode(np.tile([3.0, -2.0], (300, 1)))
    for channel, d in ((3, 0.0), (2, 1.0), (4, 1.0), (1, 2.0), (5, 0.0), (6, 1.0), (8, 3.0)):
        rate = 100.0 * np.exp(-0.5 * (d / 0.5) ** 2)
        due = (np.arange(int(3.0 * rate + 0.5)) + 0.5) / rate * 1e6
        found = events.t[events.channel == channel]
        assert found.size == due.size
        # Growth is summed up row by row, and times are rounded down.
        assert np.abs(found - due).max(initial=0.0) <= 1.5
    assert report.n_in == report.n_out == len(events)


@pytest.mark.parametrize("seed", range(6))
def test_fields_fire_as_often_as_the_integral_says(seed):
    random = np.random.default_rng(seed)
    series = np.cumsum(random.normal(0.0, 0.2, (400, 2)), axis=0)
    encoder = GaussianFields(
        n_columns=2, low=-1.0, high=1.0, dt=2.5, n_fields=6, rate=900.0, width=0.8
    )
    events = encoder(series)
    centres = np.linspace(-1.0, 1.0, 6)
    spacing = centres[1] - centres[0]
    for column in range(2):
        for field in range(6):
            d = (series[:, column] - centres[field]) / spacing
            grown = np.cumsum(900.0 * np.exp(-0.5 * (d / 0.8) ** 2)) * 0.0025
            t = events.t[events.channel == column * 6 + field]
            so_far = np.searchsorted(t, np.arange(1, 401) * 2500)
            assert (np.abs(so_far - grown) <= 0.5 + 1e-9).all()
    assert (np.diff(events.t) >= 0).all()
    assert events.duration == 1_000_000


def test_a_value_far_outside_excites_no_field():
    encoder = GaussianFields(n_columns=1, low=0.0, high=1.0, dt=1000.0)
    assert len(encoder([[-9.0], [1e200], [-1e299]])) == 0


ENCODERS = {
    "LevelCrossing": LevelCrossing(n_columns=2, delta=[0.1, 2.0], dt=1.0, dead_time=3.0),
    "GaussianFields": GaussianFields(
        n_columns=2, low=[-1.0, 0.0], high=2.0, dt=1.0, rate=2000.0, dead_time=3.0
    ),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_dead_time_is_kept_and_counted(name):
    encoder = ENCODERS[name]
    series = np.cumsum(np.random.default_rng(1).normal(0.0, 0.5, (300, 2)), axis=0)
    events, report = encoder.encode(series)
    for channel in range(events.n_channels):
        gaps = np.diff(events.t[events.channel == channel])
        assert (gaps >= 3000).all()
    assert report.n_dead > 0
    assert report.n_in == report.n_out + report.n_dead
    assert report.n_out == len(events)


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_is_the_same_after_a_way_through_json(name):
    encoder = ENCODERS[name]
    again = type(encoder).from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert again == encoder
    assert hash(again) == hash(encoder)
    for wrong in ({"more": 1}, None):
        fields = encoder.to_dict()
        fields.update(wrong or {})
        if wrong is None:
            del fields["dt"]
        with pytest.raises(hr.ParameterError, match="'more'" if wrong else "'dt'"):
            type(encoder).from_dict(fields)


GOOD = {
    LevelCrossing: {"n_columns": 2, "delta": 0.5, "dt": 1.0},
    GaussianFields: {"n_columns": 2, "low": 0.0, "high": 1.0, "dt": 1.0},
}


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        *(
            (kind, {name: wrong}, f"{name} must")
            for kind in GOOD
            for name, wrong in (
                ("n_columns", 0),
                ("n_columns", 1.5),
                ("dt", 0.0),
                ("dt", np.nan),
                ("dt", None),
                ("dead_time", -1.0),
                ("dead_time", np.inf),
            )
        ),
        (LevelCrossing, {"delta": 0.0}, r"delta\[0\] must be greater than 0; got 0.0"),
        (LevelCrossing, {"delta": [1.0, -1.0]}, r"delta\[1\] must be at least 0 .*; got -1.0"),
        (LevelCrossing, {"delta": [1.0, np.nan]}, r"delta\[1\] must be at least 0 .*; got nan"),
        (LevelCrossing, {"delta": [1.0]}, r"delta must .* got shape \(1,\)"),
        (LevelCrossing, {"delta": "a"}, r"delta\[0\] must be at least 0 .*; got 'a'"),
        (
            GaussianFields,
            {"low": [0.0, 1.0]},
            "low must be below high; got 1.0 and 1.0 at column 1",
        ),
        (GaussianFields, {"high": np.inf}, r"high\[0\] must be at least -1e+.*; got inf"),
        (GaussianFields, {"n_fields": 1}, "n_fields must be at least 2"),
        (GaussianFields, {"rate": 0.0}, "rate must be greater than 0"),
        (GaussianFields, {"width": -1.0}, "width must be at least 0"),
    ],
)
def test_nonsense_is_refused_by_name(kind, arguments, message):
    with pytest.raises((hr.ParameterError, hr.ShapeError), match=message):
        kind(**{**GOOD[kind], **arguments})


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize(
    ("series", "message"),
    [
        (np.zeros(3), r"series must have shape \(n_time, 2\), .*got \(3,\)"),
        (np.zeros((0, 2)), "n_time at least 1"),
        (np.zeros((4, 3)), r"got \(4, 3\)"),
        ([[0.0, 1.0], [np.nan, 1.0]], r"got nan at \(row, column\) \(1, 0\)"),
        ([[0.0, -np.inf]], r"got -inf at \(row, column\) \(0, 1\)"),
        ([["a", "b"]], "series must hold numbers"),
        ([[1j, 2.0]], "series must hold numbers"),
    ],
)
def test_a_series_that_cannot_be_encoded_is_refused(kind, series, message):
    with pytest.raises((hr.ParameterError, hr.ShapeError), match=message):
        kind(**GOOD[kind])(series)


@pytest.mark.parametrize("delta", [1e-300, 1e-12])
def test_more_events_than_can_be_held_are_refused(delta):
    encoder = LevelCrossing(n_columns=1, delta=delta, dt=1.0)
    with pytest.raises((hr.ParameterError, hr.OutOfMemoryError), match="series must"):
        encoder([[0.0], [1e290], [-1e290]] if delta == 1e-300 else [[0.0], [50.0]])


def test_a_series_is_not_changed_and_may_be_of_any_type():
    series = np.arange(8).reshape(4, 2)
    for kind, arguments in GOOD.items():
        for given in (series, series.tolist(), series.astype("f4"), np.asfortranarray(series)):
            assert kind(**arguments)(given) == kind(**arguments)(series.astype(float))
    assert (series == np.arange(8).reshape(4, 2)).all()
