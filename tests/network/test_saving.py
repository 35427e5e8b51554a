"""What saving may replace: files, not links, bits, devices or pipes."""

import json
import os
import socket
import stat
from pathlib import Path

import hrsnn_rs as hr
import numpy as np
import polars as pl
import pytest
from hrsnn_rs.cli.command import main
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events import SensorEvents
from hrsnn_rs.learning import ROW_SCHEMA, HRSNNClassifier
from hrsnn_rs.network.presets import default_network
from hrsnn_rs.network.saving import home_of, keeping_mode, replace_file
from hrsnn_rs.plotting import clip_gif
from hrsnn_rs.report import write_report

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")

ROWS = pl.DataFrame([{"system": "HeNHeS", "seed": 0, "accuracy": 0.8}], schema=ROW_SCHEMA)
NETWORK = default_network(8, sensor=(2, 2), n_neurons=10, seed=1)


@pytest.fixture(scope="module")
def savers(tmp_path_factory):
    """Each way of saving, called with a path."""
    table = np.random.default_rng(3).uniform(1.0, 9.0, (8, 3))
    small = HRSNNClassifier(n_neurons=20, layers="recurrent", n_threads=1)
    classifier = small.fit(table, np.tile([0, 1], 4))
    simulation = hr.network.Simulation(NETWORK, hr.Events([1000], [0], n_channels=8))
    clip = SensorEvents([100, 90_000], [0, 1], [0, 1], [0, 1], 2, 2)
    folder = tmp_path_factory.mktemp("clips")
    for word in ("left", "right"):
        (folder / word).mkdir()
        np.savez(folder / word / "0.npz", t=[1], x=[2], y=[3], p=[1])
    return {
        "network": NETWORK.save,
        "classifier": classifier.save,
        "simulation": simulation.save,
        "gif": lambda path: clip_gif(path, clip),
        "page": lambda path: write_report(path, ROWS, command="hrsnn demo"),
        "index": lambda path: main(["data", "index", str(folder), "-o", str(path), "--json"]),
    }


WAYS = ("network", "classifier", "simulation", "gif", "page", "index")


@pytest.mark.parametrize("way", WAYS)
def test_a_link_stays_and_its_file_is_replaced(savers, way, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    file, link = inner / "file", tmp_path / "link"
    file.write_bytes(b"old")
    file.chmod(0o640)
    link.symlink_to("inner/file")
    savers[way](link)
    assert (link.is_symlink(), str(link.readlink())) == (True, "inner/file")
    assert file.read_bytes() != b"old"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [*inner.iterdir()] == [file]
    file.unlink()
    savers[way](link)
    assert link.is_symlink()
    assert file.stat().st_size > 3


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_what_is_no_file_is_refused_and_stays(savers, way, kind, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)  # names of sockets must be short
    with socket.socket(socket.AF_UNIX) as made:
        os.mkfifo("it") if kind == "pipe" else made.bind("it")
        before = Path("it").stat()
        if way == "index":
            assert savers[way]("it") == 1
            said = capsys.readouterr().err
        else:
            with pytest.raises(ParameterError) as caught:
                savers[way]("it")
            said = str(caught.value)
        assert f"must be a regular file or a new one; got a {kind}: it" in said
        assert Path("it").stat() == before
        assert [*tmp_path.iterdir()] == [tmp_path / "it"]


def test_a_device_is_refused(tmp_path):
    device = tmp_path / "nothing"
    try:
        os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")
    for path in (device, tmp_path / "link"):
        if path != device:
            path.symlink_to(device)
        with pytest.raises(ParameterError, match=r"path must be a regular .* got a device: "):
            NETWORK.save(path)
        assert stat.S_ISCHR(path.stat().st_mode)


def test_a_command_refuses_before_its_work(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    words = ["train", str(tmp_path / "no such data"), "--model", str(tmp_path / "pipe")]
    assert main(words) == 1
    assert "--model must be a regular file or a new one; got a pipe" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs names of open files")
def test_a_file_is_on_the_disk_before_it_has_its_name_and_the_name_after(tmp_path, monkeypatch):
    seen = []

    def synced(place):
        name = Path(f"/proc/self/fd/{place}").readlink()
        seen.append((name.suffix, (tmp_path / "file").exists()))

    monkeypatch.setattr(os, "fsync", synced)
    replace_file(tmp_path / "file", lambda part: part.write_text("whole"))
    assert seen == [(".part", False), (tmp_path.suffix, True)]


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_text(json.dumps("old"))

    def write(part):
        part.write_text("half")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        replace_file(path, write)
    assert (json.loads(path.read_text()), [*tmp_path.iterdir()]) == ("old", [path])
    with pytest.raises(OSError, match="full"), keeping_mode(path):
        raise OSError("full")


def test_links_in_a_circle_and_folders_are_left_to_the_system(tmp_path):
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(OSError, match="circle"):
        NETWORK.save(tmp_path / "circle")
    assert home_of("path", tmp_path) == tmp_path
    with pytest.raises(OSError, match="director"):
        NETWORK.save(tmp_path)
