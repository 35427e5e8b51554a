"""A search by two workers of dask: one is killed, the client begins anew, and nothing is lost."""

import os
import signal
import time

import pytest
from dask.distributed import Client, LocalCluster
from hrsnn_rs.search import open_study, sampler_named
from optuna.trial import TrialState
from optuna_studies import SPACE, work

N_TRIALS = 20


def n_finished(study) -> int:
    return sum(one.state is TrialState.COMPLETE for one in study.trials)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_killed_worker_and_a_new_client_lose_and_repeat_nothing(tmp_path):
    path = str(tmp_path / "study.db")
    sampler = sampler_named("wasserstein", SPACE, seed=0, n_initial=4)
    study = open_study(path, sampler, directions=["minimize"], lost_after=2)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    ) as cluster:
        with Client(cluster) as client:
            pids = list(client.run(os.getpid).values())
            begun = [client.submit(work, path, 0.3, N_TRIALS, pure=False) for _ in pids]
            until = time.monotonic() + 60
            while n_finished(study) < N_TRIALS // 2:
                assert time.monotonic() < until
                time.sleep(0.1)
            os.kill(pids[0], signal.SIGKILL)
            del begun  # The client goes, and with it what it had asked for.
        assert n_finished(study) < N_TRIALS
        with Client(cluster) as client:
            client.wait_for_workers(2, timeout=60)
            asked = [client.submit(work, path, 0.0, N_TRIALS, pure=False) for _ in range(2)]
            client.gather(asked)
    done = [one for one in study.trials if one.state is TrialState.COMPLETE]
    assert len(done) == N_TRIALS
    assert len({tuple(one.params.values()) for one in done}) == N_TRIALS
    lost = [one.params for one in study.trials if one.state is TrialState.FAIL and one.params]
    assert [one for one in lost if one not in [other.params for other in done]] == []
