"""What folders mean, alike for every kind of clip: order, splits, persons, links and leftovers."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hrsnn_rs.datasets.doctor import inspect
from hrsnn_rs.datasets.dvs128_gesture import DVS128Gesture
from hrsnn_rs.datasets.event_folder import EventFolder, load_folder
from hrsnn_rs.datasets.kth import KTH
from hrsnn_rs.datasets.nmnist import NMNIST
from hrsnn_rs.datasets.shd import SHD
from hrsnn_rs.datasets.ucf11 import UCF11
from hrsnn_rs.datasets.ucf101 import UCF101
from hrsnn_rs.datasets.video_folder import VideoFolder
from hrsnn_rs.datasets.walk import natural, walk
from hrsnn_rs.errors import DataWarning, FormatError, ParameterError
from hrsnn_rs.learning import compare

Kind = tuple[Any, str]
KINDS = [
    (EventFolder, ".npz"),
    (EventFolder, ".aedat4"),
    (VideoFolder, ".avi"),
    (VideoFolder, ".MP4"),
]


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind[0].__name__}{kind[1]}")
def kind(request: pytest.FixtureRequest) -> Kind:
    given: Kind = request.param
    return given


def fill(root: Path, names: str, suffix: str) -> Path:
    """Write files of different contents, which only their readers would refuse."""
    for name in names.split():
        path = root / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))
    return root


def told(samples: Any, root: Path) -> dict[str, tuple[str, str]]:
    """Class and person of each clip."""
    names = [path.relative_to(root).with_suffix("").as_posix() for path in samples.paths]
    classes = [samples.classes[label] for label in samples.labels]
    return dict(zip(names, zip(classes, samples.subjects.tolist(), strict=True), strict=True))


@pytest.mark.parametrize(
    "names",
    [
        ["1", "2", "9", "10", "100"],
        ["p2", "p10", "q1"],
        ["a2b1", "a2b10", "a10b1"],
        ["Wave", "clap", "wave"],
        ["01", "1", "2"],
        ["1", "clap", "wave"],
        ["x 9", "x 10"],
    ],
)
def test_classes_persons_and_clips_are_in_natural_order(
    tmp_path: Path, kind: Kind, names: list[str]
) -> None:
    cls, suffix = kind
    assert sorted(names, key=natural) == names
    clips = [f"{one}/{person}/{clip}" for one in names for person in names for clip in names]
    samples = cls(fill(tmp_path, " ".join(c.replace(" ", "_") for c in reversed(clips)), suffix))
    names = [name.replace(" ", "_") for name in names]
    assert samples.classes == names
    assert [path.stem for path in samples.paths[: len(names)]] == names
    assert samples.subjects[:: len(names)].tolist() == names * len(names)


@pytest.mark.parametrize(
    ("names", "options", "persons"),
    [
        ("a/bob/1 a/ann/2 b/bob/x", {}, "bob ann bob"),
        ("a/p2/1 a/p10/1 b/p2/1", {}, "p2 p10 p2"),
        (
            "bend/daria_bend bend/ido_bend run/daria_run",
            {"subject": "^([a-z]+)_"},
            "daria ido daria",
        ),
        ("a/alice_1 a/bob_1 b/alice_2", {"subject": r"^([a-z]+)_\d"}, "alice bob alice"),
        ("a/s12_x a/s3_x b/s12_y", {"subject": r"s(\d+)"}, "12 3 12"),
        ("a/one/bob_1 a/two/deep/ann_2 b/bob_3", {"subject": "(bob|ann)"}, "bob ann bob"),
        ("a/4 a/5 b/9 b/10", {"clips_per_subject": 5}, "0 1 1 2"),
        ("a/0 b/0 b/7", {"clips_per_subject": 7}, "0 0 1"),
    ],
)
def test_persons_are_named_by_one_rule(
    tmp_path: Path, kind: Kind, names: str, options: dict[str, Any], persons: str
) -> None:
    cls, suffix = kind
    samples = cls(fill(tmp_path, names, suffix), **options)
    assert samples.subjects_known
    assert samples.split_warning is None
    found = told(samples, tmp_path)
    assert {n: found[n][1] for n in names.split()} == dict(
        zip(names.split(), persons.split(), strict=True)
    )
    # The same person has one number in all classes.
    assert len(set(samples.groups.tolist())) == len(set(persons.split()))
    assert samples.subset([0]).subjects[0] == samples.subjects[0]


@pytest.mark.parametrize(
    "names",
    [
        "a/0 a/1 a/9 b/0",
        "a/wave_480p_01 a/wave_720p60 b/x_480p",
        "a/person07_x a/subject-3 b/s12",
        "a/g1 a/p2 b/user3",
        "a/alice_1 a/bob_1 b/alice_2",
        "a/ann/1 a/2 b/ann/3",
        "a/user01_led a/user02_led b/user01_led",
    ],
)
def test_persons_that_nothing_names_are_unknown(tmp_path: Path, kind: Kind, names: str) -> None:
    cls, suffix = kind
    samples = cls(fill(tmp_path, names, suffix))
    assert not samples.subjects_known
    assert "nothing says who is in a clip" in samples.split_warning
    assert samples.index["subject_name"].null_count() == len(samples)
    assert "subjects unknown" in repr(samples)
    assert not samples.subset([0]).subjects_known


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_persons_from_an_index_file(tmp_path: Path, kind: Kind, suffix: str) -> None:
    cls, ending = kind
    root = fill(tmp_path / "clips", "a/1 a/x/2 b/1", ending)
    names = [f"{name}{ending}" for name in ("a/1", "a/x/2", "b/1", "gone/7")]
    table = pl.DataFrame({"path": names, "subject": ["007", "bob", "007", "eve"]})
    write = pl.DataFrame.write_csv if suffix == ".csv" else pl.DataFrame.write_parquet
    path = tmp_path / f"index{suffix}"

    def opened(rows: pl.DataFrame) -> Any:
        write(rows, path)
        return cls(root, index_file=path)

    assert opened(table).subjects.tolist() == ["007", "bob", "007"]
    with pytest.raises(FormatError, match=r"says nothing about b/1"):
        opened(table.head(2))
    with pytest.raises(FormatError, match=r"names two subjects of a/1"):
        opened(pl.concat([table, table.head(1).with_columns(subject=pl.lit("eve"))]))
    with pytest.raises(FormatError, match="must have the columns path and subject; it has path"):
        opened(table.drop("subject"))
    path.write_bytes(b"\xff\x00")
    with pytest.raises(FormatError, match="index_file: "):
        cls(root, index_file=path)
    with pytest.raises(FormatError, match=r"index_file: .* cannot be read"):
        cls(root, index_file=tmp_path / f"none{suffix}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subject": "("}, r"subject must be a regular expression with one group.*got '\('"),
        ({"subject": "abc"}, "subject must be a regular expression with one group"),
        ({"subject": "(a)(b)"}, "subject must be a regular expression with one group"),
        ({"subject": 5}, "subject must be a regular expression with one group"),
        (
            {"subject": "^([0-9]+)_"},
            r"subject: '\^\(\[0-9\]\+\)_' finds nobody in the name of .*bob_1",
        ),
        ({"subject": "(z*)"}, "finds nobody"),
        ({"clips_per_subject": 0}, "clips_per_subject must be at least 1"),
        ({"clips_per_subject": 5}, "clips_per_subject must be left out where .*bob_1"),
        ({"index_file": 5}, "index_file must be a path"),
        ({"has_splits": "yes"}, "has_splits must be True, False or None"),
        (
            {"subject": "(b)", "clips_per_subject": 5},
            "subject and clips_per_subject must not be given",
        ),
        ({"split": "train"}, "split must be one of none: leave it out; got 'train'"),
    ],
)
def test_wrong_rules_are_refused_by_name(
    tmp_path: Path, kind: Kind, options: dict[str, Any], message: str
) -> None:
    cls, suffix = kind
    with pytest.raises(ParameterError, match=message):
        cls(fill(tmp_path, "a/bob_1 b/bob_2", suffix), **options)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("Train", "Test"),
        ("training", "testing"),
        ("train", "val"),
        ("train", "valid"),
        ("training", "validation"),
        ("train", "dev"),
        ("train", "eval"),
        ("TRAIN", "evaluation"),
    ],
)
def test_splits_above_classes_are_splits(tmp_path: Path, kind: Kind, train: str, test: str) -> None:
    cls, suffix = kind
    root = fill(tmp_path, f"{train}/a/1 {train}/b/2 {test}/a/3 {test}/b/4", suffix)
    samples = cls(root)
    assert (samples.classes, samples.splits) == (["a", "b"], (train, test))
    assert not samples.subjects_known
    part = cls(root, test)
    assert [path.stem for path in part.paths] == ["3", "4"]
    assert part.classes == ["a", "b"]
    assert part.index["split"].to_list() == [test, test]
    with pytest.raises(ParameterError, match=f"split must be one of '{train}', '{test}'; got 'x'"):
        cls(root, "x")
    # Asked for, they are classes.
    assert cls(root, has_splits=False).classes == sorted([train, test], key=natural)


def test_persons_of_splits_and_other_names_of_splits(tmp_path: Path, kind: Kind) -> None:
    cls, suffix = kind
    names = "train/a/ann/1 train/b/bob/1 test/a/bob/1 test/b/cy/1"
    samples = cls(fill(tmp_path / "1", names, suffix))
    assert sorted(set(samples.subjects.tolist())) == ["ann", "bob", "cy"]
    assert samples.split_warning is None
    warning = cls(tmp_path / "1", "test").split_warning
    assert warning == "1 of 2 persons of this split are in others too"
    fill(tmp_path / "2", "fold1/a/1 fold1/b/1 fold2/a/1 fold2/b/1", suffix)
    assert cls(tmp_path / "2", "fold2", has_splits=True).classes == ["a", "b"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            "train/a/1 test/a/1 walk/ann/1",
            "has the name of a split and lies beside walk.*has_splits",
        ),
        ("train/1 bus/1 car/1", "train: has the name of a split and lies beside bus, car"),
        (
            "train/a/1 train/2 test/a/1",
            r"2\..*: lies in the folder of a split and in none of a class",
        ),
        ("train/1 test/1", "lies in the folder of a split and in none of a class"),
        ("a/train/1 a/test/1 b/train/1 b/test/1", "has the name of a split below a class"),
        ("a/ann/val/1 b/ann/val/1", "has the name of a split below a class"),
        ("data/a/1 data/b/1", "data: the only folder of a class, and holds folders"),
        ("data/train/a/1 data/test/a/1", "has the name of a split below a class"),
        ("train/data/a/1 train/data/b/1", "data: the only folder of a class, and holds folders"),
        ("x/a/ann/1 y/a/ann/1", "2 folders lie between the class 'x' and the clip"),
        ("site/x/a/ann/s1/1 site2/x/a/ann/1", "folders lie between the class"),
    ],
)
def test_folders_that_could_mean_two_things_are_refused(
    tmp_path: Path, kind: Kind, names: str, message: str
) -> None:
    cls, suffix = kind
    with pytest.raises(FormatError, match=message) as caught:
        cls(fill(tmp_path, names, suffix))
    assert str(tmp_path) in str(caught.value)


def link_to(target: str) -> Any:
    def make(path: Path, root: Path) -> None:
        path.symlink_to(root / target, target_is_directory=True)

    return make


def directory(name: str) -> Any:
    def make(path: Path, root: Path) -> None:
        fill(path, name, "")

    return make


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a/loop", link_to(".")),
        ("loop", link_to(".")),
        ("loop", link_to("..")),
        ("a/loop", link_to("b")),
        ("0_before", link_to("a")),
        ("a/self", link_to("a/self")),
        ("__MACOSX", directory("a/1.npz a/1.avi ._2.npz")),
        (".hidden", directory("1.npz 1.avi 1.MP4 1.aedat4")),
        ("a/__MACOSX", directory("1.npz 1.avi")),
        ("a/.AppleDouble", directory("1.npz 1.avi")),
        ("a/._files", directory("1.npz 1.avi")),
    ],
)
def test_links_and_leftovers_add_no_clip(tmp_path: Path, kind: Kind, name: str, make: Any) -> None:
    cls, suffix = kind
    root = fill(tmp_path / "root", "a/1 a/2 b/1 a/._1 ._3", suffix)
    fill(tmp_path, "beside/1", suffix)
    make(root / name, root)
    samples = cls(root)
    assert [*told(samples, root)] == ["a/1", "a/2", "b/1"]
    inspection = cls.inspect(root)
    assert inspection is not None
    assert inspection.found["samples"] == 3


def test_a_class_may_be_a_link(tmp_path: Path, kind: Kind) -> None:
    cls, suffix = kind
    root = fill(tmp_path / "root", "a/1", suffix)
    fill(tmp_path / "elsewhere", "1 2", suffix)
    for name in ("b", "c"):
        (root / name).symlink_to(tmp_path / "elsewhere")
    assert [*told(cls(root), root)] == ["a/1", "b/1", "b/2"]
    (problem,) = walk(root).problems
    assert (problem.kind, problem.path) == ("duplicated", "c")


def leftovers(root: Path) -> None:
    """Write what macOS and editors leave beside everything."""
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        for name in ("._0.npy", "._0.bin", "._shd_train.h5", "._user01_led.aedat", ".DS_Store"):
            (folder / name).write_bytes(b"left over")
    for part in ("Train/0/00001.bin", "ibmGestureTest/user24_led/1.npy", "user01_led.aedat",
                 "boxing/person01_boxing_d1_uncomp.avi", "YoYo/v_YoYo_g03_c01.avi",
                 "diving/v_diving_01_01.avi"):  # fmt: skip
        path = root / "__MACOSX" / part
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left over")
    (root / "loop").symlink_to(root)


@pytest.mark.parametrize(
    ("cls", "names", "n_samples"),
    [
        (NMNIST, "nmnist/Train/0/1.bin nmnist/Train/3/10.bin nmnist/Train/3/9.bin", 3),
        (DVS128Gesture, "ibmGestureTest/user24_led/0.npy ibmGestureTest/user24_led/10.npy", 2),
        (EventFolder, "user01_led/0.npy user01_led/10.npy", 2),
        (KTH, "boxing/person02_boxing_d1_uncomp.avi", 1),
        (UCF101, "YoYo/v_YoYo_g04_c01.avi", 1),
        (UCF11, "diving/v_diving_02/v_diving_02_01.avi", 1),
    ],
)  # fmt: skip
def test_every_data_set_skips_leftovers_and_circles(
    tmp_path: Path, cls: Any, names: str, n_samples: int
) -> None:
    fill(tmp_path, names, "")
    leftovers(tmp_path)
    samples = cls(tmp_path, **({"sequences": False} if cls is KTH else {}))
    assert len(samples) == n_samples
    assert all(path.exists() for path in samples.paths)
    assert [path for path in samples.paths if "__MACOSX" in path.parts] == []
    inspection = cls.inspect(tmp_path)
    if inspection is not None:
        assert not [one for one in inspection.problems if one.kind in ("duplicated", "misplaced")]
    assert SHD.inspect(tmp_path) is None


def test_folders_that_cannot_be_looked_into_are_told(
    tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls, suffix = kind
    root, scan = fill(tmp_path, "a/1 b/1", suffix), os.scandir

    def refused(path: Path) -> Any:
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(FormatError, match=r"b: cannot be looked into \(Permission denied\)"):
        cls(root)
    assert ("unreadable", "b") in {(one.kind, one.path) for one in inspect(root).problems}


def test_rows_say_whether_persons_are_known(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        for person in ("ann", "bob", "cy", "dan"):
            path = tmp_path / name / f"{person}_1.npz"
            path.parent.mkdir(exist_ok=True)
            t, x = np.sort(random.integers(0, 99_999, 400)), random.integers(0, 64, 400)
            np.savez(path, t=t, x=x // (1 + (name == "a")), y=x, p=x % 2)
    few: dict[str, Any] = {"seeds": [0], "variants": [], "controls": ["event counts"]}
    with pytest.warns(DataWarning, match="it is not recorded who is in a clip"):
        rows = compare(load_folder(tmp_path), memory=False, **few)
    assert rows["subjects_known"].to_list() == [False]
    assert "may leak" in rows["split_warning"][0]
    rows = compare(load_folder(tmp_path, subject="^([a-z]+)_"), memory=False, **few)
    assert rows["subjects_known"].to_list() == [True]
    assert rows["split_warning"].to_list() == [None]
    assert rows["split"].to_list() == ["each of 4 groups left out in turn"]
    samples = load_folder(tmp_path, subject="^([a-z]+)_")
    _, test = samples.split(test_groups=["bob"])
    assert set(samples.subjects[test].tolist()) == {"bob"}
    with pytest.raises(ParameterError, match=r"test_groups must be subjects .*'eve' is not"):
        samples.split(test_groups=["eve"])


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes there alone")
@pytest.mark.parametrize("place", ["c\udce9/ann/0 b/ann/1", "a/\udce9/0 b/ann/1"])
def test_labels_are_utf8(tmp_path: Path, kind: Kind, place: str) -> None:
    cls, suffix = kind
    try:
        fill(tmp_path, place, suffix)
    except OSError:
        pytest.skip("the file system knows no such names")
    with pytest.raises(FormatError, match=r"\\xe9.* not UTF-8.* must be"):
        cls(tmp_path)
    assert any("not UTF-8" in one.words and one.harms for one in inspect(tmp_path).problems)


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes there alone")
def test_names_of_clips_are_any_bytes(tmp_path: Path, kind: Kind) -> None:
    cls, suffix = kind
    try:
        fill(tmp_path, "a/ann\udce9_0 a/bob_1", suffix)
    except OSError:
        pytest.skip("the file system knows no such names")
    samples = cls(tmp_path)
    assert len(samples) == 2
    with pytest.raises(FormatError, match=r"ann\\xe9_0.*no table can hold it"):
        _ = samples.index
    with pytest.raises(FormatError, match="not UTF-8"):
        cls(tmp_path, subject="^([^_]+)_")
