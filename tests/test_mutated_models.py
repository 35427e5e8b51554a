"""Mutated model files and checkpoints: no crash, no hang, no memory out of proportion.

The work is done in a program of its own, so that a crash is seen and memory is that of one process.
"""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import hrsnn_rs as hr
import pytest
from crafted_files import mutated, network, sample, saved

MUTATIONS = """if True:
    import json, sys
    import test_mutated_models as tests
    print(json.dumps(tests.mutate(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
"""


def mutate(source: str, n: int, seed: int) -> dict[str, float]:
    """Load `n` damaged files, and go on with those that are whole."""

    def peak() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    content, rng = Path(source).read_bytes(), random.Random(seed)
    path = Path(source).with_suffix(".mutated")
    path.write_bytes(content)
    hr.Network.load(path).train([sample()])
    before, slowest, refused, loaded = peak(), 0.0, 0, 0
    for _ in range(n):
        path.write_bytes(mutated(content, rng))
        begin = time.process_time()
        try:
            net = hr.Network.load(path)
        except hr.FormatError:
            refused += 1
        else:
            loaded += 1
            net.recurrent_weights.check_format()
            if net.n_inputs == 3:
                net.run(sample())
        slowest = max(slowest, time.process_time() - begin)
    return {
        "refused": refused,
        "loaded": loaded,
        "slowest": slowest,
        "memory": peak() - before - 4 * len(content),
    }


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux")
@pytest.mark.parametrize("kind", ["model", "checkpoint"])
def test_mutated_files_are_refused_or_whole(tmp_path, kind):
    path = tmp_path / "net.safetensors"
    saved(path)
    if kind == "checkpoint":
        network().train([sample()], checkpoint=tmp_path / "kept")
        path = max((tmp_path / "kept").iterdir())
    told = mutations(path, 400, seed=4)
    assert told["refused"] + told["loaded"] == 400
    assert told["refused"] > 200
    assert told["slowest"] < 1.0
    assert told["memory"] < 64e6


def mutations(path: Path, n: int, seed: int) -> dict[str, float]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", MUTATIONS, str(path), str(n), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


LARGE = """if True:
    import sys
    from pathlib import Path
    import hrsnn_rs as hr
    def peak():
        lines = open("/proc/self/status").read().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    path = Path(sys.argv[1])
    before = peak()
    net = hr.Network.load(path)
    print(peak() - before, path.stat().st_size)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux")
def test_loading_takes_at_most_four_times_the_file(tmp_path):
    path = tmp_path / "large.safetensors"
    rule = hr.RandomConnectivity(p=0.5, delay=hr.Uniform(1.0, 20.0))
    hr.Network(2, 2000, recurrent=rule, plasticity=hr.STDP()).save(path)
    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    taken, size = map(int, done.stdout.split())
    assert size > 80e6
    assert size < taken < 4 * size + 64e6
