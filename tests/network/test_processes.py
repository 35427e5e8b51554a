"""Processes and threads: forks, fresh processes, workers of joblib, threads, and what stays."""

import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor

import hrsnn_rs as hr
import pytest
import shared_network as made

linux = pytest.mark.skipif(sys.platform != "linux", reason="measured on Linux")


def told(*arguments: object) -> dict:
    command = [sys.executable, made.__file__, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_children_forked_after_a_parallel_run_end():
    result = told("fork", 20)
    assert result["fine"] == 20
    assert result["slowest"] < 5.0
    assert result["parent"] is True


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_fresh_processes_give_the_same_bits(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    context = multiprocessing.get_context(method)
    right = made.made_and_taught(3)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        made_there = pool.submit(made.made_and_taught, 3)
        sent_there = pool.submit(made.taught, made.network(3))
        assert made_there.result(60) == right
        assert sent_there.result(60) == right


def test_workers_of_joblib_give_the_same_bits():
    joblib = pytest.importorskip("joblib")
    nets = [made.network(seed) for seed in range(3)]
    right = [made.taught(net.copy()) for net in nets]
    for backend in ("loky", "threading"):
        with joblib.Parallel(n_jobs=2, backend=backend) as workers:
            assert workers(joblib.delayed(made.taught)(net.copy()) for net in nets) == right


def test_a_network_for_each_thread():
    seeds = range(4)
    right = [made.made_and_taught(seed) for seed in seeds]
    found: dict[int, str] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: found.update({seed: made.made_and_taught(seed)}))
        for seed in seeds
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [found.get(seed) for seed in seeds] == right


def test_what_is_pickled_is_checked_again():
    net = made.network(n_neurons=10)
    unpickled, (kind, arrays, header, arguments) = net.__reduce__()
    assert pickle.loads(pickle.dumps(net)).n_synapses == net.n_synapses
    arrays = {**arrays, "neuron/tau_m": -arrays["neuron/tau_m"]}
    with pytest.raises(hr.ParameterError, match="tau_m"):
        unpickled(kind, arrays, header, arguments)
    with pytest.raises(hr.FormatError, match="recurrent/indices is missing"):
        unpickled(kind, {k: v for k, v in arrays.items() if "indices" not in k}, header, arguments)


@linux
def test_a_thousand_networks_leave_nothing_behind():
    assert told("cycles", 1000)["growth"] < 1_000_000


@linux
@pytest.mark.slow
def test_a_counting_thread_keeps_its_pace_beside_a_run():
    # Against a run in another process, which takes as much of the machine but no interpreter.
    assert told("pace", 1.0)["ratio"] >= 0.9
