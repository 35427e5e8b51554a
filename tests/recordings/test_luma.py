"""Which side of a picture is up: what the file says, in every way a phone can be held."""

import av
import numpy as np
import pytest
from hrsnn_rs.datasets.video_folder import VideoFolder
from hrsnn_rs.encoding.contrast import FrameDifference
from hrsnn_rs.errors import FormatError
from hrsnn_rs.recordings.video import Video
from video_files import moving_square, set_display_matrix, write_video

# a, b, c, d of the matrix, and what an upright picture is of the stored one.
SIDES = {
    "upright": ((1, 0, 0, 1), lambda one: one),
    "90": ((0, 1, -1, 0), lambda one: np.rot90(one, -1)),
    "180": ((-1, 0, 0, -1), lambda one: np.rot90(one, 2)),
    "270": ((0, -1, 1, 0), lambda one: np.rot90(one, 1)),
    "mirrored": ((-1, 0, 0, 1), lambda one: one[:, ::-1]),
    "upside down in a mirror": ((1, 0, 0, -1), lambda one: one[::-1]),
    "transposed": ((0, 1, 1, 0), lambda one: one.T),
    "transposed the other way": ((0, -1, -1, 0), lambda one: one[::-1, ::-1].T),
    "90 in wide pixels": ((0, 2, -1, 0), lambda one: np.rot90(one, -1)),
    "90, rounded": ((1e-4, 0.9999, -1, 0), lambda one: np.rot90(one, -1)),
}


def read(path, **options):
    with Video(path, **options) as video:
        return np.array([frame.copy() for frame in video]), (video.height, video.width)


@pytest.mark.parametrize(("matrix", "turned"), SIDES.values(), ids=SIDES)
@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj422p"])
def test_a_picture_is_turned_upright(tmp_path, name, pixels, matrix, turned):
    codec = "mpeg4" if pixels == "yuv420p" else "mjpeg"
    path = write_video(tmp_path / name, moving_square(6, 48, 80), codec=codec, pixels=pixels)
    stored, size = read(path)
    assert size == (48, 80)
    set_display_matrix(path, *matrix)
    found, size = read(path)
    assert size == found.shape[1:]
    assert (found == np.array([turned(one) for one in stored])).all()
    part, _ = read(path, start=2, stop=4)
    assert (part == found[2:4]).all()
    with Video(path) as video:
        with pytest.raises(ValueError, match="read-only"):
            next(iter(video))[0, 0] = 1
        # One pass ended early, and the next begins at the start.
        assert (np.array([frame.copy() for frame in video]) == found).all()


@pytest.mark.parametrize(("matrix", "turned"), SIDES.values(), ids=SIDES)
def test_the_size_that_is_asked_for_is_that_of_the_upright_picture(tmp_path, matrix, turned):
    path = write_video(tmp_path / "a.mp4", moving_square(3, 96, 160))
    sizes = {turned(np.zeros((96, 160))).shape, turned(np.zeros((48, 80))).shape}
    set_display_matrix(path, *matrix)
    height, width = read(path)[1]
    assert (height, width) in sizes
    small, size = read(path, frame_size=(height // 2, width // 2))
    assert size == small.shape[1:] == (height // 2, width // 2)
    assert np.corrcoef(small[0].ravel(), read(path)[0][0][::2, ::2].ravel())[0, 1] > 0.8


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_matroska_says_it_too(tmp_path, degrees):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, width=80, height=48)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        if not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV cannot write it")
        stream.set_display_rotation(degrees)
        for frame in moving_square(4, 48, 80):
            picture = av.VideoFrame.from_ndarray(frame, "gray").reformat(format="yuv420p")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    plain = read(write_video(tmp_path / "b.mkv", moving_square(4, 48, 80)))[0]
    assert (read(path)[0] == np.rot90(plain, degrees // 90, axes=(1, 2))).all()


@pytest.mark.parametrize(
    "matrix", [(0.7, 0.7, -0.7, 0.7), (0, 0, 0, 0), (1, 0.5, 0, 1), (1, 0, 0, 0)]
)
def test_any_other_angle_is_refused(tmp_path, matrix):
    path = write_video(tmp_path / "a.mp4", moving_square(3, 48, 64))
    set_display_matrix(path, *matrix)
    with pytest.raises(
        FormatError, match=r"a\.mp4: its frames are to be shown turned by .* degrees"
    ):
        Video(path)


def test_a_folder_of_clips_held_upright(tmp_path):
    (tmp_path / "wave").mkdir()
    path = write_video(tmp_path / "wave" / "a.mp4", moving_square(6, 48, 80))
    set_display_matrix(path, 0, 1, -1, 0)
    samples = VideoFolder(tmp_path)
    assert (samples[0][0].height, samples[0][0].width) == (80, 48)
    assert VideoFolder(tmp_path, encoder=FrameDifference(80, 48))[0][0].n_channels == 16 * 10
