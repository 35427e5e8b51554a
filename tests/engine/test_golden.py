"""The compiled package gives the bits that the core's own golden test expects.

Only a change that says so in CHANGELOG may move them; `make golden` writes them anew.
"""

import json
import os
import subprocess
import sys

import golden_networks
import pytest


@pytest.mark.parametrize("level", ["detected", "avx2", "baseline"])
def test_bits_are_those_of_the_file(level):
    # The instructions are chosen once a process.
    done = subprocess.run(
        [sys.executable, golden_networks.__file__],
        env=os.environ | {"HRSNN_SIMD": level},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found, expected = json.loads(done.stdout), golden_networks.read("hashes.json")
    moved = [
        f"{name}: {what} {value}, not {expected[name][what]}"
        for name, hashes in found.items()
        for what, value in hashes.items()
        if expected[name][what] != value
    ]
    assert moved == []
    assert found.keys() == expected.keys()
    assert len(found) == 13
