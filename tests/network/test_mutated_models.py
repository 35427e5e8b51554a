"""Mutated model files and checkpoints: no crash, no hang, no memory out of proportion.

The work is done in a program of its own, so that a crash is seen and memory is that of one process.
"""

import subprocess
import sys
from pathlib import Path

import damaged_files
import hrsnn_rs as hr
import pytest
from crafted_files import network, sample, saved


def mutate(source: str, n: int, seed: int) -> dict[str, float]:
    def first(net: hr.Network) -> None:
        net.train([sample()])

    def use(net: hr.Network) -> None:
        net.recurrent_weights.check_format()
        if net.n_inputs == 3:
            net.run(sample())

    return damaged_files.mutate(Path(source), n, seed, hr.Network.load, first, use)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux")
@pytest.mark.parametrize("kind", ["model", "checkpoint"])
def test_mutated_files_are_refused_or_whole(tmp_path, kind):
    path = tmp_path / "net.safetensors"
    saved(path)
    if kind == "checkpoint":
        network().train([sample()], checkpoint=tmp_path / "kept")
        path = max((tmp_path / "kept").iterdir())
    told = damaged_files.mutations(__file__, path, 400, seed=4)
    assert told["refused"] + told["loaded"] == 400
    assert told["refused"] > 200
    assert told["slowest"] < 1.0
    assert told["memory"] < 64e6


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
