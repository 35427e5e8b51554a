"""Video folders: containers, encoders, sizes and damage. What folders mean: `test_layout`."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hrsnn_rs.datasets.video_folder import VideoFolder
from hrsnn_rs.encoding.contrast import FrameDifference, TemporalContrast
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.errors import DataWarning, FormatError, ParameterError, ShapeError
from hrsnn_rs.made_up.camera import EventCamera
from video_files import link_all, moving_square, write_video


def test_every_container_is_read_through_every_encoder(tmp_path):
    frames = moving_square(12, 48, 64)
    for name in ("a/1.avi", "a/2.mp4", "b/3.MPG", "b/4.mkv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        path = write_video(tmp_path / name, frames, codec="mpeg1video" if "MPG" in name else None)
        assert path.is_file()
    for encoder, n_channels in [
        (None, None),
        (EventEncoder(48, 64, size=(8, 8), start="zero"), 128),
        (FrameDifference(48, 64, start="zero"), 130),
        (TemporalContrast(EventCamera(48, 64), EventEncoder(48, 64, start="zero")), 2048),
    ]:
        samples = VideoFolder(tmp_path, encoder=encoder)
        assert len(samples) == 4
        for events, _ in samples:
            assert events.duration == 480_000
            assert len(events) > 20
            assert n_channels is None or events.n_channels == n_channels
        assert samples.count_events()["n_events"].min() > 20
    with pytest.raises(ParameterError, match="encoder must return Events"):
        VideoFolder(tmp_path, encoder=len)[0]


def test_threads_may_share_a_data_set(tmp_path):
    for number in range(6):
        (tmp_path / "data" / "a").mkdir(parents=True, exist_ok=True)
        path = tmp_path / "data" / "a" / f"p{number}.avi"
        write_video(path, moving_square(10, 48, 64, seed=number))
    plain = [events for events, _ in VideoFolder(tmp_path / "data")]
    samples = VideoFolder(tmp_path / "data", cache=tmp_path / "cache")
    for _ in range(2):
        with ThreadPoolExecutor(4) as pool:
            assert [
                events for events, _ in pool.map(samples.__getitem__, [*range(6)] * 3)
            ] == plain * 3


def test_sizes_that_differ_need_a_frame_size(tmp_path):
    for name, size in (("a/1.avi", (48, 64)), ("b/1.avi", (96, 128))):
        (tmp_path / name).parent.mkdir()
        write_video(tmp_path / name, moving_square(3, *size))
    encoder = EventEncoder(48, 64)
    assert [
        len(VideoFolder(tmp_path, encoder=encoder, frame_size=(48, 64))[k][0]) > 0 for k in (0, 1)
    ]

    with pytest.raises((FormatError, ShapeError), match="48 x 64"):
        VideoFolder(tmp_path, encoder=encoder)[1]


def test_damaged_files_are_errors_or_warnings(tmp_path):
    (tmp_path / "a").mkdir()
    path = write_video(tmp_path / "a" / "1.avi", moving_square(60, 48, 64))
    data = path.read_bytes()
    begin, end = data.index(b"movi"), data.index(b"idx1")
    path.write_bytes(data[: (begin + end) // 2])
    with pytest.raises(FormatError, match=r"1\.avi: .*damaged='warn'"):
        VideoFolder(tmp_path)[0]
    with pytest.warns(DataWarning, match=r"1\.avi: "):
        assert len(VideoFolder(tmp_path, damaged="warn")[0][0]) > 20
    inspection = VideoFolder.inspect(tmp_path)
    assert inspection is not None
    assert [problem.kind for problem in inspection.problems] == ["truncated"]


def test_nonsense(tmp_path):
    with pytest.raises(FormatError, match="no videos in folders"):
        VideoFolder(tmp_path)
    write_video(tmp_path / "1.avi", moving_square(3, 48, 64))
    with pytest.raises(FormatError, match="no videos in folders"):
        VideoFolder(tmp_path)
    inspection = VideoFolder.inspect(tmp_path)
    assert inspection is not None
    assert (inspection.found["samples"], inspection.is_sound) == (0, False)
    link_all(tmp_path / "1.avi", [tmp_path / "a" / "2.avi"])
    inspection = VideoFolder.inspect(tmp_path)
    assert inspection is not None
    assert [problem.kind for problem in inspection.problems] == ["misplaced"]
    for options, message in [
        ({"split": "train"}, "split must be one of none"),
        ({"encoder": 5}, "encoder must be a function"),
        ({"frame_size": (0, 5)}, r"frame_size\[0\] must be at least 1"),
        ({"damaged": None}, "damaged must be"),
    ]:
        with pytest.raises(ParameterError, match=message):
            VideoFolder(tmp_path, **options)
