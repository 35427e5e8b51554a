"""Laws of the network of the recipe, and how well a network of such laws does.

Lives here: which laws are searched, what becomes of a point, and its score on persons that nothing
was fitted to. Invariant: an objective knows no clips but those to search on; what is kept for a
test never comes here.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from sklearn.model_selection import GroupKFold

from hrsnn_rs.arguments import (
    MOST_SEED,
    check_choice,
    check_integer,
    check_list,
    check_mapping,
    check_sides,
)
from hrsnn_rs.description.distributions import Gamma, Uniform
from hrsnn_rs.description.parameters import STDP
from hrsnn_rs.errors import CalibrationError, CalibrationWarning, ParameterError
from hrsnn_rs.learning import Clips, Readout, network_features
from hrsnn_rs.network import Network, default_network, default_neuron, default_plasticity
from hrsnn_rs.network.one_sample import check_threads
from hrsnn_rs.network.presets import AXON_DELAY, SENSOR, W_RECURRENT
from hrsnn_rs.network.running import MOST_WINDOWS
from hrsnn_rs.search.space import LawRange, NumberRange, Point, SearchSpace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.trial import Trial

    from hrsnn_rs.description.law import Distribution

OBJECTIVES: dict[str, Literal["maximize", "minimize"]] = {
    "accuracy": "maximize",
    "spikes": "minimize",
    "operations": "minimize",
}
"""What can be searched for, and in which direction: of validation clips, per sample."""

_SHAPE = (1.0, 50.0)

_N_FOLDS = 3

_CONSTANTS = ("tau_plus", "tau_minus", "a_plus", "a_minus")

RECIPE: dict[str, Distribution | float] = {
    "tau_m": cast("Distribution", default_neuron().tau_m),
    **{name: getattr(default_plasticity(), name) for name in _CONSTANTS},
    "axon_delay": AXON_DELAY,
    "w_recurrent": W_RECURRENT,
    "rate": 3.0,
}
"""Laws and numbers of `network.default_network`, and the rate of `HRSNNClassifier`."""

_RANGES: dict[str, LawRange | NumberRange] = {
    "tau_m": LawRange(Gamma, mean=(10.0, 400.0), shape=_SHAPE, log=True),
    "tau_plus": LawRange(Gamma, mean=(3.0, 100.0), shape=_SHAPE, log=True),
    "tau_minus": LawRange(Gamma, mean=(3.0, 200.0), shape=_SHAPE, log=True),
    "a_plus": LawRange(Gamma, mean=(0.001, 0.1), shape=_SHAPE, log=True),
    "a_minus": LawRange(Gamma, mean=(0.001, 0.1), shape=_SHAPE, log=True),
    "axon_delay": LawRange(Uniform, low=1.0, high=(2.0, 400.0), log=True),
    "w_recurrent": NumberRange(0.005, 0.3, log=True),
    "rate": NumberRange(1.0, 10.0, log=True),
}


def network_space(only: Sequence[str] | None = None) -> SearchSpace:
    """Give the laws and numbers of the recipe's network that can be searched.

    Parameters
    ----------
    only : sequence of str, default=None
        Names of `RECIPE` to search; the others stay as they are there. `None` means all.

    Returns
    -------
    SearchSpace
        Gamma laws of time constants (ms) and amplitudes (mV), a uniform law of the axons' delays
        (ms), the recurrent weight as a share of the threshold, and the rate in Hz.

    Raises
    ------
    ParameterError
        If a name is unknown, or none is given.

    Examples
    --------
    >>> from hrsnn_rs.search import network_space
    >>> list(network_space(["tau_m", "rate"]).numbers)
    ['tau_m.mean', 'tau_m.shape', 'rate']
    """
    names = list(_RANGES) if only is None else check_list("only", only, least=1)
    for place, name in enumerate(names):
        check_choice(f"only[{place}]", name, _RANGES)
    return SearchSpace({name: one for name, one in _RANGES.items() if name in names})


def network_of(
    point: Mapping[str, Distribution | float],
    n_inputs: int,
    *,
    sensor: tuple[int, int] | None = SENSOR,
    n_neurons: int = 1000,
    seed: int = 0,
) -> Network:
    """Make the network of the recipe with the laws of a point in place of its own.

    Parameters
    ----------
    point : mapping of str to Distribution or float
        Of `RECIPE`'s names; what is missing is as there. The rate is left to who calibrates.
    n_inputs, sensor, n_neurons, seed
        As in `network.default_network`.

    Returns
    -------
    Network
        Not yet calibrated: ready for `HRSNNClassifier(network=..., rate=point["rate"])`.

    Raises
    ------
    ParameterError
        If a name is unknown or a value is refused.

    Examples
    --------
    >>> from hrsnn_rs import Gamma
    >>> from hrsnn_rs.search import network_of
    >>> network_of({"tau_m": Gamma(mean=50.0)}, 128, sensor=(8, 8), n_neurons=50)
    Network(n_inputs=128, n_neurons=50, n_synapses=..., dtype='float32')
    """
    for name in check_mapping("point", point):
        if name not in RECIPE:
            raise ParameterError(f"point must be of {', '.join(RECIPE)}; got {name!r}.")
    laws: dict[str, Any] = {**RECIPE, **point}
    return default_network(
        n_inputs,
        sensor=sensor,
        n_neurons=n_neurons,
        seed=seed,
        tau_m=laws["tau_m"],
        w_recurrent=laws["w_recurrent"],
        axon_delay=laws["axon_delay"],
        plasticity=STDP(**{name: laws[name] for name in _CONSTANTS}),
    )


class NetworkObjective:
    """Score of a network of the recipe, for an optuna study.

    The clips are divided by persons into folds. For each, a network of the trial's laws is
    calibrated and trained without labels on the other folds' clips, and a readout fitted to them;
    the score is the share of all clips named rightly while they were left out. A trial that cannot
    reach its rate is pruned.

    Parameters
    ----------
    clips : Clips
        Clips to search on, and no others.
    space : SearchSpace
        As `network_space` gives it.
    objectives : sequence of {"accuracy", "spikes", "operations"}, default=("accuracy",)
        What a trial returns, in this order.
    n_folds : int, default=None
        Folds, at least 2 and at most as many as there are groups. `None` means three, or two of two
        groups.
    sensor, n_neurons, seed
        As in `network.default_network`.
    epochs : int, default=1
        Passes of unsupervised training.
    n_windows : int, default=4
        Windows of a clip.
    n_threads : int, default=None
        Threads; no result depends on them. `None` means all cores.

    Raises
    ------
    ParameterError
        If an argument is not what it should be, or there are fewer than two groups.

    Examples
    --------
    >>> import optuna
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.learning import Clips
    >>> from hrsnn_rs.search import NetworkObjective, WassersteinSampler, network_space
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> clips = Clips.of_dataset(make_gestures(2, 1, size=32, duration=300_000))
    >>> space = network_space(["tau_m"])
    >>> objective = NetworkObjective(clips, space, n_neurons=40, n_folds=2)
    >>> study = optuna.create_study(direction="maximize", sampler=WassersteinSampler(space))
    >>> study.optimize(objective, n_trials=2)
    >>> 0.0 <= study.best_value <= 1.0
    True
    """

    def __init__(
        self,
        clips: Clips,
        space: SearchSpace,
        *,
        objectives: Sequence[str] = ("accuracy",),
        n_folds: int | None = None,
        sensor: tuple[int, int] | None = SENSOR,
        n_neurons: int = 1000,
        seed: int = 0,
        epochs: int = 1,
        n_windows: int = 4,
        n_threads: int | None = None,
    ) -> None:
        if not isinstance(clips, Clips):
            raise ParameterError(f"clips must be Clips; got {clips!r}.")
        if not isinstance(space, SearchSpace):
            raise ParameterError(f"space must be a SearchSpace; got {space!r}.")
        for name in space.ranges:
            if name not in RECIPE:
                raise ParameterError(f"space must be of {', '.join(RECIPE)}; got {name!r}.")
        self.clips, self.space = clips, space
        self.objectives = checked_objectives(objectives)
        groups = len(np.unique(clips.groups))
        if groups < 2:
            raise ParameterError(f"clips must be of at least 2 groups; got {groups}.")
        usual = min(_N_FOLDS, groups)
        self.n_folds = usual if n_folds is None else check_integer("n_folds", n_folds, 2, groups)
        self.settings = {"n_windows": check_integer("n_windows", n_windows, 1, MOST_WINDOWS)}
        self.settings["epochs"] = check_integer("epochs", epochs)
        if sensor is not None:
            check_sides("sensor", sensor, 2)
        check_integer("n_neurons", n_neurons, 2)
        check_integer("seed", seed, high=MOST_SEED)
        check_threads(n_threads)
        self._made: dict[str, Any] = {"sensor": sensor, "n_neurons": n_neurons, "seed": seed}
        self.n_threads = n_threads

    def network(self, point: Point) -> Network:
        """Make the network of a point, not yet calibrated."""
        return network_of(point, self.clips.events[0].n_channels, **self._made)

    def __call__(self, trial: Trial) -> tuple[float, ...] | float:
        """Score the point that a trial asks for.

        Parameters
        ----------
        trial : optuna.Trial
            It keeps accuracy, spikes and operations, whatever is searched for, and what calibration
            warned of.

        Returns
        -------
        float or tuple of float
            The objectives.

        Raises
        ------
        optuna.TrialPruned
            If the study's pruner says so, or the rate cannot be reached.
        """
        from optuna import TrialPruned

        point = self.space.suggest(trial)
        folds = GroupKFold(self.n_folds).split(self.clips.labels, groups=self.clips.groups)
        scores: dict[str, list[float]] = {name: [] for name in OBJECTIVES}
        right, tested = 0, 0
        for fold, (_, left_out) in enumerate(folds):
            try:
                with warnings.catch_warnings(record=True) as said:
                    warnings.simplefilter("always", CalibrationWarning)
                    cost = self._fold(point, left_out)
                for one in said:
                    trial.set_user_attr("warning", str(one.message))
            except CalibrationError as error:
                trial.set_user_attr("pruned", str(error))
                raise TrialPruned(str(error)) from error
            right, tested = right + cost.pop("right"), tested + len(left_out)
            for name, value in cost.items():
                scores[name].append(value)
            if self.objectives == ("accuracy",):
                trial.report(right / tested, fold)
                if fold + 1 < self.n_folds and trial.should_prune():
                    raise TrialPruned
        outcome = {name: float(np.mean(scores[name])) for name in OBJECTIVES if scores[name]}
        outcome["accuracy"] = right / tested
        for name, value in outcome.items():
            trial.set_user_attr(name, value)
        values = tuple(outcome[name] for name in self.objectives)
        return values if len(values) > 1 else values[0]

    def _fold(self, point: Point, left_out: Any) -> dict[str, Any]:
        """Fit to all folds but one, and say how many clips of that one are named rightly."""
        training = np.ones(len(self.clips.labels), bool)
        training[left_out] = False
        features = network_features(
            self.network(point),
            self.clips,
            training,
            rate=float({**RECIPE, **point}["rate"]),  # type: ignore[arg-type]
            n_calibration=64,
            windows="events",
            memory=False,
            n_threads=self.n_threads,
            recalibrate=False,  # as `HRSNNClassifier.fit` leaves a network
            **self.settings,
        )
        labels, groups = self.clips.labels[training], self.clips.groups[training]
        readout = Readout().fit(features.counts[training], labels, groups=groups)
        predicted = readout.predict(features.counts[~training])
        return {
            "right": int((predicted == self.clips.labels[~training]).sum()),
            "spikes": features.spikes_per_sample,
            "operations": features.synaptic_operations,
        }


def checked_objectives(objectives: Sequence[str]) -> tuple[str, ...]:
    """Return known objectives, each named once."""
    names = tuple(check_list("objectives", objectives))
    is_text = all(isinstance(name, str) for name in names)
    if not names or not is_text or len({*names}) < len(names) or not {*names} <= OBJECTIVES.keys():
        raise ParameterError(f"objectives must be different, of {[*OBJECTIVES]}; got {names!r}.")
    return names
