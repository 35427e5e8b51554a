"""The workload in Auryn, from the library that AURYN names: nothing is fetched.

AURYN is a folder with headers in include/auryn or src/auryn and libauryn in lib, src or
build/release/src: where Auryn 0.8 was installed or built. `run_auryn.cpp` is compiled with the
flags of Auryn's own release, once for a library, and kept beside the workload; `compile_wall` is
what that took, 0 if it was there.

A grid of 1 ms. Auryn lets groups evolve, then connections deliver. So `evolve` tests what arrived
in the step before and then relaxes, and with a `SpikeDelay` of 0 steps a spike is delivered in the
step that it is found in: 1 ms after the arrival that made it. That is our order. Neurons are a
group of our own, since Auryn's have one threshold, tau_m and t_ref for all; they work on its state
vectors, as its own do. Threads it has none: it parallelises by MPI.

STDP is `STDPConnection`: additive, all-to-all. What it cannot say:
- a connection has one amplitude and one tau on either side: the means of ours are taken;
- a spike is found, and paired, one step after the arrival that made it. So its window is ours, 1 ms
  further on, and that arrival counts. The areas under the window are the same, and that decides
  the rates.
"""

import hashlib
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from outcome import parse, say
from workload import STEP_MS, Workload

SOURCE = Path(__file__).with_suffix(".cpp")
FLAGS = ("-O3", "-DNDEBUG", "-march=native", "-ffast-math")
HEADERS = ("include", "src")
LIBRARIES = tuple(
    f"{folder}/libauryn.{kind}"
    for folder in ("lib", "lib64", "build/release/src", "src")
    for kind in ("a", "so")
)


def found(auryn: Path, names: tuple[str, ...], inside: str = "") -> Path:
    """The first of `names` that `auryn` has, with what must be `inside`."""
    for name in names:
        if (auryn / name / inside).exists():
            return (auryn / name).resolve()
    raise SystemExit(f"AURYN={auryn} has none of {', '.join(names)} with {inside or 'Auryn'}.")


def command(auryn: Path) -> list[str]:
    """Compile `run_auryn.cpp` with the library in `auryn`; where to is still missing."""
    headers = found(auryn, HEADERS, "auryn/auryn_definitions.h")
    library = found(auryn, LIBRARIES)
    definitions = (headers / "auryn" / "auryn_definitions.h").read_text(encoding="utf-8")
    has_mpi = re.search(r"^\s*#\s*define\s+AURYN_CODE_USE_MPI", definitions, re.MULTILINE)
    compiler = os.environ.get("CXX", "mpicxx" if has_mpi else "c++")
    boost = (*(["mpi"] if has_mpi else []), "serialization", "filesystem")
    return [
        compiler, *FLAGS, f"-I{headers}", str(SOURCE), str(library),
        f"-Wl,-rpath,{library.parent}", *(f"-lboost_{name}" for name in boost),
    ]  # fmt: skip


def compiled(auryn: Path, folder: Path) -> tuple[Path, float]:
    """The program, and how long compiling it took, s."""
    words = command(auryn)
    built = found(auryn, LIBRARIES).stat().st_mtime_ns
    key = f"{built} {' '.join(words)}".encode() + SOURCE.read_bytes()
    program = folder / f"auryn-{hashlib.blake2b(key, digest_size=6).hexdigest()}"
    if program.exists():
        return program, 0.0
    start = time.perf_counter()
    partial = program.with_suffix(".partial")
    done = subprocess.run([*words, "-o", str(partial)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stderr}\nrun_auryn.cpp does not compile with AURYN={auryn}.")
    partial.replace(program)
    return program, time.perf_counter() - start


def arrays(work: Workload, learn: bool) -> list[np.ndarray]:
    """What `run_auryn.cpp` reads, in its order."""

    def recurrent(keep: np.ndarray) -> list[np.ndarray]:
        return [work.pre[keep].astype(np.uint32), work.indices[keep], work.weight[keep]]

    plastic = work.plastic if learn else np.zeros_like(work.plastic)
    mean = {
        name: float(np.mean(getattr(work, name)[work.plastic]))
        for name in ("tau_plus", "tau_minus", "a_plus", "a_minus")
    }
    taus = [mean["tau_plus"] / 1000.0, mean["tau_minus"] / 1000.0]
    channel = np.repeat(np.arange(work.n_inputs), np.diff(work.input_indptr))
    return [
        np.array([work.n_inputs, work.n_neurons, work.n_steps, learn], np.int64),
        np.array([STEP_MS / 1000.0, *taus, mean["a_plus"], mean["a_minus"], work.w_max]),
        np.searchsorted(work.event_step, np.arange(work.n_steps + 1)).astype(np.int64),
        work.event_channel,
        np.exp(-STEP_MS / work.tau_m).astype(np.float32),
        work.v_threshold.astype(np.float32),
        np.rint(work.t_ref / STEP_MS).astype(np.int32) - 1,
        channel.astype(np.uint32),
        work.input_indices,
        np.full(channel.size, work.input_weight, np.float32),
        *recurrent(~plastic),
        *(recurrent(plastic) if learn else []),
    ]


def run(program: Path, folder: Path) -> list[str]:
    """The four words that the program ends with; Auryn may have said something before."""
    done = subprocess.run([str(program), str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stderr}\nAuryn's program ended with {done.returncode}.")
    return done.stdout.split()[-4:]


def main() -> None:
    arguments = parse(__doc__)
    program, compile_wall = compiled(Path(os.environ["AURYN"]), arguments.path.parent)
    with tempfile.TemporaryDirectory(dir=arguments.path.parent) as name:
        folder = Path(name)
        with (folder / "workload").open("wb") as file:
            for array in arrays(arguments.work, arguments.learn):
                np.array([array.size], np.int64).tofile(file)
                array.tofile(file)
        version, wall, build_wall, memory = run(program, folder)
        step, neuron = np.fromfile(folder / "spikes", np.uint32).reshape(-1, 2).T
    say(
        arguments,
        "Auryn (homogeneous)",
        step.astype(np.int64),
        neuron.astype(np.int64),
        wall=float(wall),
        build_wall=float(build_wall),
        compile_wall=compile_wall,
        peak_memory=float(memory),
        network_memory=float(memory),
        versions={"auryn": version},
    )


if __name__ == "__main__":
    main()
