import os
from pathlib import Path

import numpy as np
import pytest
from hrsnn_rs.datasets import load_folder, make_gestures
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events import Events
from hrsnn_rs.learning import Clips, measure_speed
from hrsnn_rs.learning.task_speed import SPEEDS, at_speed

SIGNS = Path(os.environ.get("HRSNN_DATA", "-"), "sign_gestures", "train")


@pytest.mark.parametrize("factor", [0.125, 0.9, 1.0, 8.0])
def test_speed_changes_times_alone(factor):
    random = np.random.default_rng(0)
    t = np.sort(random.integers(0, 1_000_000, 500))
    clip = Events(t, random.integers(0, 9, 500), n_channels=9, duration=1_000_000)
    played = at_speed(clip, factor)
    assert (played.channel == clip.channel).all()
    assert (played.t == np.floor(t / factor)).all()
    assert played.t[-1] < played.duration
    assert played.duration == pytest.approx(1_000_000 / factor, abs=1.0)


def test_last_event_stays_inside():
    clip = Events([9], [0], n_channels=1, duration=10)
    for factor in SPEEDS:
        played = at_speed(clip, factor)
        assert played.t[-1] < played.duration


def test_too_few_persons_are_refused():
    clips = Clips.of_dataset(make_gestures(2, 1, size=32, duration=200_000))
    with pytest.raises(ParameterError, match="group"):
        measure_speed(clips, [0], n_neurons=20)


@pytest.mark.slow
@pytest.mark.skipif(not SIGNS.is_dir(), reason="HRSNN_DATA names no folder with sign_gestures")
def test_recorded_clips_are_told_apart_above_chance():
    clips = Clips.of_dataset(load_folder(SIGNS))
    rows = measure_speed(clips, [0], n_neurons=100)
    # Of 150 clips, chance has 1/7 and 3 standard errors of it reach 0.229.
    assert rows["score"].max() > 0.229
    # Calibrated on other persons, who may spike at another rate, but all systems alike.
    assert 0.5 < rows["rate"].min() <= rows["rate"].max() < 1.05 * rows["rate"].min() < 2.0
