"""Whole runs from Python, by pytest-benchmark (`make bench`)."""

import hrsnn_rs as hr
import numpy as np
import pytest
import scipy.sparse as sp
from workload import Workload, drawn, events, network


@pytest.fixture(scope="module")
def work() -> Workload:
    return Workload.load(drawn("n2k"))


def per_event(benchmark, stats: hr.RunStats) -> None:
    """Keep ns/event of the median beside the times."""
    if benchmark.stats is not None:  # with --benchmark-disable
        median = benchmark.stats.stats.median
        benchmark.extra_info["ns_per_event"] = 1e9 * median / stats.n_synaptic_events


@pytest.mark.benchmark(group="empty run")
def test_an_empty_run(benchmark) -> None:
    net = hr.Network(10, 100, recurrent=hr.RandomConnectivity(p=0.1))
    nothing = hr.Events([], [], n_channels=10, duration=1000)
    assert benchmark(net.run, nothing).stats.n_spikes == 0


@pytest.mark.benchmark(group="n2k")
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("learn", [False, True], ids=["run", "stdp"])
def test_n2k(benchmark, work: Workload, learn: bool, n_threads: int) -> None:
    net, sample = network(work), events(work)
    result = benchmark.pedantic(
        lambda fresh: fresh.run(sample, learn=learn, n_threads=n_threads),
        setup=lambda: ((net.copy(),), {}),
        rounds=5,
    )
    assert result.stats.n_spikes > 0
    per_event(benchmark, result.stats)


@pytest.mark.benchmark(group="delays")
@pytest.mark.parametrize("learn", [False, True], ids=["run", "stdp"])
@pytest.mark.parametrize("delays", ["uniform", "1 to 20 ms"])
def test_delays(benchmark, work: Workload, delays: str, learn: bool) -> None:
    rng = np.random.default_rng(2)
    delay = 1.0 if delays == "uniform" else rng.integers(1, 21, work.indices.size).astype(float)
    net, sample = network(work, delay_ms=delay), events(work)
    result = benchmark.pedantic(
        lambda fresh: fresh.run(sample, learn=learn, n_threads=1),
        setup=lambda: ((net.copy(),), {}),
        rounds=5,
    )
    assert result.stats.n_spikes > 0
    per_event(benchmark, result.stats)


def gesture_network() -> hr.Network:
    return hr.Network(
        n_inputs=2 * 32 * 32,
        n_neurons=1000,
        neuron=hr.LIF(tau_m=hr.Gamma(mean=20.0, shape=3.0)),
        inputs=hr.RandomConnectivity(p=0.05, weight=hr.Gamma(mean=1.0, shape=3.0)),
        recurrent=hr.RandomConnectivity(p=0.1, weight=0.3),
    )


@pytest.fixture(scope="module")
def clips() -> list[hr.Events]:
    gestures = hr.make_gestures(n_subjects=6, n_repeats=1)
    encoder = hr.EventEncoder(64, 64)
    return [encoder(gestures[i][0]) for i in range(60)]


@pytest.mark.benchmark(group="transform of 60 clips")
@pytest.mark.parametrize("n_threads", [1, 2])
def test_transform(benchmark, clips: list[hr.Events], n_threads: int) -> None:
    net = gesture_network()
    net.calibrate(clips, rate=3.0, n_samples=8)
    features = benchmark.pedantic(
        lambda: net.transform(clips, n_windows=8, n_threads=n_threads), rounds=3
    )
    assert features.sum() > 0
    if benchmark.stats is not None:
        benchmark.extra_info["clips_per_second"] = len(clips) / benchmark.stats.stats.median


@pytest.mark.benchmark(group="dense clip")
@pytest.mark.parametrize("quantum", [1, 1000], ids=["at its µs", "at ms"])
def test_a_dense_clip(benchmark, quantum: int) -> None:
    """200,000 events in a second, each onto 100 neurons."""
    rng = np.random.default_rng(3)
    t = np.sort(rng.integers(1_000_000, size=200_000)) // quantum * quantum
    sample = hr.Events(t, rng.integers(2048, size=t.size), n_channels=2048, duration=1_000_000)
    n = 2000
    fan_out = sp.random_array((2048, n), density=100 / n, rng=rng, format="csr")
    fan_out.data[:] = 0.01
    net = hr.Network.from_arrays(
        fan_out, sp.csr_array((n, n)), neuron=hr.LIF(v_threshold=1.0), dtype="float32"
    )
    result = benchmark.pedantic(lambda: net.run(sample, n_threads=1), rounds=5)
    assert result.stats.n_input_synaptic_events > 1_000_000
