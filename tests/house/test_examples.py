"""The examples run, on what they make up themselves and on a file."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from video_files import moving_square, write_video

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
#: Hz of E and I in NEST 3.10: iaf_psc_delta, the same in-degrees without autapses or multapses, a
#: step of 0.01 ms, 1 s after 0.2 s; mean of 5 seeds, with a standard error of 0.1 Hz.
NEST_RATES = (37.85, 37.82)


def run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=True, cwd=EXAMPLES
    )
    return done.stdout


def test_encoders_of_a_clip_are_compared_and_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    clip = write_video(tmp_path / "clip.avi", moving_square(10, 48, 64))
    picture = tmp_path / "encoders.png"
    said = run("compare_encoders.py", str(clip), "--output", str(picture)).splitlines()
    assert said[0] == "10 frames of 48 x 64, 25 a second"
    n_events = [int(line.split()[3]) for line in said[2:8]]
    assert n_events[0] > n_events[1] > n_events[2] > 0
    assert n_events[3] >= n_events[4] >= n_events[5] > 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_page_on_encoders_shows_what_the_example_prints():
    said = run("compare_encoders.py").splitlines()
    page = (EXAMPLES.parent / "docs" / "encoders.md").read_text()
    assert said[0] in page
    for line in said[1:8]:
        assert line[:-10].rstrip() in page  # without the speed


def test_brunels_network_takes_fifteen_lines_and_fires_as_in_nest():
    code = ast.parse((EXAMPLES / "brunel.py").read_text())
    (function,) = [f for f in code.body if getattr(f, "name", "") == "brunel"]
    assert function.end_lineno - function.lineno + 1 <= 15
    said = run("brunel.py").splitlines()
    # The rate of a second of ours has a standard deviation of 0.3 Hz: so small a network fires in
    # step now and then.
    for line, name, n, nest in zip(said, "EI", (2000, 500), NEST_RATES, strict=False):
        words = line.replace(",", "").split()
        assert words[:3] == [f"{name}:", str(n), "neurons"]
        assert float(words[3]) == pytest.approx(nest, rel=0.02)
        assert 0.3 < float(words[6]) < 1.0


def test_two_layers_tell_directions():
    said = run("two_layers.py").splitlines()
    assert said[0] == "moving right: right fires at [96.0] ms"  # 19 steps of 5 ms, 1 ms of delay
    fired = [line.split(" fires at ")[1] for line in said]
    assert fired == ["[96.0] ms", "[] ms", "[] ms", "[96.0] ms", "[96.0] ms", "[296.0] ms"]


def test_three_kinds_of_plasticity_do_what_their_rules_say():
    said = [line.split() for line in run("three_plasticities.py").splitlines()]
    change = {
        " ".join(words[:-5]): float(words[-2]) - float(words[-5].removesuffix(","))
        for words in said
    }
    assert change["early -> E"] > 0.1
    assert change["late -> E"] < -0.1
    assert change["E -> E"] != 0.0
    assert change["E -> I"] > 0.05
    assert change["I -> E"] == change["I -> I"] == 0.0
