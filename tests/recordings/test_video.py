"""Video files: the luma that was written, every frame of it, and no short file in silence."""

import os
import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hrsnn_rs.errors import DataWarning, FormatError, MissingDependencyError, ParameterError
from hrsnn_rs.recordings.video import Video
from video_files import avi_of_chunks, chunks_of_avi, moving_square, write_video


def read(path: Path, **options):
    with Video(path, **options) as video:
        frames = [frame.copy() for frame in video]
    return np.array(frames), video


@pytest.mark.parametrize(("height", "width"), [(120, 160), (240, 320), (50, 66)])
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.avi", "mpeg4"),
        ("a.AVI", "mjpeg"),
        ("a.mpg", "mpeg1video"),
        ("a.mpg", "mpeg2video"),
        ("a.mp4", "mpeg4"),
        ("a.mkv", "mpeg4"),
    ],
)
def test_every_container_gives_its_frames(tmp_path, name, codec, height, width):
    frames = moving_square(13, height, width)
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = write_video(tmp_path / name, frames, codec=codec, pixels=pixels)
    found, video = read(path)
    assert found.shape == frames.shape
    assert video.n_frames == 13
    assert video.n_promised == (13 if path.suffix.lower() in {".avi", ".mp4"} else None)
    assert video.frame_rate == 25
    # Range and compression change luma a little: of all frames written, each is most alike its own.
    alike = np.corrcoef(frames.reshape(13, -1), found.reshape(13, -1))[:13, 13:]
    assert (alike.argmax(axis=0) == np.arange(13)).all()
    assert alike.diagonal().min() > 0.95


def test_uncompressed_luma_is_read_bit_by_bit(tmp_path):
    # 66 columns: rows are padded in memory, and padding must not be read.
    frames = np.random.default_rng(1).integers(16, 236, (4, 50, 66), dtype=np.uint8)
    path = write_video(tmp_path / "a.avi", frames, codec="rawvideo", pixels="gray")
    assert (read(path)[0] == frames).all()
    import av

    with av.open(str(tmp_path / "b.avi"), "w") as container:
        stream = container.add_stream("rawvideo", rate=25, height=50, width=66)
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            chroma = np.full((25, 66), 128, np.uint8)
            planes = np.concatenate([frame, chroma])
            picture = av.VideoFrame.from_ndarray(planes, "yuv420p")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    assert (read(tmp_path / "b.avi")[0] == frames).all()


@pytest.mark.parametrize(
    ("codec", "pixels"),
    [("rawvideo", "rgb24"), ("rawvideo", "yuyv422"), ("png", "rgb24"), ("ffv1", "yuv420p10le")],
)
def test_formats_without_a_luma_plane_are_converted(tmp_path, codec, pixels):
    frames = moving_square(3, 48, 64)
    path = write_video(tmp_path / "a.avi", frames, codec=codec, pixels=pixels)
    found, _ = read(path)
    # The usual range of luma, 16 to 235; two roundings on the way.
    assert np.abs(16 + frames * (219 / 255) - found).max() < 2.5


def test_frames_are_read_only_views(tmp_path):
    path = write_video(tmp_path / "a.avi", moving_square(3, 48, 64))
    with Video(path) as video:
        frame = next(iter(video))
        with pytest.raises(ValueError, match="read-only"):
            frame[0, 0] = 1
        assert not frame.flags.owndata


def test_part_and_scale(tmp_path):
    path = write_video(tmp_path / "a.avi", moving_square(30, 48, 64))
    whole, _ = read(path)
    part, video = read(path, start=7, stop=19)
    assert (part == whole[7:19]).all()
    assert video.n_frames == 12
    small, video = read(path, frame_size=(24, 32))
    assert small.shape == (30, 24, 32)
    assert (video.height, video.width) == (24, 32)
    assert abs(small.mean() - whole.mean()) < 2.0
    with pytest.raises(FormatError, match="has 30 of the 35 frames that are asked for"):
        read(path, start=20, stop=35)


def test_rate_is_exact(tmp_path):
    path = write_video(tmp_path / "a.avi", moving_square(3, 48, 64), rate=Fraction(30000, 1001))
    assert read(path)[1].frame_rate == Fraction(30000, 1001)


def test_memory_is_that_of_a_frame(tmp_path):
    path = write_video(tmp_path / "a.avi", moving_square(300, 240, 320, step=1))
    with Video(path) as video:
        tracemalloc.start()
        n_frames = sum(1 for _ in video)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert n_frames == 300
    assert peak < 240 * 320 * 10


# Passes


@pytest.mark.parametrize("first", [0, 1, 5, 13])
@pytest.mark.parametrize("suffix", [".avi", ".mpg", ".mp4", ".mkv"])
def test_a_second_pass_gives_the_same_frames(tmp_path, suffix, first):
    path = write_video(tmp_path / f"a{suffix}", moving_square(13, 48, 64))
    whole, _ = read(path)
    with Video(path) as video:
        for _ in zip(range(first), video, strict=False):
            pass
        assert video.n_frames == first
        for _ in range(2):
            assert (np.array([frame.copy() for frame in video]) == whole).all()
            assert (video.n_frames, len(video.times), video.is_sound) == (13, 13, True)


def test_two_passes_at_a_time_and_closed_videos_are_refused(tmp_path):
    path = write_video(tmp_path / "a.avi", moving_square(13, 48, 64))
    with Video(path) as video:
        one = iter(video)
        next(one)
        other = iter(video)
        next(other)
        with pytest.raises(ParameterError, match="was begun anew while its frames were read"):
            next(one)
        assert len(list(other)) == 12
        third = iter(video)
        next(third)
    with pytest.raises(ParameterError, match="is closed while its frames were read"):
        next(third)
    with pytest.raises(ParameterError, match=r"a\.avi: the video is closed; open it again"):
        iter(video)


# Damage


def cut(path: Path, share: float) -> None:
    """Keep a part of the frames' bytes, and nothing behind them."""
    data = path.read_bytes()
    begin = data.index(b"movi" if path.suffix == ".avi" else b"mdat")
    end = data.index(b"idx1" if path.suffix == ".avi" else b"moov")
    path.write_bytes(data[: begin + int(share * (end - begin))])


@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_half_a_file_is_noticed(tmp_path, suffix, share):
    path = write_video(tmp_path / f"a{suffix}", moving_square(60, 48, 64))
    cut(path, share)
    with pytest.raises(FormatError, match=str(path)):
        read(path)


def test_what_is_left_is_given_where_the_user_says_so(tmp_path):
    path = write_video(tmp_path / "a.avi", moving_square(60, 48, 64))
    whole, _ = read(path)
    cut(path, 0.6)
    with pytest.warns(DataWarning, match=r"a\.avi: has (damaged|\d+ of the 60) frames"):
        left, _ = read(path, damaged="warn")
    assert 10 < len(left) < 60
    assert (left[:10] == whole[:10]).all()


def test_a_damaged_frame_is_noticed(tmp_path):
    path = write_video(tmp_path / "a.avi", moving_square(60, 48, 64))
    head, chunks = chunks_of_avi(path.read_bytes())
    chunks[30] = chunks[30][:8] + bytes(255 - byte for byte in chunks[30][8:])
    path.write_bytes(avi_of_chunks(head, chunks))
    with pytest.raises(FormatError, match=r"a\.avi: .*damaged"):
        read(path)


def test_a_lost_frame_is_noticed_and_a_held_one_is_given_again(tmp_path):
    path = write_video(tmp_path / "a.avi", moving_square(60, 48, 64), options={"g": "1"})
    whole, _ = read(path)
    head, chunks = chunks_of_avi(path.read_bytes())
    path.write_bytes(avi_of_chunks(head, chunks[:30] + chunks[31:]))
    with pytest.raises(FormatError, match="has 59 of the 60 frames it promises"):
        read(path)
    for empty in ([30], [30, 31], [20, 57, 58]):
        held = [b"" if number in empty else chunk for number, chunk in enumerate(chunks)]
        path.write_bytes(avi_of_chunks(head, held))
        found, video = read(path)
        assert video.n_frames == 60
        expected = whole.copy()
        for number in empty:
            expected[number] = expected[number - 1]
        assert (found == expected).all()


@pytest.mark.parametrize("codec", ["mpeg1video", "mpeg2video"])
def test_an_mpeg_stream_that_is_cut_off_is_noticed(tmp_path, codec):
    path = write_video(tmp_path / "a.mpg", moving_square(90, 120, 160), codec=codec)
    whole, _ = read(path)
    data = path.read_bytes()
    for rest in (b"\0" * 64, b"\0\0\1\xb9"):  # padding; the mark of the end of all
        path.write_bytes(data + rest)
        assert (read(path)[0] == whole).all()
    for n in range(1, 2048, 97):
        path.write_bytes(data[:-n])
        with pytest.raises(FormatError, match=r"a\.mpg: is "):
            read(path)
    assert len(read(path, stop=20)[0]) == 20


def test_what_is_no_video(tmp_path):
    with pytest.raises(FormatError, match="no such file"):
        Video(tmp_path / "a.avi")
    for name, data in [
        ("empty.avi", b""),
        ("text.avi", b"hello" * 500),
        # A playlist would make FFmpeg read what it names.
        ("list.avi", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n"),
        ("concat.avi", b"ffconcat version 1.0\nfile /etc/passwd\n"),
    ]:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FormatError, match=f"{name}: cannot be read as video"):
            Video(tmp_path / name)
    with pytest.raises(FormatError, match="no such file"):
        Video(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": -1}, "start must be at least 0"),
        ({"start": 4, "stop": 4}, "stop must be at least 5; got 4"),
        ({"stop": 0.5}, "stop must be a whole number"),
        ({"frame_size": 5}, r"frame_size must be \(rows, columns\); got 5"),
        ({"frame_size": (5, 0)}, r"frame_size\[1\] must be at least 1"),
        ({"damaged": "skip"}, "damaged must be one of raise, warn; got 'skip'"),
    ],
)
def test_nonsense(tmp_path, options, message):
    path = write_video(tmp_path / "a.avi", moving_square(3, 48, 64))
    with pytest.raises(ParameterError, match=message):
        Video(path, **options)


def test_without_pyav_the_advice_is_given(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "hrsnn_rs\[video\]"'):
        Video(tmp_path / "a.avi")


KTH_CLIP = Path(os.environ.get("HRSNN_DATA", "-"), "kth", "person25_boxing_d4_uncomp.avi")


@pytest.mark.skipif(not KTH_CLIP.is_file(), reason="HRSNN_DATA names no folder with kth")
def test_a_recorded_clip_is_read_whole():
    found, video = read(KTH_CLIP)
    assert found.shape == (460, 120, 160)
    assert (video.n_promised, video.n_frames, video.frame_rate) == (460, 460, 25)
