"""KTH: official numbers, persons and sub-sequences, in the layouts that people have."""

import itertools
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hrsnn_rs import LIF, STDP, FixedInDegreeConnectivity, Network, RandomConnectivity
from hrsnn_rs.datasets.kth import KTH
from hrsnn_rs.encoding.contrast import FrameDifference, TemporalContrast
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.made_up.camera import EventCamera
from hrsnn_rs.recordings.video import Video
from video_files import link_all, moving_square, write_video

ACTIONS = ("boxing", "handclapping", "handwaving", "jogging", "running", "walking")
RECORDED = Path(os.environ.get("HRSNN_DATA", "-"), "kth")
recorded = pytest.mark.skipif(
    not (RECORDED / "00sequences.txt").is_file(), reason="HRSNN_DATA names no folder with kth"
)


def names(folders: bool = False) -> list[str]:
    """The 599 clips; with their actions' folders if asked."""
    keys = itertools.product(ACTIONS, range(1, 26), range(1, 5))
    return [
        f"{action}/" * folders + f"person{person:02}_{action}_d{scene}_uncomp.avi"
        for action, person, scene in keys
        if (action, person, scene) != ("handclapping", 13, 3)
    ]


def sequences(n_frames: int = 12) -> str:
    """A file of sub-sequences with four to a clip, in the form of the official one."""
    cuts = [f"{k * n_frames // 4 + 1}-{(k + 1) * n_frames // 4}" for k in range(4)]
    text = ""
    for name in sorted([*names(), "person13_handclapping_d3_uncomp.avi"]):
        missing = name.startswith("person13_handclapping_d3")
        what = "*missing*" if missing else "frames\t" + ", ".join(cuts)
        text += f"{name.removesuffix('_uncomp.avi')}\t\t{what}\r\n"
    return text


@pytest.fixture
def clip(tmp_path) -> Path:
    return write_video(tmp_path / "clip.avi", moving_square(12, 120, 160))


@recorded
@pytest.mark.parametrize("layout", ["flat", "folders", "nested", "beside", "upper"])
def test_official_numbers_in_each_layout(tmp_path, clip, layout):
    root = tmp_path / "kth"
    prefix = "KTH/videos/" if layout == "nested" else ""
    every = [prefix + name for name in names(folders=layout != "flat")]
    if layout == "upper":
        every = [name.replace(".avi", ".AVI") for name in every]
    link_all(clip, [root / name for name in every])
    text = (RECORDED / "00sequences.txt").read_bytes()
    ((tmp_path if layout == "beside" else root) / "00sequences.txt").write_bytes(text)
    (root / "__MACOSX").mkdir()
    (root / "__MACOSX" / "._person01_boxing_d1_uncomp.avi").write_bytes(b"junk")
    whole = KTH(root)
    assert len(whole) == 2391
    assert len(set(whole.paths)) == 599
    assert whole.classes == list(ACTIONS)
    assert len(set(whole.groups.tolist())) == 25
    found = {split: KTH(root, split) for split in ("train", "val", "test")}
    assert {split: len(part) for split, part in found.items()} == {
        "train": 760,
        "val": 768,
        "test": 863,
    }
    assert {split: set(part.groups.tolist()) for split, part in found.items()} == {
        "train": set(range(11, 19)),
        "val": {1, 4, 19, 20, 21, 23, 24, 25},
        "test": {2, 3, 5, 6, 7, 8, 9, 10, 22},
    }
    index = whole.index
    assert index["split"].value_counts().height == 3
    assert index["n_events"].null_count() == 2391
    assert len(KTH(root, sequences=False)) == 599
    inspection = KTH.inspect(root)
    assert inspection is not None
    assert inspection.is_complete
    assert inspection.is_sound
    assert inspection.found["samples"] == 2391


def test_sub_sequences_are_parts_of_the_clip(tmp_path, clip):
    root = tmp_path / "kth"
    link_all(clip, [root / name for name in names()])
    (root / "00sequences.txt").write_text(sequences())
    with Video(clip) as video:
        frames = np.array(list(video))
    encoder = FrameDifference(120, 160, start="zero")
    samples = KTH(root, "val", encoder)
    assert len(samples) == 8 * 6 * 4 * 4
    copy = pickle.loads(pickle.dumps(samples))
    for part in range(4):
        piece = frames[3 * part : 3 * part + 3]
        assert samples[part][0] == FrameDifference(120, 160, dt=40.0, start="zero")(piece)
        assert samples[part][0].duration == 120_000
        assert copy[part][0] == samples[part][0]
    seen, label = KTH(root, "val")[5]
    camera = EventCamera(120, 160, noise_rate=0.0)
    assert seen == camera.events(frames[3:6], np.arange(3) * 40_000, duration=120_000)
    assert samples.classes[label] == "boxing"
    assert KTH(root, "val", EventEncoder(120, 160))[5][0] == EventEncoder(120, 160)(seen)


def test_noise_of_a_clip_does_not_depend_on_what_else_is_there(tmp_path, clip):
    encoder = TemporalContrast(EventCamera(120, 160, noise_rate=5.0))
    few = ["person25_boxing_d4_uncomp.avi"]
    for folder, some in (("all", names(folders=True)), ("few", few)):
        link_all(clip, [tmp_path / folder / name for name in some])
        (tmp_path / folder / "00sequences.txt").write_text(sequences())
    whole = KTH(tmp_path / "all", encoder=encoder)
    alone = KTH(tmp_path / "few", "val", encoder)
    place = [path.name for path in whole.paths].index(few[0])
    assert [whole[place + part][0] for part in range(4)] == [events for events, _ in alone]
    assert alone[0][0] != alone[1][0]


def test_what_is_wrong_is_said(tmp_path, clip):
    root = tmp_path / "kth"
    some = ["boxing/person01_boxing_d1_uncomp.avi", "person01_boxing_d1_uncomp.avi"]
    some += ["boxing/person02_walking_d1_uncomp.avi", "person03_running_d2_uncomp.avi"]
    some += ["holiday.avi", "person26_boxing_d1_uncomp.avi"]
    link_all(clip, [root / name for name in some])
    cut = root / "person04_jogging_d1_uncomp.avi"
    cut.write_bytes(clip.read_bytes()[:3000])
    with pytest.raises(FormatError, match=r"no 00sequences.txt; download https://www.csc.kth.se"):
        KTH(root)
    inspection = KTH.inspect(root)
    assert inspection is not None
    assert not inspection.is_complete
    (root / "00sequences.txt").write_text(sequences())
    inspection = KTH.inspect(root)
    assert inspection is not None
    assert inspection.found == {"recordings": 4, "samples": 16, "persons": 4}
    said = {(problem.kind, problem.path) for problem in inspection.problems}
    assert ("misplaced", "boxing/person02_walking_d1_uncomp.avi") in said
    assert ("duplicated", "boxing/person01_boxing_d1_uncomp.avi") in said
    assert ("truncated", "person04_jogging_d1_uncomp.avi") in said
    assert ("missing", "handwaving") in said
    assert "handwaving.zip" in inspection.advice[0]
    samples = KTH(root)
    assert len(samples) == 16
    with pytest.raises(FormatError, match=r"person04_jogging_d1_uncomp\.avi: "):
        samples[samples.labels.tolist().index(3)]
    assert KTH.inspect(tmp_path / "nowhere") is None
    assert KTH.inspect(clip) is None
    (tmp_path / "empty").mkdir()
    assert KTH.inspect(tmp_path / "empty") is None
    with pytest.raises(FormatError, match="no clips; expected person01_boxing_d1_uncomp"):
        KTH(tmp_path / "empty")
    with pytest.raises(FormatError, match="no such folder"):
        KTH(tmp_path / "nowhere")
    with pytest.raises(ParameterError, match="split must be one of 'train', 'val', 'test'"):
        KTH(root, "validation")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("person01_boxing_d1 frames 1-5, x-9", "line 1 is not understood"),
        ("person01_boxing_d1 frames 1-5, 9", "line 1 has no frames in '9'"),
        ("person01_boxing_d1 frames 9-5", "line 1 ends before it starts"),
        ("person01_boxing_d1 frames 0-5", "line 1 ends before it starts"),
        ("person02_boxing_d1 frames 1-5", "00sequences.txt says nothing about it"),
        ("nothing", "holds no sub-sequences"),
    ],
)
def test_a_wrong_file_of_sub_sequences(tmp_path, clip, line, message):
    link_all(clip, [tmp_path / "kth" / "person01_boxing_d1_uncomp.avi"])
    file = tmp_path / "cuts.txt"
    file.write_text(line)
    with pytest.raises(FormatError, match=message):
        KTH(tmp_path / "kth", sequences=file)


def test_a_sub_sequence_behind_the_end_is_an_error(tmp_path, clip):
    link_all(clip, [tmp_path / "kth" / "person01_boxing_d1_uncomp.avi"])
    (tmp_path / "kth" / "00sequences.txt").write_text("person01_boxing_d1 frames 1-5, 9-20")
    samples = KTH(tmp_path / "kth")
    assert samples[0][0].duration == 200_000
    with pytest.raises(FormatError, match="has 12 of the 20 frames that are asked for"):
        samples[1]


@recorded
def test_the_recorded_clip_is_cut_and_runs_through_a_network():
    samples = KTH(RECORDED, encoder=EventEncoder(120, 160, size=(16, 16), start="zero"))
    assert samples.index.select("start", "stop").rows() == [
        (0, 120),
        (120, 224),
        (224, 326),
        (326, 460),
    ]
    network = Network(
        n_inputs=512,
        n_neurons=100,
        neuron=LIF(),
        inputs=RandomConnectivity(p=0.1, weight=5.0),
        recurrent=FixedInDegreeConnectivity(10),
        plasticity=STDP(),
        seed=3,
    )
    events = [clip for clip, _ in samples]
    assert [clip.duration for clip in events] == [4_800_000, 4_160_000, 4_080_000, 5_360_000]
    assert min(map(len, events)) > 1000
    network.train(events, progress=False)
    assert network.transform(events, n_windows=4).sum(axis=(1, 2)).min() > 0
