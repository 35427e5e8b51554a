"""The examples run, on what they make up themselves and on a file."""

import subprocess
import sys
from pathlib import Path

import pytest
from video_files import moving_square, write_video

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


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
