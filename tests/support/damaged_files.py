"""Files with changed bytes, loaded and used in a program of its own.

So a crash is seen, and memory is that of one process.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import hrsnn_rs as hr
from crafted_files import mutated

T = TypeVar("T")

MUTATIONS = """if True:
    import importlib.util, json, sys
    place = importlib.util.spec_from_file_location("tests", sys.argv[1])
    tests = importlib.util.module_from_spec(place)
    place.loader.exec_module(tests)
    print(json.dumps(tests.mutate(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
"""


def mutations(tests: str, path: Path, n: int, seed: int) -> dict[str, float]:
    """What `mutate(path, n, seed)` of the file `tests` tells, from a program of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", MUTATIONS, tests, str(path), str(n), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def mutate(
    source: Path,
    n: int,
    seed: int,
    load: Callable[[Path], T],
    first: Callable[[T], None],
    use: Callable[[T], None],
) -> dict[str, float]:
    """Load `n` damaged files, and go on with those that are whole.

    Memory counts from what the file as it was took to `load` and to use `first`.
    """

    def peak() -> int:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    content, rng = source.read_bytes(), random.Random(seed)
    path = source.with_suffix(".mutated")
    path.write_bytes(content)
    first(load(path))
    before, slowest, refused, loaded = peak(), 0.0, 0, 0
    for _ in range(n):
        path.write_bytes(mutated(content, rng))
        begin = time.process_time()
        try:
            whole = load(path)
        except hr.FormatError:
            refused += 1
        else:
            loaded += 1
            use(whole)
        slowest = max(slowest, time.process_time() - begin)
    return {
        "refused": refused,
        "loaded": loaded,
        "slowest": slowest,
        "memory": peak() - before - 4 * len(content),
    }
