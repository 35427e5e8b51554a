import os
import subprocess
import sys
import threading

import pytest
from hrsnn_rs.errors import MissingDependencyError
from hrsnn_rs.plotting import canvas
from hrsnn_rs.plotting import figures as plotting

matplotlib = pytest.importorskip("matplotlib")

DRAW = """
import hashlib, sys
from hrsnn_rs.plotting import png, time_constants
print(hashlib.sha256(png(time_constants([20.0, 25.0, 60.0]))).hexdigest())
import matplotlib
sys.stderr.write(matplotlib.rcParams._get("backend") if len(sys.argv) > 1 else "")
"""


def drawn(environment, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", DRAW, *arguments],
        env={name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
        | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def plain():
    return drawn({})[0]


@pytest.mark.parametrize("backend", ["nonsense", "TkAgg", "module://nowhere.at_all", "pgf", ""])
def test_a_backend_of_the_users_does_not_matter(backend, plain):
    assert drawn({"MPLBACKEND": backend})[0] == plain


def test_a_backend_of_the_users_is_left_for_what_is_drawn_elsewhere():
    assert drawn({"MPLBACKEND": "svg"}, "tell")[1] == "svg"


@pytest.mark.parametrize(
    "line",
    [
        "text.usetex: True",
        "backend: TkAgg",
        "font.family: No Such Font",
        "figure.dpi: 17",
        "savefig.format: svg",
        "savefig.bbox: tight",
        "axes.facecolor: black",
        "path.sketch: 1, 100, 2",
        "figure.autolayout: True",
        "axes.formatter.use_locale: True",
    ],
)
def test_settings_of_the_users_do_not_matter(line, plain, tmp_path):
    (tmp_path / "matplotlibrc").write_text(line + "\n")
    assert drawn({"MATPLOTLIBRC": str(tmp_path)})[0] == plain


def test_settings_are_the_users_again_afterwards():
    with matplotlib.rc_context({"text.usetex": True, "figure.dpi": 17}):
        before = dict(matplotlib.rcParams)
        assert canvas.png(plotting.time_constants([1.0, 2.0])).startswith(b"\x89PNG")
        with pytest.raises(Exception, match="one shape"):
            plotting.time_constants([])
        assert dict(matplotlib.rcParams) == before


def test_threads_draw_one_after_the_other():
    before, pictures = dict(matplotlib.rcParams), []

    def draw():
        pictures.append(canvas.png(plotting.confusion([[3, 1], [0, 4]], "ab")))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pictures) == 4
    assert len(set(pictures)) == 1
    assert dict(matplotlib.rcParams) == before


def test_without_matplotlib_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "hrsnn_rs\[plot\]"'):
        plotting.time_constants([1.0, 2.0])
