"""The sampler: finds an optimum that is known, goes on as if never stopped, and lets others be."""

import functools

import numpy as np
import optuna
import optuna_studies
import pytest
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.search import WassersteinSampler
from hrsnn_rs.search.sampler import _values
from optuna.trial import TrialState
from optuna_studies import SPACE, distance


def study(seed: int = 0, directions: tuple[str, ...] = ("minimize",), **options) -> optuna.Study:
    sampler = WassersteinSampler(SPACE, seed=seed, **options)
    return optuna.create_study(sampler=sampler, directions=list(directions))


def numbers(given: optuna.Study) -> list[dict[str, float]]:
    return [one.params for one in given.trials]


@functools.cache
def searched(seed: int) -> optuna.Study:
    given = study(seed)
    given.optimize(distance, n_trials=40)
    return given


@pytest.mark.parametrize("seed", [0, 1])
def test_it_finds_laws_that_are_known(seed):
    random = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    random.optimize(distance, n_trials=400)
    # As near with 40 trials as drawing comes with ten times as many.
    assert searched(seed).best_value < random.best_value
    # A typical factor of 1.1 between both laws and those that are wanted.
    assert searched(seed).best_value < np.log(1.1) ** 2


def test_it_begins_with_points_all_over_the_space():
    shares = np.array([SPACE.shares(one) for one in numbers(searched(0))[:16]])
    # Of 16 Sobol points each sixteenth of each range holds one.
    assert np.array_equal(np.sort((shares * 16).astype(int), axis=0).T, [np.arange(16)] * 4)


def test_a_study_that_was_stopped_goes_on_as_if_it_had_not_been():
    stopped = study()
    for n_trials in (5, 14, 3):
        # Each time with a sampler that knows nothing but the study.
        stopped.sampler = WassersteinSampler(SPACE)
        stopped.optimize(distance, n_trials=n_trials)
    assert numbers(stopped) == numbers(searched(0))[:22]


def test_seeds_differ():
    assert numbers(searched(0))[0] != numbers(searched(1))[0]
    assert numbers(searched(0))[30] != numbers(searched(1))[30]


def test_a_trial_that_is_repeated_costs_no_point():
    lost = study()
    lost.optimize(distance, n_trials=7)
    optuna_studies.lose(lost)
    lost.optimize(distance, n_trials=14)
    finished = [one.params for one in lost.trials if one.state is TrialState.COMPLETE]
    assert finished == numbers(searched(0))[:21]
    assert len(lost.trials) == 22


def test_workers_at_the_same_time_keep_apart(measure):
    spread = {}
    for told in (True, False):
        given = study()
        given.optimize(distance, n_trials=20)
        shares = []
        for _ in range(4):
            trial = given.ask(SPACE.distributions())
            shares.append(SPACE.shares(trial.params))
            if not told:
                given.tell(trial, state=TrialState.FAIL)  # nobody knows that it was tried
        places = SPACE.embedded(np.array(shares))
        spread[told] = np.linalg.norm(places[:, None] - places, axis=2).mean()
    measure("spread over that without knowing", spread[True] / spread[False])
    # Who did not know of others would have chosen the very same points both times.
    assert spread[True] > spread[False]


def test_pruned_trials_count_with_what_they_reported():
    def pruned(trial: optuna.Trial) -> float:
        value = distance(trial)
        trial.report(value, 0)
        raise optuna.TrialPruned

    given = study()
    given.optimize(pruned, n_trials=22)
    assert numbers(given) == numbers(searched(0))[:22]


def test_trials_without_a_value_count_as_the_worst():
    def lost(trial: optuna.Trial) -> float:
        if trial.number % 3 == 1:
            SPACE.suggest(trial)
            raise optuna.TrialPruned
        return distance(trial)

    given = study()
    given.optimize(lost, n_trials=20)
    values = _values(given, given.trials, np.random.default_rng(0))
    assert len(values) == 20
    assert np.isfinite(values).all()
    assert set(np.flatnonzero(values == values.min())) >= {1, 4, 7}
    assert -values.max() == given.best_value


def test_directions_count():
    given = study(directions=("maximize",))
    given.optimize(lambda trial: -distance(trial), n_trials=22)
    assert numbers(given) == numbers(searched(0))[:22]


def test_two_objectives_give_a_front():
    def both(trial: optuna.Trial) -> tuple[float, float]:
        return distance(trial), SPACE.suggest(trial)["tau_m"].mean

    given, drawn = study(directions=("minimize", "minimize")), optuna.create_study(
        directions=["minimize", "minimize"], sampler=optuna.samplers.RandomSampler(seed=0)
    )  # fmt: skip
    given.optimize(both, n_trials=40)
    drawn.optimize(both, n_trials=40)
    volumes = [optuna_studies.volume(one, (4.0, 200.0)) for one in (given, drawn)]
    assert volumes[0] > volumes[1]
    assert len(given.best_trials) >= 5


def test_numbers_beside_the_space_are_drawn():
    def more(trial: optuna.Trial) -> float:
        return distance(trial) + 0.0 * trial.suggest_int("k", 1, 1000)

    given = study()
    given.optimize(more, n_trials=12)
    assert len({one.params["k"] for one in given.trials}) >= 10
    assert [{name: one[name] for name in SPACE.numbers} for one in numbers(given)] == numbers(
        searched(0)
    )[:12]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"space": {}}, "space must be a SearchSpace"),
        ({"n_initial": 1}, "n_initial must be"),
        ({"n_initial": 2.5}, "n_initial must be"),
        ({"seed": -1}, "seed must be"),
        ({"seed": None}, "seed must be"),
    ],
)
def test_nonsense_is_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        WassersteinSampler(**{"space": SPACE, **arguments})
