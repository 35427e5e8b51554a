"""The benches: what they draw, what they refuse, what they write. Speed itself is not tested."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import budget
import clips
import dense
import hrsnn_rs as hr
import measure_peers
import numpy as np
import peers_page
import polars as pl
import pytest
import run_auryn
import threads
import workload
from kept_runs import KeptRuns
from outcome import raster

BENCHES = Path(workload.__file__).parent


@pytest.fixture(scope="module")
def work() -> workload.Workload:
    return workload.draw("n200", input_weight=0.1)


def test_drawn_networks_are_what_the_page_says(work: workload.Workload) -> None:
    n, p = 200, 0.1
    assert work.n_neurons == n
    # 6 standard deviations of a binomial: a false alarm in 10^9.
    assert abs(work.indices.size - p * n * (n - 1)) < 6 * np.sqrt(n * n * p)
    assert not np.any(work.pre == work.indices)
    assert len(set(zip(work.pre, work.indices, strict=True))) == work.indices.size
    assert set(np.bincount(work.input_indices)) == {workload.IN_DEGREE}
    excitatory = work.pre < 0.8 * n
    assert np.array_equal(work.weight > 0, excitatory)
    assert np.array_equal(work.plastic, excitatory & (work.indices < 0.8 * n))
    assert np.all(work.weight[work.plastic] <= np.float32(work.w_max))


def test_a_workload_survives_its_file(work: workload.Workload, tmp_path: Path) -> None:
    path = tmp_path / "n200-10Hz.npz"
    work.save(path)
    again = workload.Workload.load(path)
    for name in workload.Workload.__dataclass_fields__:
        assert np.array_equal(getattr(work, name), getattr(again, name)), name
    assert list(tmp_path.iterdir()) == [path]


def test_events_after_the_end_do_not_count(work: workload.Workload) -> None:
    degree = np.diff(work.indptr)
    step = np.array([0, work.n_steps - 2, work.n_steps - 1])
    assert work.n_synaptic_events(step, np.array([3, 4, 5])) == degree[3] + degree[4]


@pytest.mark.parametrize("learn", [False, True])
def test_the_run_of_hrsnn_rs_counts_its_own_events(
    work: workload.Workload, tmp_path: Path, learn: bool
) -> None:
    path = tmp_path / "n200-10Hz.npz"
    work.save(path)
    command = [sys.executable, str(BENCHES / "run_hrsnn.py"), str(path), "--threads", "2"]
    command += ["--learn"] if learn else []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    outcome = json.loads(done.stdout)
    spikes = workload.network(work).run(workload.events(work), learn=learn).spikes
    assert outcome["n_spikes"] == spikes.height > 0
    assert outcome["raster"] == raster(
        work, spikes["t"].to_numpy() // 1000, spikes["neuron"].to_numpy()
    )


def test_dense_matrices_hold_each_synapse_and_zeros(work: workload.Workload) -> None:
    recurrent = dense.recurrent_matrix(work)
    assert np.array_equal(recurrent[work.pre, work.indices], work.weight)
    assert np.count_nonzero(recurrent) == work.indices.size
    inputs = dense.input_matrix(work)
    assert inputs.shape == (work.n_inputs, work.n_neurons)
    assert np.all(np.count_nonzero(inputs, axis=0) == workload.IN_DEGREE)
    assert set(np.unique(inputs)) == {0.0, np.float32(work.input_weight)}


def test_one_set_of_constants_has_the_means_of_what_learns(work: workload.Workload) -> None:
    def only_learning(value: float) -> np.ndarray:
        return np.where(work.plastic, np.float32(value), np.float32(1e6))

    same = replace(
        work,
        a_plus=only_learning(0.25),
        a_minus=only_learning(0.5),
        tau_plus=only_learning(16.0),
        tau_minus=only_learning(24.0),
    )
    assert dense.rule(same) == dense.Rule(a_plus=0.25, a_minus=0.5, tau=20.0)


@pytest.fixture(scope="module")
def few_clips() -> tuple[hr.Network, list[hr.Events]]:
    """A small network of `clips.py`'s kind and two clips of unequal length, events often twice."""
    network = hr.Network(
        n_inputs=12,
        n_neurons=60,
        neuron=hr.LIF(tau_m=hr.Gamma(mean=20.0, shape=3.0), t_ref=2.0),
        inputs=hr.RandomConnectivity(p=0.3, weight=hr.Gamma(mean=4.0, shape=3.0)),
        recurrent=hr.RandomConnectivity(p=0.2, weight=hr.Gamma(mean=2.0, shape=3.0)),
        seed=7,
    )
    rng = np.random.default_rng(7)
    samples = []
    for duration in (300_001, 200_000):
        t = np.sort(rng.integers(0, duration, 1500))
        samples.append(hr.Events(t, rng.integers(0, 12, t.size), 12, duration=duration))
    return network, [sample.quantized(1000) for sample in samples]


def on_the_grid(given: dense.Clips, frames: np.ndarray) -> np.ndarray:
    """Spikes of dense matrices step by step, shape of `frames` with neurons for channels."""
    decay = np.exp(-workload.STEP_MS / given.tau_m)
    spiked = np.zeros((*frames.shape[:2], given.tau_m.size), bool)
    v, blocked = np.zeros(spiked.shape[1:]), np.zeros(spiked.shape[1:], bool)
    before = blocked
    for step, frame in enumerate(frames):
        arriving = frame @ given.inputs + before @ given.recurrent.astype(float)
        v = v * decay + np.where(before, 0.0, arriving)
        before = spiked[step] = v >= given.v_threshold
        v[before] = 0.0
    return spiked


def test_clips_as_dense_matrices_have_the_spikes_of_hrsnn_rs(few_clips, tmp_path: Path) -> None:
    network, samples = few_clips
    dense.Clips.of(network, samples).save(tmp_path / "clips.npz")
    given = dense.Clips.load(tmp_path / "clips.npz")
    assert given.n_steps.tolist() == [301, 200]
    both = range(2)
    frames = given.frames(both)
    assert frames.shape == (301, 2, 12)
    assert frames.sum(axis=(0, 2)).tolist() == [1500, 1500]
    assert frames.max() > 1.0
    spiked = on_the_grid(given, frames)
    for k, sample in enumerate(samples):
        spikes = network.run(sample).spikes
        step, neuron = np.nonzero(spiked[: given.n_steps[k], k])
        assert spikes.height == step.size > 100
        assert set(zip(spikes["t"] // 1000, spikes["neuron"], strict=True)) == set(
            zip(step, neuron, strict=True)
        )


def test_clips_with_other_numbers_of_spikes_are_refused() -> None:
    assert clips.disagreement("snnTorch", [600, 400], [401, 603]) == pytest.approx(0.004)
    with pytest.raises(SystemExit, match=r"snnTorch: \+0\.60% spikes"):
        clips.disagreement("snnTorch", [600, 400], [402, 604])


@pytest.mark.external
@pytest.mark.parametrize("simulator", ["snnTorch", "BindsNET"])
@pytest.mark.parametrize("batch", [1, 2])
def test_clips_elsewhere_have_the_spikes_of_hrsnn_rs(
    few_clips, tmp_path: Path, simulator: str, batch: int
) -> None:
    if not clips.TORCH.exists():
        pytest.skip("needs make .venv-torch/ready")
    network, samples = few_clips
    path = tmp_path / "clips.npz"
    dense.Clips.of(network, samples).save(path)
    run = clips.run_there(path, simulator, batch, threads=1, cap=600.0)
    assert run["n_spikes"] == clips.run_here(network, samples, 1)["n_spikes"]


@pytest.mark.external
@pytest.mark.parametrize("simulator", ["BindsNET", "Auryn"])
@pytest.mark.parametrize("mode", measure_peers.MODES)
def test_others_do_the_same_work(
    work: workload.Workload, tmp_path: Path, simulator: str, mode: str
) -> None:
    other = measure_peers.SIMULATORS[simulator]
    if why := other.absence():
        pytest.skip(f"{simulator}: {why}")
    path = tmp_path / "n200-10Hz.npz"
    work.save(path)
    ours = measure_peers.HRSNN.run(path, mode, 1, 600.0)
    theirs = other.run(path, mode, 1, 600.0)
    assert measure_peers.complaints([ours, theirs], ours, True) == []


def test_auryn_is_left_out_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    auryn = measure_peers.SIMULATORS["Auryn"]
    monkeypatch.delenv("AURYN", raising=False)
    assert auryn.absence() == "left out; AURYN=path make bench-peers runs the one built in path"
    monkeypatch.setenv("AURYN", "/opt/auryn")
    assert auryn.absence() == ""


def built_auryn(folder: Path, headers: str, library: str, definition: str) -> Path:
    """Files that lie as those of a built Auryn do."""
    (folder / headers / "auryn").mkdir(parents=True)
    (folder / headers / "auryn" / "auryn_definitions.h").write_text(f"{definition}\n")
    (folder / library).mkdir(parents=True, exist_ok=True)
    (folder / library / "libauryn.a").touch()
    return folder


@pytest.mark.parametrize(
    ("headers", "library"), [("include", "lib"), ("src", "src"), ("src", "build/release/src")]
)
@pytest.mark.parametrize("has_mpi", [False, True])
def test_auryn_is_found_where_it_was_installed_or_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, headers: str, library: str, has_mpi: bool
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    definition = f"{'' if has_mpi else '// '}#define AURYN_CODE_USE_MPI"
    words = run_auryn.command(built_auryn(tmp_path, headers, library, definition))
    assert words[0] == ("mpicxx" if has_mpi else "c++")
    assert f"-I{tmp_path / headers}" in words
    assert str(tmp_path / library / "libauryn.a") in words
    assert ("-lboost_mpi" in words) == has_mpi
    with pytest.raises(SystemExit, match="has none of include, src with auryn/auryn_definitions"):
        run_auryn.command(tmp_path / headers)


@pytest.mark.parametrize("learn", [False, True])
def test_auryn_is_given_each_synapse_once(work: workload.Workload, learn: bool) -> None:
    sizes, *_ = given = run_auryn.arrays(work, learn)
    assert sizes.tolist() == [work.n_inputs, work.n_neurons, work.n_steps, learn]
    pre, post, weight = (np.concatenate(given[first::3]) for first in (10, 11, 12))
    order = np.lexsort((post, pre))
    assert np.array_equal(pre[order], work.pre)
    assert np.array_equal(post[order], work.indices)
    assert np.array_equal(weight[order], work.weight)


def test_a_simulator_that_fails_leaves_the_others_alone(
    work: workload.Workload, tmp_path: Path
) -> None:
    path = tmp_path / "n200-10Hz.npz"
    work.save(path)
    broken = replace(measure_peers.SIMULATORS["BindsNET"], script="no_such_script.py")
    simulators = [replace(broken, python=Path(sys.executable)), measure_peers.HRSNN]
    kept = KeptRuns(tmp_path / "kept", WHERE)
    with measure_peers.tqdm(disable=True) as progress:
        rows = measure_peers.measure_size(path, simulators, ["run"], 1, 60.0, progress, kept)
    failures = {row["simulator"]: row.get("failure") for row in rows}
    assert "no_such_script.py" in failures["BindsNET"]
    assert failures["hrsnn_rs"] is None


WHERE = {"machine": "one", "commit": "abc"}


def test_a_stopped_measurement_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "kept"
    first = KeptRuns(path, WHERE)
    assert first("a", lambda: {"wall": 1.0}) == {"wall": 1.0}
    with pytest.raises(KeyboardInterrupt):
        first("b", raising(KeyboardInterrupt))
    path.write_text(path.read_text() + '{"where": {"machi')
    again = KeptRuns(path, WHERE)
    assert again("a", raising(AssertionError)) == {"wall": 1.0}
    assert again("b", lambda: {"wall": 2.0}) == {"wall": 2.0}
    assert KeptRuns(path, WHERE).runs == {"a": {"wall": 1.0}, "b": {"wall": 2.0}}
    again.finish()
    assert KeptRuns(path, WHERE).runs == {}


@pytest.mark.parametrize("key", ["machine", "commit"])
def test_runs_from_elsewhere_are_not_taken_over(tmp_path: Path, key: str) -> None:
    path = tmp_path / "kept"
    KeptRuns(path, WHERE)("a", dict)
    assert KeptRuns(path, WHERE | {key: "other"}).runs == {}


def test_nothing_is_known_of_a_changed_tree(tmp_path: Path) -> None:
    changed = WHERE | {"commit": "abc-dirty"}
    KeptRuns(tmp_path / "kept", changed)("a", dict)
    assert KeptRuns(tmp_path / "kept", changed).runs == {}


def test_a_tree_is_not_changed_by_the_pages_that_were_written(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    pages = [tmp_path / "README.md", tmp_path / "docs" / "performance.md"]
    code = tmp_path / "code.py"
    (tmp_path / "docs").mkdir()
    for file in [*pages, code]:
        file.write_text("before")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    first = measure_peers.commit(tmp_path)
    assert first
    for page in pages:
        page.write_text("after")
    assert measure_peers.commit(tmp_path) == first
    code.write_text("after")
    assert measure_peers.commit(tmp_path) == f"{first}-dirty"


def raising(kind: type[BaseException]) -> Callable[[], dict]:
    def make() -> dict:
        raise kind

    return make


def test_every_simulator_has_a_colour() -> None:
    names = {simulator.name for simulator in measure_peers.SIMULATORS.values()}
    assert names == set(peers_page.COLOURS)


def outcome(simulator: str, mode: str, **figures: object) -> dict:
    usual = {"threads": 1, "n_spikes": 1000, "rate": 10.0, "raster": "a"}
    return {"simulator": simulator, "mode": mode, **usual, **figures}


def test_equal_work_is_accepted() -> None:
    rows = [outcome("hrsnn_rs", "run"), outcome("NEST", "run"), outcome("hrsnn_rs", "stdp")]
    rows.append(outcome("NEST", "stdp", rate=10.29, raster="b"))
    assert measure_peers.complaints(rows, outcome("hrsnn_rs", "run"), True) == []


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (outcome("NEST", "run", raster="b"), "NEST, run, 1 thread(s): another raster"),
        (outcome("NEST", "stdp", rate=10.31), "NEST, stdp, 1 thread(s): 10.31 Hz"),
        (outcome("hrsnn_rs", "run", raster="b"), "hrsnn_rs, run, 1 thread(s): another raster"),
    ],
)
def test_other_work_is_refused(other: dict, says: str) -> None:
    rows = [outcome("hrsnn_rs", "stdp"), other]
    (complaint,) = measure_peers.complaints(rows, outcome("hrsnn_rs", "run"), True)
    assert complaint.startswith(says)


def test_where_float32_must_part_counts_are_compared() -> None:
    def complain(n_spikes: int) -> list[str]:
        row = outcome("hrsnn_rs", "run", raster="b", n_spikes=n_spikes)
        return measure_peers.complaints([row], outcome("hrsnn_rs", "run"), False)

    assert complain(1005) == []
    assert complain(1006) == ["hrsnn_rs, run, 1 thread(s): 1006 spikes, float64 1000"]


@pytest.fixture
def results() -> pl.DataFrame:
    """Two rounds of two simulators with walls of 1 to 8 s for 10^9 events, and a failure."""
    rows = []
    for round_ in range(2):
        for simulator, wall in (("hrsnn_rs", 1.0), ("NEST", 6.0)):
            for n in (1, 2):
                rows.append(
                    outcome(simulator, "run", threads=n, wall=wall + round_ + n - 1)
                    | {"n_synaptic_events": 10**9, "compile_wall": 0.0, "network_memory": 1.0}
                    | {"peak_memory": 2.0, "size": "n2k-10Hz", "failure": None}
                )
        for n in (1, 2):
            rows.append({"simulator": "copy", "threads": n, "copy_gb_per_s": 16.0,
                         "mode": "run", "size": "n2k-10Hz"})  # fmt: skip
    rows.append({"simulator": "numba", "threads": 1, "mode": "run", "size": "n2k-10Hz",
                 "failure": "more than 5 s"})  # fmt: skip
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(machine=pl.lit("a machine"), commit=pl.lit("abc"))


def test_tables_show_medians_ratios_bounds_and_failures(results: pl.DataFrame) -> None:
    text = peers_page.tables(results)
    assert "| hrsnn_rs | 1 | 1.5 (1–2) |" in text
    assert "| NEST | 2 | 7.5 (7–8) |" in text
    assert "| *copying 6 B* | 2 | 0.38 |" in text
    assert "| NEST | 4.33 |" in text  # 6.5 / 1.5, both on one thread
    assert "No figure: numba, n2k run, 1 thread(s): more than 5 s." in text


def test_sizes_that_were_not_measured_anew_stay(results: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "results.parquet"
    assert measure_peers.beside(results, path).equals(results)
    results.write_parquet(path)
    assert measure_peers.beside(results, path).equals(results)
    larger = results.unique(["simulator", "threads"], maintain_order=True).with_columns(
        size=pl.lit("n10k-10Hz"), commit=pl.lit("def")
    )
    both = measure_peers.beside(larger, path)
    assert both.height == larger.height + results.height
    text = peers_page.tables(both)
    assert (
        "n2k: 2 rounds on a machine, commit abc; n10k: 1 rounds on a machine, commit def." in text
    )
    assert "| simulator | threads | n2k | n10k |" in text


def test_figures_are_short() -> None:
    assert [peers_page.short(x) for x in (0.4567, 12.345, 1234.5)] == ["0.457", "12.3", "1234"]


def test_the_plot_is_written(results: pl.DataFrame, tmp_path: Path) -> None:
    peers_page.plot(results, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_only_what_is_between_the_markers_is_replaced() -> None:
    text = "a\n<!-- x: begin, by make -->\nold\n<!-- x: end -->\nb\n"
    new = peers_page.replaced(text, "x", "new")
    assert new == "a\n<!-- x: begin, by make -->\n\nnew\n\n<!-- x: end -->\nb\n"
    assert peers_page.replaced(new, "x", "new") == new
    with pytest.raises(ValueError, match="one pair of markers 'y'; found 0"):
        peers_page.replaced(text, "y", "new")


@pytest.mark.parametrize("page", [peers_page.PAGE, peers_page.README])
def test_pages_have_the_markers(page: Path) -> None:
    peers_page.replaced(page.read_text(encoding="utf-8"), "bench-peers", "")


def test_a_busy_neighbour_is_gone_afterwards() -> None:
    with threads.neighbour(is_busy=True) as process:
        assert process.poll() is None
    assert process.returncode is not None
    with threads.neighbour(is_busy=False) as nobody:
        assert nobody is None


@pytest.mark.parametrize("learn", [False, True])
def test_one_thread_and_two_are_measured_in_turn(work: workload.Workload, learn: bool) -> None:
    one, two = threads.walls(work, learn, rounds=2)
    assert len(one) == len(two) == 2
    assert min(one + two) > 0


def test_the_budget_allows_two_per_cent() -> None:
    assert budget.over_budget({"run": 10.2}, {"run": 10.0}) == []
    (complaint,) = budget.over_budget({"run": 10.3}, {"run": 10.0})
    assert complaint.startswith("run: 10.30 instructions per synaptic event, the budget is 10.00")
    assert budget.over_budget({"run": 1.0}, {}) == ["run: no budget"]


def test_every_case_has_a_budget() -> None:
    figures = json.loads(budget.BUDGET.read_text())
    assert sorted(figures) == sorted(budget.CASES)
    assert all(figure > 0 for figure in figures.values())
