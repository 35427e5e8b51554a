"""Studies of laws whose best ones are known, for the tests of the search."""

import time

import numpy as np
import optuna
import pytest
from hrsnn_rs import Gamma
from hrsnn_rs.search import (
    LawRange,
    SearchSpace,
    open_study,
    run_trials,
    sampler_named,
    wasserstein,
)
from optuna.storages import RetryHeartbeatStaleTrialCallback

optuna.logging.set_verbosity(optuna.logging.WARNING)

SPACE = SearchSpace(
    {
        name: LawRange(Gamma, mean=(5.0, 200.0), shape=(1.0, 50.0), log=True)
        for name in ("tau_m", "tau_plus")
    }
)
WANTED = {"tau_m": Gamma(20.0, 3.0), "tau_plus": Gamma(80.0, 12.0)}


def distance(trial: optuna.Trial) -> float:
    """Ask for laws and give the squared distance from those that are wanted."""
    point = SPACE.suggest(trial)
    return sum(wasserstein(point[name], law, log=True) ** 2 for name, law in WANTED.items())


def work(path: str, seconds: float, n_trials: int) -> None:
    """Work at the study of a file, as a process of its own does; each trial takes a while."""

    def slowly(trial: optuna.Trial) -> float:
        found = distance(trial)
        time.sleep(seconds)
        return found

    sampler = sampler_named("wasserstein", SPACE, seed=0, n_initial=4)
    run_trials(open_study(path, sampler, directions=["minimize"], lost_after=2), slowly, n_trials)


def lose(study: optuna.Study) -> None:
    """Begin a trial and let its worker die, as a storage notices it."""
    trial = study.ask()
    SPACE.suggest(trial)
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        RetryHeartbeatStaleTrialCallback()(study, study.trials[trial.number])


def volume(study: optuna.Study, worst: tuple[float, float]) -> float:
    """Give the area that a front of two minimised values dominates."""
    front = np.array(sorted(one.values for one in study.best_trials))
    front = front[(front < worst).all(axis=1)]
    widths = np.diff(np.append(front[:, 0], worst[0]))
    return float((widths * (worst[1] - front[:, 1])).sum())
