"""Try a wheel where nothing else is: a fresh environment of each Python that the machine has.

    python tests/packaging/bare.py dist/hrsnn_rs-*.whl [--extras video,plot]

Installs it, runs README's example as it stands and a small `hrsnn demo`, and says how long each
took. With `--extras` each extra is installed alone, and the tests that it is for are run. The
folder of the repository is not on the path, so that nothing but the wheel can be imported.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
OLDEST = (3, 11)
DEMO = ["demo", "--seeds", "1", "--subjects", "4", "--neurons", "100"]
#: What an extra is for, by the tests that skip or fail without it.
TESTS = {
    "arrow": ["tests/network/test_arrow.py"],
    "cli": ["tests/cli/test_cli_options.py", "tests/cli/test_cli_numbers.py"],
    "events": ["tests/recordings/test_foreign_files.py", "tests/recordings/test_raw_clocks.py"],
    "nir": ["tests/network/test_nir_graph.py"],
    "nwb": ["tests/network/test_spike_trains.py"],
    "plot": ["tests/plotting", "tests/report"],
    "search": ["tests/search/test_study.py"],
    "shd": ["tests/datasets/test_shd.py"],
    "video": ["tests/recordings/test_video.py", "tests/datasets/test_video_folder.py"],
}


def said(*command: str | Path, cwd: Path | None = None) -> str:
    """What a command prints; its errors are shown, and end the trial."""
    # Neither a path nor an environment of the caller's is seen by what runs here.
    kept = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=kept | {"PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def pythons() -> dict[tuple[int, ...], Path]:
    """Interpreters that are new enough, by version: on the path, pyenv's, and this one."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    found = [path for folder in folders for path in sorted(folder.glob("python3.[0-9]*"))]
    found += sorted(Path.home().glob(".pyenv/versions/*/bin/python"))
    versions: dict[tuple[int, ...], Path] = {}
    ask = "import json, sys; print(json.dumps([sys.version_info[:2], sys._base_executable]))"
    for path in [Path(sys.executable), *found]:
        try:
            answer = subprocess.run([path, "-c", ask], capture_output=True, check=True).stdout
            version, base = json.loads(answer)
        except (OSError, ValueError, subprocess.CalledProcessError):  # python3.11-config, shims
            continue
        if tuple(version) >= OLDEST:
            versions.setdefault(tuple(version), Path(base))
    return dict(sorted(versions.items()))


def environment(python: Path, folder: Path, *packages: str | Path) -> Path:
    """Make an environment with these packages, and give its Python."""
    said(python, "-m", "venv", folder)
    (inside,) = [path for path in folder.glob("*/python*") if path.stem == "python"]
    said(inside, "-m", "pip", "install", "--quiet", *packages)
    return inside


def try_wheel(python: Path, wheel: Path) -> str:
    """Install, run README's example and the demo; one row of the table."""
    (example,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        times = [time.perf_counter()]
        inside = environment(python, folder / "env", wheel)
        times.append(time.perf_counter())
        script = folder / "example.py"
        script.write_text(example, encoding="utf-8")
        # It prints accuracies, that of its best last.
        score = float(said(inside, script, cwd=folder).split()[-1])
        times.append(time.perf_counter())
        said(inside.parent / "hrsnn", *DEMO, cwd=folder)
        times.append(time.perf_counter())
        if not (folder / "report.html").is_file():
            raise SystemExit("the demo wrote no page")
    install, run, demo = (f"{b - a:.1f}" for a, b in pairwise(times))
    return f"{install:>9}{run:>9}{demo:>9}{score:>9.2f}"


def try_extra(python: Path, wheel: Path, extra: str) -> str:
    """Install the wheel with one extra, and run its tests; pytest's last line."""
    with tempfile.TemporaryDirectory() as name:
        inside = environment(
            python, Path(name) / "env", f"{wheel}[{extra}]", "pytest>=8.3", "hypothesis>=6.120"
        )
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow and not external"]
        where = said(inside, "-c", "import hrsnn_rs; print(hrsnn_rs.__file__)", cwd=Path(name))
        if "site-packages" not in where:
            raise SystemExit(f"not the wheel's: {where}")
        return said(inside, *words, *TESTS[extra], cwd=ROOT).splitlines()[-1]


def main() -> None:
    """Try everything, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument(
        "--extras", default="", help=f"try these alone, with commas between: {', '.join(TESTS)}"
    )
    arguments = parser.parse_args()
    wheel = arguments.wheel.resolve()
    print(f"{wheel.name}, {wheel.stat().st_size / 1e6:.2f} MB")
    found = pythons()
    print(f"{'Python':<9}{'install':>9}{'example':>9}{'demo':>9}{'score':>9}  (seconds)")
    for version, python in found.items():
        print(f"{'.'.join(map(str, version)):<9}{try_wheel(python, wheel)}", flush=True)
    for extra in filter(None, arguments.extras.split(",")):
        newest = list(found.values())[-1]
        print(f"[{extra}]: {try_extra(newest, wheel, extra)}", flush=True)


if __name__ == "__main__":
    main()
