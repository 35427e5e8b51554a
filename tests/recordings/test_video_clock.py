"""Times of a video's frames: those of the file, whatever the rate and the container."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hrsnn_rs.encoding.contrast import FrameDifference, TemporalContrast
from hrsnn_rs.errors import DataWarning, FormatError
from hrsnn_rs.made_up.camera import EventCamera
from hrsnn_rs.recordings.frame_stream import record_frames
from hrsnn_rs.recordings.video import Video
from video_files import moving_square, write_video

N = 20
# When each frame is, in ms, and how long the last one is shown where the file says it.
CLOCKS = {
    "20 ms, then 200 ms": [20 * n for n in range(10)] + [200 + 200 * n for n in range(10)],
    "a late frame": [40 * n + 100 * (n == 7) for n in range(6)]
    + [40 * n + 100 for n in range(6, N)],
    "one frame late alone": [40 * n + 30 * (n == 11) for n in range(N)],
    "a long silence": [40 * n + 9_000 * (n > 4) for n in range(N)],
    "never twice the same": np.cumsum([0, *range(11, 11 + N - 1)]).tolist(),
}
CONTAINERS = [("a.mkv", "mpeg4"), ("a.mp4", "mpeg4"), ("a.mov", "mjpeg"), ("a.webm", "vp9")]


def read(path: Path, **options) -> Video:
    with Video(path, **options) as video:
        for _ in video:
            pass
    return video


def written(path: Path, times: list[int], codec: str | None = None, **options) -> Path:
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    frames = moving_square(len(times), 48, 64)
    return write_video(path, frames, codec=codec, pixels=pixels, times=times, **options)


@pytest.mark.parametrize("times", CLOCKS.values(), ids=CLOCKS)
@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
def test_each_frame_has_its_own_time(tmp_path, name, codec, times):
    path = written(tmp_path / name, times, codec)
    video = read(path)
    assert video.is_sound
    assert video.times == [1000 * t for t in times]
    assert video.duration > video.times[-1]
    part = read(path, start=3, stop=15)
    assert part.times == [1000 * (t - times[3]) for t in times[3:15]]


@pytest.mark.parametrize("rate", [25, Fraction(30000, 1001), 60, Fraction(24000, 1001), 1, 240])
@pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.mp4", "a.mov", "a.mpg"])
def test_a_constant_rate_is_exact(tmp_path, name, rate):
    if name == "a.mpg" and rate in (1, 240):
        pytest.skip("MPEG-1 knows eight rates")
    frames = moving_square(150, 48, 64)
    path = write_video(
        tmp_path / name, frames, rate=rate, codec=None if name != "a.mov" else "mpeg4"
    )
    video = read(path)
    truth = [round(n * 1_000_000 / Fraction(rate)) for n in range(151)]
    # Matroska counts ms, and yet no frame is shaken by them.
    assert [*video.times, video.duration] == truth
    assert read(path, start=7, stop=20).times == video.times[:13]


def whole(path, encoder):
    with Video(path) as video:
        return encoder.encode_stream(video)[0]


CAMERA = EventCamera(48, 64, noise_rate=0.0)


@pytest.mark.parametrize("encoder", [FrameDifference(48, 64), TemporalContrast(CAMERA)])
@pytest.mark.parametrize("times", CLOCKS.values(), ids=CLOCKS)
@pytest.mark.parametrize(("name", "codec"), CONTAINERS[:2])
def test_events_are_at_the_times_of_frames(tmp_path, name, codec, times, encoder):
    path = written(tmp_path / name, times, codec)
    with Video(path) as video:
        frames = np.array([frame.copy() for frame in video])
    found, truth = whole(path, encoder), encoder.encode(frames, times=np.array(times) * 1000)[0]
    assert (found.t == truth.t).all()
    assert (found.channel == truth.channel).all()
    with Video(path) as video:
        seen = record_frames(CAMERA, video)
    truth = CAMERA.events(frames, np.array(times) * 1000, duration=video.duration)
    assert seen == truth


def test_half_of_the_events_are_in_half_of_the_frames(tmp_path):
    times = [20 * n for n in range(25)] + [500 + 200 * n for n in range(25)]
    frames = moving_square(50, 48, 64, step=1)
    events = whole(
        write_video(tmp_path / "a.mkv", frames, times=times), FrameDifference(48, 64, start="zero")
    )
    assert np.mean(events.t < 490_000) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("lead", [40, 200, 320])
@pytest.mark.parametrize("group", ["1", "12"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_frames_that_an_edit_leaves_out_are_not_missed(tmp_path, name, group, lead):
    path = written(
        tmp_path / name, [40 * n - lead for n in range(N)], "mpeg4", options={"g": group}
    )
    video = read(path)
    n_left = N - lead // 40
    assert (video.n_frames, video.n_promised) == (n_left, n_left)
    assert video.times == [40_000 * n for n in range(n_left)]


def test_an_mp4_whose_end_is_missing_is_not_filled_up(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("mpeg4", rate=25, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        for frame in moving_square(60, 48, 64):
            picture = av.VideoFrame.from_ndarray(frame, "gray").reformat(format="yuv420p")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    data = path.read_bytes()
    for share in np.linspace(0.5, 0.99, 12):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(
            FormatError, match=r"a\.mp4: (has \d+ of the 60|has damaged|is damaged)"
        ):
            read(path)


# Times that are none


def with_times(path: Path, times: list[int]) -> Path:
    """A Matroska file of pictures that stand alone, at any times in any order."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25, width=64, height=48)
        stream.pix_fmt = "yuvj420p"
        packets = []
        for frame in moving_square(len(times), 48, 64):
            picture = av.VideoFrame.from_ndarray(frame, "gray").reformat(format="yuvj420p")
            packets += stream.encode(picture)
        for number, (packet, time) in enumerate(
            zip([*packets, *stream.encode()], times, strict=True)
        ):
            packet.time_base = Fraction(1, 1000)
            packet.pts, packet.dts = time, 40 * number - 10_000
            container.mux(packet)
    return path


BACKWARDS = [
    ([0, 40, 120, 80, 160], 3),
    ([0, 40, 40, 80, 120], 2),
    ([0, 40, 80, 120, 0], 4),
    ([80, 40, 120, 160, 200], 1),
]


@pytest.mark.parametrize(("times", "frame"), BACKWARDS)
def test_times_that_do_not_increase_are_told(tmp_path, times, frame):
    path = with_times(tmp_path / "a.mkv", times)
    with pytest.raises(
        FormatError, match=rf"has frame {frame} at [-\d.]+ s, and the one before at"
    ):
        read(path)
    with pytest.warns(DataWarning, match=f"has frame {frame} at") as told:
        video = read(path, damaged="warn")
    assert len(told) == 1
    assert video.n_frames == 5
    assert (np.diff(video.times) > 0).all()


@pytest.mark.parametrize("missing", [[0], [2], [4], [1, 2, 3], [0, 1, 2, 3, 4]])
def test_times_that_are_missing_are_told(tmp_path, monkeypatch, missing):
    path = written(tmp_path / "a.mkv", [0, 40, 80, 120, 160])
    decoded = Video._decoded

    def without(self):
        for number, frame in enumerate(decoded(self)):
            if number in missing:
                frame.pts = None
            yield frame

    monkeypatch.setattr(Video, "_decoded", without)
    with pytest.raises(FormatError, match=f"gives no time for frame {missing[0]}"):
        read(path)
    with pytest.warns(DataWarning, match=f"gives no time for frame {missing[0]}") as told:
        video = read(path, damaged="warn")
    assert len(told) == 1
    assert video.times == [0, 40_000, 80_000, 120_000, 160_000]
