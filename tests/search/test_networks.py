"""The network of a point, and its score on persons that were left out."""

import functools

import hrsnn_rs as hr
import numpy as np
import optuna
import optuna_studies
import pytest
from hrsnn_rs.datasets import make_gestures
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning import Clips, Readout
from hrsnn_rs.network import default_network, default_plasticity
from hrsnn_rs.search import RECIPE, NetworkObjective, network_of, network_space
from hrsnn_rs.search import networks as module

SMALL = {"n_neurons": 40, "n_threads": 1}


@functools.cache
def clips() -> Clips:
    return Clips.of_dataset(make_gestures(4, 1, size=32, duration=300_000))


def outcome(
    *, objectives=("accuracy",), n_folds=2, point=None, **options
) -> optuna.trial.FrozenTrial:
    space = network_space()
    objective = NetworkObjective(clips(), space, objectives=objectives, n_folds=n_folds,
                                 **{**SMALL, **options})  # fmt: skip
    directions = [module.OBJECTIVES[name] for name in objectives]
    study = optuna.create_study(directions=directions)
    study.enqueue_trial(space.numbers_of(RECIPE if point is None else point))
    study.optimize(objective, n_trials=1)
    return study.trials[0]


def test_the_recipe_is_the_default_network():
    here, there = network_of({}, 128, sensor=(8, 8), n_neurons=50), default_network(
        128, sensor=(8, 8), n_neurons=50
    )  # fmt: skip
    assert here.describe().equals(there.describe())
    assert (here.recurrent_weights != there.recurrent_weights).nnz == 0
    events = hr.Events([0, 10, 20], [0, 1, 2], n_channels=128, duration=200_000)
    assert here.run(events).spikes.equals(there.run(events).spikes)


def test_the_recipe_has_these_numbers():
    said = {
        "tau_m": hr.Gamma(mean=80.0, shape=3.0),
        "tau_plus": hr.Gamma(mean=15.0, shape=3.0),
        "tau_minus": hr.Gamma(mean=34.0, shape=3.0),
        "a_plus": hr.Gamma(mean=0.01, shape=3.0),
        "a_minus": hr.Gamma(mean=0.0066, shape=3.0),
        "axon_delay": hr.Uniform(1.0, 200.0),
        "w_recurrent": 0.05,
        "rate": 3.0,
    }
    # In this order: a study's numbers stand in it.
    assert list(RECIPE.items()) == list(said.items())
    assert {*network_space().ranges} == {*RECIPE}
    plasticity = default_plasticity()
    for name in ("tau_plus", "tau_minus", "a_plus", "a_minus"):
        assert RECIPE[name] == getattr(plasticity, name)


@pytest.mark.parametrize("name", [name for name in RECIPE if name != "rate"])
def test_each_law_of_a_point_is_the_network_s(name):
    space = network_space([name])
    point = space.point(space.numbers_at(np.full(len(space.numbers), 0.25)))
    assert point[name] != RECIPE[name]
    found = network_of(point, 128, sensor=(8, 8), n_neurons=50)
    recipe = network_of({}, 128, sensor=(8, 8), n_neurons=50)
    if name == "w_recurrent":
        assert found.recurrent_weights.max() < recipe.recurrent_weights.max()
        return
    rows = [one.describe() for one in (found, recipe)]
    changed = rows[0].filter(rows[0]["mean"] != rows[1]["mean"])["parameter"].to_list()
    wanted = {"axon_delay": "recurrent.delay", "tau_m": "neuron.tau_m"}.get(name, f".{name}")
    assert len(changed) == 1
    assert changed[0].endswith(wanted.partition(".")[2])


def test_axons_have_one_delay_each():
    law = hr.Uniform(1.0, 20.0)
    mine = default_network(128, sensor=(8, 8), n_neurons=50, axon_delay=law)
    row = mine.describe().filter(mine.describe()["parameter"].str.ends_with("delay"))
    assert row["max"].max() <= 20.0
    for options in ({"axon_delay": 3.0}, {"axon_delay": law, "recurrent_delay": law}):
        with pytest.raises(ParameterError, match="axon_delay must be"):
            default_network(128, sensor=(8, 8), n_neurons=50, **options)


def test_the_start_lies_in_the_space():
    assert network_space().point(network_space().numbers_of(RECIPE)) == RECIPE


def test_no_fold_sees_who_is_left_out(monkeypatch):
    fitted, trained = [], []
    features, fit = module.network_features, Readout.fit

    def seen(network, given, training, **options):
        assert given is clips()
        trained.append(training)
        return features(network, given, training, **options)

    def noted(self, X, y, groups=None, sample_weight=None):
        fitted.append(set(groups.tolist()))
        return fit(self, X, y, groups, sample_weight)

    monkeypatch.setattr(module, "network_features", seen)
    monkeypatch.setattr(Readout, "fit", noted)
    outcome(n_folds=3)
    assert len(trained) == len(fitted) == 3
    left_out = [set(clips().groups[~mask].tolist()) for mask in trained]
    for mask, names, others in zip(trained, fitted, left_out, strict=True):
        assert names == set(clips().groups[mask].tolist())
        assert not names & others
    assert sorted(name for names in left_out for name in names) == sorted(
        set(clips().groups.tolist())
    )


def test_a_trial_keeps_what_it_cost():
    found = outcome(objectives=("spikes", "accuracy", "operations"))
    assert found.values == [found.user_attrs[name] for name in ("spikes", "accuracy", "operations")]
    assert found.user_attrs["operations"] > found.user_attrs["spikes"] > 0
    assert found.user_attrs["accuracy"] * len(clips().labels) == pytest.approx(
        round(found.user_attrs["accuracy"] * len(clips().labels))
    )


def test_threads_change_nothing():
    one, two = (outcome(n_threads=n) for n in (1, 2))
    assert one.values == two.values
    assert one.user_attrs == two.user_attrs


def test_epochs_windows_and_seed_count():
    usual = outcome(objectives=("spikes",))
    assert outcome(objectives=("spikes",), epochs=0).values != usual.values
    assert outcome(objectives=("spikes",), seed=1).values != usual.values
    assert outcome(n_windows=1).user_attrs["spikes"] == usual.user_attrs["spikes"]


def test_a_rate_that_cannot_be_reached_prunes_the_trial(monkeypatch):
    def unreachable(*arguments, **options):
        raise hr.CalibrationError("rate cannot be reached")

    monkeypatch.setattr(module, "network_features", unreachable)
    found = outcome()
    assert found.state is optuna.trial.TrialState.PRUNED
    assert found.user_attrs["pruned"] == "rate cannot be reached"


def test_a_pruner_is_asked_after_each_fold_but_the_last():
    class Never(optuna.pruners.BasePruner):
        def prune(self, study, trial):
            return True

    space = network_space(["tau_m"])
    study = optuna.create_study(direction="maximize", pruner=Never())
    study.optimize(NetworkObjective(clips(), space, n_folds=3, **SMALL), n_trials=1)
    assert study.trials[0].state is optuna.trial.TrialState.PRUNED
    assert list(study.trials[0].intermediate_values) == [0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clips": None}, "clips must be Clips"),
        ({"space": {}}, "space must be a SearchSpace"),
        ({"space": optuna_studies.SPACE, "objectives": ()}, "objectives must be different, of"),
        ({"objectives": ("accuracy", "accuracy")}, "objectives must be different"),
        ({"objectives": ("beauty",)}, "objectives must be different, of"),
        ({"n_folds": 1}, "n_folds must be"),
        ({"n_folds": 99_999}, r"n_folds must be at most \d+; got 99999"),
        ({"n_windows": 0}, "n_windows must be"),
        ({"epochs": -1}, "epochs must be"),
    ],
)
def test_nonsense_is_refused(arguments, message):
    good = {"clips": clips(), "space": network_space(["tau_m"])}
    with pytest.raises(ParameterError, match=message):
        NetworkObjective(**{**good, **arguments})


@pytest.mark.parametrize(("n_groups", "n_folds"), [(2, 2), (3, 3), (4, 3)])
def test_three_folds_are_usual(n_groups, n_folds):
    some = clips().subset(np.flatnonzero(clips().groups < n_groups))
    assert NetworkObjective(some, network_space(["rate"])).n_folds == n_folds


def test_one_person_is_too_few():
    one = Clips("one", clips().events[:3], [0, 1, 2], ["ann"] * 3, classes=("a", "b", "c"))
    with pytest.raises(ParameterError, match="clips must be of at least 2 groups; got 1"):
        NetworkObjective(one, network_space())


def test_names_that_are_not_known_are_refused():
    with pytest.raises(ParameterError, match=r"only.0. must be one of tau_m, .*; got 'tau'"):
        network_space(["tau"])
    with pytest.raises(ParameterError, match="only must hold at least one; got none"):
        network_space([])
    with pytest.raises(ParameterError, match=r"point must be of tau_m, .*; got 'tau'"):
        network_of({"tau": 3.0}, 128)
    unknown = hr.search.SearchSpace({"tau": hr.search.NumberRange(0.0, 1.0)})
    with pytest.raises(ParameterError, match=r"space must be of tau_m, .*; got 'tau'"):
        NetworkObjective(clips(), unknown)
