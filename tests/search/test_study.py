"""Studies on disk: gone on with, shared by processes, and none the worse for a killed one."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import optuna_studies
import pytest
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.search import front, open_study, run_trials, sampler_named, trial_table
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from optuna_studies import SPACE, distance


def opened(path: Path, name: str = "random", **options) -> optuna.Study:
    options = {"directions": ["minimize"], "lost_after": 2, **options}
    return open_study(path, sampler_named(name, SPACE, seed=0, n_initial=4), **options)


def finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    done = (TrialState.COMPLETE, TrialState.PRUNED)
    return [one for one in study.trials if one.state in done]


@pytest.mark.parametrize("name", ["wasserstein", "tpe", "random"])
def test_a_study_goes_on_until_it_has_enough(tmp_path, name):
    told = []
    for n_trials in (3, 7, 5):
        study = opened(tmp_path / "study.db", name)
        run_trials(study, distance, n_trials, progress=lambda *words: told.append(words))
    assert len(study.trials) == 7
    assert [done for done, *_ in told] == [0, 1, 2, 3, 3, 4, 5, 6, 7, 5]
    assert told[0][2] == "searching"
    assert told[-1] == (5, 5, f"best {study.best_value:.3f}")
    assert optuna.logging.get_verbosity() == optuna.logging.WARNING


@pytest.mark.parametrize(
    "name", ["a?1.db", "x%41.db", "x#y.db", "two words.db", "{SCHEMA_VERSION}{}.db", "ä&=;.db"]
)
@pytest.mark.skipif(os.name == "nt", reason="no such names")
def test_the_file_has_the_name_that_was_asked_for(tmp_path, name):
    run_trials(opened(tmp_path / name), distance, 2)
    assert [one.name for one in tmp_path.iterdir()] == [name]
    study = pickle.loads(pickle.dumps(opened(tmp_path / name)))
    assert len(study.trials) == 2
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_two_that_make_the_tables_at_once_both_have_them(tmp_path, monkeypatch):
    made = []

    def met(*arguments, **options):
        made.append(arguments)
        if len(made) == 1:
            raise RuntimeError("(sqlite3.OperationalError) table trials already exists")
        return RDBStorage(*arguments, **options)

    monkeypatch.setattr("hrsnn_rs.search.study.RDBStorage", met)
    run_trials(opened(tmp_path / "study.db"), distance, 1)
    assert len(made) == 2


def test_it_begins_where_it_is_told_to(tmp_path):
    start = SPACE.numbers_of(optuna_studies.WANTED)
    for n_trials in (1, 2):
        study = opened(tmp_path / "study.db", "wasserstein", start=start)
        run_trials(study, distance, n_trials)
    assert study.trials[0].params == pytest.approx(start)
    assert study.trials[1].params != study.trials[0].params
    assert front(study)[0].number == 0


def test_what_was_interrupted_is_begun_anew(tmp_path):
    calls = []

    def interrupted(trial: optuna.Trial) -> float:
        calls.append(SPACE.suggest(trial))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return distance(trial)

    whole = opened(tmp_path / "whole.db", "wasserstein")
    run_trials(whole, distance, 8)
    study = opened(tmp_path / "study.db", "wasserstein")
    with pytest.raises(KeyboardInterrupt):
        run_trials(study, interrupted, 8)
    assert len(finished(study)) == 3
    run_trials(opened(tmp_path / "study.db", "wasserstein"), interrupted, 8)
    # The same as never stopped, point by point and in order.
    assert [one.params for one in finished(study)] == [one.params for one in finished(whole)]


def test_an_error_is_told_and_its_trial_not_lost(tmp_path):
    def broken(trial: optuna.Trial) -> float:
        SPACE.suggest(trial)
        raise RuntimeError("out of paper")

    study = opened(tmp_path / "study.db")
    with pytest.raises(RuntimeError, match="out of paper"):
        run_trials(study, broken, 3)
    run_trials(study, distance, 3)
    assert len(finished(study)) == 3
    assert study.trials[1].params == study.trials[0].params


WORKER = (
    "import sys; from optuna_studies import work; "
    "work(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))"
)


def worker(path: Path, seconds: float, n_trials: int) -> subprocess.Popen:
    folders = [str(Path(optuna_studies.__file__).parent), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
    words = [sys.executable, "-c", WORKER, str(path), str(seconds), str(n_trials)]
    return subprocess.Popen(words, env=environment)


def until(condition, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_killed_worker_loses_and_repeats_nothing(tmp_path):
    path, n_trials = tmp_path / "study.db", 14
    workers = [worker(path, 0.3, n_trials), worker(path, 0.3, n_trials)]
    try:
        until(path.exists)
        study = opened(path, "wasserstein")
        until(lambda: len(finished(study)) >= 5)
        os.kill(workers[0].pid, signal.SIGKILL)
        assert workers[0].wait(60) == -signal.SIGKILL
        workers.append(worker(path, 0.3, n_trials))
        assert [one.wait(240) for one in workers[1:]] == [0, 0]
    finally:
        for one in workers:
            one.kill()
            one.wait()
    done = finished(study)
    assert len(done) == n_trials
    assert len({tuple(one.params.values()) for one in done}) == n_trials
    assert not [one for one in study.trials if one.state is TrialState.RUNNING]
    failed = [one.params for one in study.trials if one.state is TrialState.FAIL and one.params]
    assert [one for one in failed if one not in [other.params for other in done]] == []


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_the_trial_of_a_killed_worker_is_done_by_the_next(tmp_path):
    path = tmp_path / "study.db"
    lost = worker(path, 600.0, 3)
    try:
        until(path.exists)
        study = opened(path, "wasserstein")
        until(lambda: study.trials and study.trials[0].params)
        time.sleep(0.5)  # the first sign of life comes with the trial, from a thread beside it
        lost.send_signal(signal.SIGKILL)
        lost.wait(60)
    finally:
        lost.kill()
        lost.wait()
    run_trials(study, distance, 3)
    done = finished(study)
    assert len(done) == 3
    assert study.trials[0].state is TrialState.FAIL
    assert [one.params for one in done].count(study.trials[0].params) == 1


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")
def test_of_two_that_begin_the_last_trial_one_goes_without(tmp_path):
    study, told, others = opened(tmp_path / "study.db"), [], []

    def meanwhile(done: int, total: int, words: str) -> None:
        told.append(done)
        if len(told) == 3:
            others.append(study.ask())
        elif len(told) == 4:
            study.tell(others[0], distance(others[0]))

    run_trials(study, distance, 3, progress=meanwhile)
    assert told == [0, 1, 2, 2, 3]
    states = [one.state for one in study.trials]
    assert states == [TrialState.COMPLETE] * 3 + [TrialState.FAIL]
    assert study.trials[3].params == {}


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")
def test_who_died_before_the_first_sign_of_life_is_not_waited_for(tmp_path):
    study = opened(tmp_path / "study.db")
    study.ask()
    run_trials(study, distance, 2)
    assert [one.state for one in study.trials] == [TrialState.FAIL] + [TrialState.COMPLETE] * 2


def test_the_table_has_a_row_for_each_finished_trial(tmp_path):
    def some(trial: optuna.Trial) -> float:
        value = distance(trial)
        trial.set_user_attr("spikes", 7.0)
        if trial.number == 1:
            raise optuna.TrialPruned
        return value

    study = opened(tmp_path / "study.db")
    run_trials(study, some, 4)
    table = trial_table(study, SPACE)
    assert table["trial"].to_list() == [0, 1, 2, 3]
    assert table["state"].to_list() == ["complete", "pruned", "complete", "complete"]
    assert table["spikes"].to_list() == [7.0] * 4
    assert table["best"].sum() == 1
    assert table.filter("best")["values"].to_list() == [[study.best_value]]
    assert table["tau_m.mean"].to_list() == [one.params["tau_m.mean"] for one in study.trials]


def test_of_several_objectives_the_front_is_told(tmp_path):
    study = opened(tmp_path / "study.db", directions=["maximize", "minimize"])
    run_trials(study, lambda trial: (SPACE.suggest(trial)["tau_m"].mean, trial.number % 3), 6)
    values = [one.values for one in front(study)]
    assert values == sorted(values, key=lambda pair: -pair[0])
    assert {one.number for one in front(study)} == set(
        trial_table(study, SPACE).filter("best")["trial"]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"settings": {"neurons": 100}}, "neurons was 50 and is 100"),
        ({"settings": {"neurons": 50, "seed": 1}}, "seed was None and is 1"),
        ({"settings": {"neurons": 50}, "directions": ["maximize"]}, "directions must be those"),
        ({"lost_after": 1}, "lost_after must be"),
        ({"lost_after": 2.5}, "lost_after must be"),
    ],
)
def test_another_search_is_refused(tmp_path, options, message):
    opened(tmp_path / "study.db", settings={"neurons": 50})
    with pytest.raises(ParameterError, match=message):
        opened(tmp_path / "study.db", **options)


def test_what_is_no_study_is_refused(tmp_path):
    (tmp_path / "text").write_text("this is no database, and long enough to be none" * 100)
    with pytest.raises(FormatError, match="text is no study"):
        opened(tmp_path / "text")
    with pytest.raises(ParameterError, match="output must lie in a folder that exists"):
        opened(tmp_path / "nowhere" / "study.db")
    with pytest.raises(FormatError, match="is no study"):
        opened("nosuchdatabase://host/name")


@pytest.mark.parametrize("n_trials", [0, 1.5, None])
def test_numbers_of_trials_that_are_none_are_refused(tmp_path, n_trials):
    with pytest.raises(ParameterError, match="n_trials must be"):
        run_trials(opened(tmp_path / "study.db"), distance, n_trials)


def test_samplers_that_are_not_known_are_refused():
    with pytest.raises(ParameterError, match="name must be one of wasserstein, tpe, random"):
        sampler_named("best", SPACE, seed=0)
