"""Which point is tried next: Sobol points at first, then where most is expected to be gained.

Lives here: a sampler for optuna's studies. Invariant: it has no state; what it says of a trial
follows from its seed, the trial's number and the trials before it, so that a study that was stopped
goes on as if it had not been, and several workers try different points.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.samplers import BaseSampler
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.study import StudyDirection
from optuna.trial import TrialState
from scipy.stats import qmc

from hrsnn_rs.arguments import check_integer
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.search.process import Belief
from hrsnn_rs.search.space import SearchSpace

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from hrsnn_rs.arguments import FloatArray

_N_CANDIDATES = 512
_N_NEAR = 128
#: How far from the best candidates others are looked for, as shares of the ranges.
_NEAR = (0.1, 0.03, 0.01)


class WassersteinSampler(BaseSampler):
    """Bayesian optimisation over laws, as a sampler of optuna.

    A Gaussian process with a Matérn kernel over the 2-Wasserstein distances of the laws is fitted
    to the finished trials; the next point is that of the largest expected improvement. Pruned
    trials count with the last value that they reported, or as the worst one without any; trials
    that others are running count as if they gave what is believed of them. Of several objectives
    each trial follows a mixture of its own (ParEGO).

    Parameters
    ----------
    space : SearchSpace
        What is searched. Numbers that an objective asks for beside it are drawn at random.
    n_initial : int, default=16
        Sobol points to begin with.
    seed : int, default=0
        Of all that is drawn; workers of one study share it.

    Raises
    ------
    ParameterError
        If an argument is not what it should be.

    References
    ----------
    .. [1] Candelieri, Ponti & Archetti (2023), Gaussian process based Bayesian optimization over
       probability distributions, J. Ambient Intell. Humaniz. Comput.
    .. [2] Knowles (2006), ParEGO, IEEE Trans. Evol. Comput. 10:50.

    Examples
    --------
    >>> import optuna
    >>> from hrsnn_rs import Gamma
    >>> from hrsnn_rs.search import LawRange, SearchSpace, WassersteinSampler, wasserstein
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> space = SearchSpace({"tau_m": LawRange(Gamma, mean=(5.0, 200.0), shape=(1.0, 9.0))})
    >>> study = optuna.create_study(sampler=WassersteinSampler(space, n_initial=8))
    >>> wanted = Gamma(mean=60.0, shape=4.0)
    >>> def distance(trial):
    ...     return wasserstein(space.suggest(trial)["tau_m"], wanted)
    >>> study.optimize(distance, n_trials=20)
    >>> study.best_value < 5.0
    True
    """

    def __init__(self, space: SearchSpace, *, n_initial: int = 16, seed: int = 0) -> None:
        if not isinstance(space, SearchSpace):
            raise ParameterError(f"space must be a SearchSpace; got {space!r}.")
        self.space = space
        self.n_initial = check_integer("n_initial", n_initial, 2, 2**20)
        self.seed = check_integer("seed", seed, 0, 2**32 - 1)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Give the ranges of the numbers that are chosen together."""
        return dict(self.space.distributions())

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Choose the next point."""
        given = trial.params.keys() | trial.system_attrs.get("fixed_params", {}).keys()
        if self.space.numbers.keys() <= given:
            return {}
        trials = study.get_trials(deepcopy=False)
        place = sum(not _is_retry(one) for one in trials if one.number < trial.number)
        mine = [one for one in trials if self.space.numbers.keys() <= one.params.keys()]
        done = [one for one in mine if one.state in (TrialState.COMPLETE, TrialState.PRUNED)]
        values = _values(study, done, np.random.default_rng((self.seed, place, 1)))
        if place < self.n_initial or values is None:
            return self.space.numbers_at(self._initial(place))
        running = [one for one in mine if one.state is TrialState.RUNNING]
        belief = Belief(self._places(done), values, self.space.widths, self.seed + place)
        belief = belief.with_running(self._places(running))
        return self.space.numbers_at(self._best(belief, place, self._shares(done)))

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw what is not in the space."""
        from optuna.samplers import RandomSampler

        key = [self.seed, trial.number, *param_name.encode()]
        seed = int(np.random.SeedSequence(key).generate_state(1)[0])
        return RandomSampler(seed).sample_independent(study, trial, param_name, param_distribution)

    def _shares(self, trials: list[FrozenTrial]) -> FloatArray:
        rows = [self.space.shares(one.params) for one in trials]
        return np.reshape(rows, (len(rows), len(self.space.numbers)))

    def _places(self, trials: list[FrozenTrial]) -> FloatArray:
        return self.space.embedded(self._shares(trials))

    def _initial(self, place: int) -> FloatArray:
        """Give a point of the sequence that begins the search."""
        sequence = qmc.Sobol(len(self.space.numbers), rng=np.random.default_rng(self.seed))
        if place:
            sequence.fast_forward(place)
        return np.asarray(sequence.random(1)[0])

    def _best(self, belief: Belief, place: int, tried: FloatArray) -> FloatArray:
        """Look for the largest expected improvement, everywhere and then near the best."""
        random = np.random.default_rng((self.seed, place, 2))
        n = len(self.space.numbers)
        points = np.vstack([qmc.Sobol(n, rng=random).random(_N_CANDIDATES), tried])
        gains = belief.expected_improvement(self.space.embedded(points))
        for width in _NEAR:
            leading = points[np.argsort(-gains, kind="stable")[:8]]
            steps = width * random.standard_normal((_N_NEAR, n))
            near = np.clip(np.repeat(leading, _N_NEAR // len(leading), axis=0) + steps, 0.0, 1.0)
            gains = np.append(gains, belief.expected_improvement(self.space.embedded(near)))
            points = np.vstack([points, near])
        return np.asarray(points[np.argmax(gains)])


def _is_retry(trial: FrozenTrial) -> bool:
    """Say whether a trial repeats one whose worker was lost, with the same numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RetryHeartbeatStaleTrialCallback.retried_trial_number(trial) is not None


def _values(
    study: Study, trials: list[FrozenTrial], random: np.random.Generator
) -> FloatArray | None:
    """Give one number per finished trial, larger is better; `None` if too little is known."""
    n = len(study.directions)
    rows = np.full((len(trials), n), np.nan)
    for row, one in zip(rows, trials, strict=True):
        if one.state is TrialState.COMPLETE:
            row[:] = one.values
        elif n == 1 and one.intermediate_values:
            row[:] = one.intermediate_values[max(one.intermediate_values)]
    rows = np.where(np.isfinite(rows), rows, np.nan)
    rows *= [1.0 if one is StudyDirection.MAXIMIZE else -1.0 for one in study.directions]
    if np.isfinite(rows).all(axis=1).sum() < 2:
        return None
    rows = np.where(np.isnan(rows), np.nanmin(rows, axis=0), rows)
    if n == 1:
        return np.asarray(rows[:, 0])
    low, high = rows.min(axis=0), rows.max(axis=0)
    mixture = random.dirichlet(np.ones(n)) * (rows - low) / np.maximum(high - low, 1e-12)
    return np.asarray(mixture.min(axis=1) + 0.05 * mixture.sum(axis=1))
