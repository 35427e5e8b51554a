import numpy as np
import pytest
from hrsnn_rs.description import Constant, Gamma
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events import Events
from hrsnn_rs.learning import Clips, measure_direction, tasks
from hrsnn_rs.learning.task_direction import NO_RECURRENCE, WITH_DELAYS


def moving(n_groups, both_ways, n_channels=2048):
    """Clips of a front that runs over the plane's columns, always one way or either."""
    events = []
    for group in range(n_groups):
        random = np.random.default_rng(group)
        t = np.sort(random.integers(0, 400_000, 1500))
        column = np.minimum(t * 32 // 400_000, 31)
        if both_ways and group % 2:
            column = 31 - column
        channel = random.integers(0, 64, t.size) * 32 + column
        events.append(Events(t, channel, n_channels=n_channels, duration=400_000))
    return Clips("fronts", events, np.zeros(n_groups, int), np.arange(n_groups), ("front",))


@pytest.fixture(autouse=True)
def few_systems(monkeypatch):
    monkeypatch.setattr(
        tasks, "SYSTEMS", {"80 ms": Constant(80.0), "Gamma 80 ms": Gamma(80.0, 3.0)}
    )


def scores(clips):
    rows = measure_direction(clips, range(3), n_neurons=60, n_threads=1)
    return {c: rows.filter(condition=c)["score"] for c in (NO_RECURRENCE, WITH_DELAYS)}


def test_a_direction_that_can_be_known_is_found_by_who_remembers():
    # Each of 6 rows is of 4 samples; that 22 of 24 fall to chance has 2e-5.
    assert scores(moving(14, both_ways=False))[WITH_DELAYS].mean() >= 22 / 24


def test_fronts_that_run_either_way_have_no_direction():
    # One of the two groups that are judged runs the other way: who is right of it is wrong of the
    # other, so that every score is near 0.5, not by chance alone.
    found = scores(moving(14, both_ways=True))[WITH_DELAYS]
    assert found.mean() == pytest.approx(0.5, abs=0.25)


def test_too_few_groups_are_refused():
    with pytest.raises(ParameterError, match="group"):
        measure_direction(moving(2, both_ways=False), [0], n_neurons=10)
