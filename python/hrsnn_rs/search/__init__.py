"""Search over laws: how far they lie apart, who chooses the next ones, and a study on disk.

Not here: the engine that runs, keeps and shares out trials; it is optuna (`pip install
"hrsnn_rs[search]"`), of whose studies everything here is a part. Knows all that trains and judges
networks, and no picture and no command.
"""

from importlib.util import find_spec

from hrsnn_rs.errors import MissingDependencyError

if find_spec("optuna") is None:
    raise MissingDependencyError('the search needs optuna: pip install "hrsnn_rs[search]"')

from hrsnn_rs.search.networks import (
    OBJECTIVES,
    RECIPE,
    NetworkObjective,
    network_of,
    network_space,
)
from hrsnn_rs.search.process import WassersteinMatern
from hrsnn_rs.search.sampler import WassersteinSampler
from hrsnn_rs.search.space import LawRange, NumberRange, SearchSpace
from hrsnn_rs.search.study import front, open_study, run_trials, sampler_named, trial_table
from hrsnn_rs.search.wasserstein import embedded, wasserstein

__all__ = [
    "OBJECTIVES",
    "RECIPE",
    "LawRange",
    "NetworkObjective",
    "NumberRange",
    "SearchSpace",
    "WassersteinMatern",
    "WassersteinSampler",
    "embedded",
    "front",
    "network_of",
    "network_space",
    "open_study",
    "run_trials",
    "sampler_named",
    "trial_table",
    "wasserstein",
]
