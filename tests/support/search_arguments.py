"""Good arguments of the names of the wing search, for test_bad_arguments."""

from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

import hrsnn_rs as hr
import optuna
from bad_arguments import Target
from hrsnn_rs import search
from learning_arguments import clips


def space() -> search.SearchSpace:
    return search.network_space(["rate"])


def sampler() -> Any:
    return search.sampler_named("random", space(), seed=0)


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


@cache
def study() -> optuna.Study:
    """A study of one trial, in a file; must not be changed."""
    made = search.open_study(f"{_folder().name}/study.db", sampler())
    search.run_trials(made, lambda trial: space().suggest(trial)["rate"], 1)
    return made


def _law_range(law: Any, mean: Any, log: Any = False) -> Any:
    return search.LawRange(law, log=log, mean=mean, shape=(1.0, 9.0))


def search_targets() -> dict[str, Target]:
    """Names of the wing search, with arguments that are fine."""
    law = hr.Gamma(mean=20.0)
    return {
        "search.LawRange": Target(_law_range, lambda: {"law": hr.Gamma, "mean": (5.0, 200.0)}),
        "search.NumberRange": Target(search.NumberRange, lambda: {"low": 1.0, "high": 9.0}),
        "search.SearchSpace": Target(
            search.SearchSpace, lambda: {"ranges": {"rate": search.NumberRange(1.0, 9.0)}}
        ),
        "search.SearchSpace.point": Target(space().point, lambda: {"numbers": {"rate": 3.0}}),
        "search.SearchSpace.numbers_of": Target(
            space().numbers_of, lambda: {"point": {"rate": 3.0}}
        ),
        "search.NetworkObjective": Target(
            search.NetworkObjective,
            lambda: {"clips": clips(), "space": space(), "sensor": None, "n_neurons": 5},
        ),
        "search.WassersteinSampler": Target(search.WassersteinSampler, lambda: {"space": space()}),
        "search.embedded": Target(search.embedded, lambda: {"law": law}),
        "search.wasserstein": Target(search.wasserstein, lambda: {"first": law, "second": law}),
        "search.front": Target(search.front, lambda: {"study": study()}),
        "search.network_of": Target(
            search.network_of,
            lambda: {"point": {}, "n_inputs": 32, "sensor": (4, 4), "n_neurons": 10},
        ),
        "search.network_space": Target(search.network_space, dict),
        "search.open_study": Target(
            search.open_study, lambda: {"output": "study.db", "sampler": sampler()}
        ),
        "search.run_trials": Target(
            search.run_trials,
            lambda: {"study": study(), "objective": lambda trial: 0.0, "n_trials": 1},
        ),
        "search.sampler_named": Target(
            search.sampler_named, lambda: {"name": "random", "space": space(), "seed": 0}
        ),
        "search.trial_table": Target(
            search.trial_table, lambda: {"study": study(), "space": space()}
        ),
    }
