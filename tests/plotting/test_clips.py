"""Clips as pictures: which pixel is what colour in which picture, and what is refused."""

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.errors import OutOfMemoryError, ParameterError
from hrsnn_rs.plotting import clip_frames, clip_gif
from hrsnn_rs.plotting.clips import _COLOURS

pytest.importorskip("matplotlib")
NOTHING, OFF, ON, BOTH = (tuple(colour) for colour in _COLOURS.tolist())


@pytest.fixture
def clip():
    # By time: ON at (1, 0); OFF and ON at (2, 1), at the end of the first 10 ms; OFF at (0, 2).
    return hr.SensorEvents(
        [0, 9_998, 9_999, 10_000], [1, 2, 2, 0], [0, 1, 1, 2], [1, 0, 1, 0],
        height=3, width=4, duration=25_000,
    )  # fmt: skip


def pictures(path):
    from PIL import Image, ImageSequence

    with Image.open(path) as image:
        assert image.info["loop"] == 0
        return [
            (np.array(frame.convert("RGB")), frame.info["duration"])
            for frame in ImageSequence.Iterator(image)
        ]


def test_each_picture_of_a_gif_has_its_own_events(clip, tmp_path):
    path = tmp_path / "clip.gif"
    assert clip_gif(path, clip, every=10.0) == 3
    frames = pictures(path)
    assert [duration for _, duration in frames] == [20, 20, 20]
    factor = 60  # 4 columns to 240 pixels
    expected = [
        {(0, 1): ON, (1, 2): BOTH},
        {(2, 0): OFF},
        {},
    ]
    for (frame, _), lit in zip(frames, expected, strict=True):
        assert frame.shape == (3 * factor, 4 * factor, 3)
        for row in range(3):
            for column in range(4):
                block = frame[row * factor : (row + 1) * factor, column * factor :][:, :factor]
                assert np.all(block == lit.get((row, column), NOTHING)), (row, column)
    assert list(tmp_path.iterdir()) == [path]


def test_a_gif_lasts_as_long_as_the_clip_or_longer(clip, tmp_path):
    for slower, each in ((1.0, 20), (4.0, 40), (4.4, 40), (4.6, 50)):
        clip_gif(tmp_path / "clip.gif", clip, every=10.0, slower=slower)
        assert {duration for _, duration in pictures(tmp_path / "clip.gif")} == {each}


def test_pictures_side_by_side_fade(clip):
    figure = clip_frames(clip, n_frames=5, title="wave", tau=10.0)
    assert [axes.get_title() for axes in figure.axes] == [f"{k} ms" for k in (5, 10, 15, 20, 25)]
    seen = [255.0 * axes.images[0].get_array() for axes in figure.axes]
    first, last = (0, 1), (2, 0)  # ON at 0, OFF at 10 ms

    def faded(colour, age):
        return np.array(NOTHING) + np.exp(-age / 10.0) * np.subtract(colour, NOTHING)

    for k, end in enumerate((5.0, 10.0, 15.0, 20.0, 25.0)):
        assert np.allclose(seen[k][first], faded(ON, end))
        assert np.allclose(seen[k][last], NOTHING if end <= 10.0 else faded(OFF, end - 10.0))
        # OFF and 1 µs later ON: the latest counts.
        assert np.allclose(seen[k][1, 2], NOTHING if end < 9.9 else faded(ON, end - 9.999))
    assert len(clip_frames(clip, n_frames=8).axes) == 8


def test_nonsense_is_refused(clip, tmp_path, monkeypatch):
    path = tmp_path / "clip.gif"
    with pytest.raises(ParameterError, match="every must give at most 5000 pictures"):
        clip_gif(path, clip, every=0.001)
    for words in ({"every": 1e9}, {"slower": 1e6}, {"slower": 1e300}):
        with pytest.raises(ParameterError, match="every times slower must be at most 655350 ms"):
            clip_gif(path, clip, **words)
    for words in ({"every": 0.0}, {"every": float("nan")}, {"slower": 0.0}, {"slower": "x"}):
        (name,) = words
        with pytest.raises(ParameterError, match=f"^{name} must"):
            clip_gif(path, clip, **words)
    with pytest.raises(ParameterError, match="events must be SensorEvents"):
        clip_gif(path, ([0], [0]))
    with pytest.raises(ParameterError, match="n_frames must"):
        clip_frames(clip, n_frames=0)
    with pytest.raises(ParameterError, match="tau must"):
        clip_frames(clip, tau=0.0)
    with pytest.raises(ParameterError, match="path must"):
        clip_gif(None, clip)
    monkeypatch.setattr("hrsnn_rs.events.memory_limit.available_memory", lambda: 1000)
    with pytest.raises(OutOfMemoryError, match="every must be small"):
        clip_gif(path, clip)
    assert list(tmp_path.iterdir()) == []
