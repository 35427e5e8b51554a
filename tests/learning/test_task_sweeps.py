import pytest
from hrsnn_rs.description import Constant
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning import measure_sweep, task_sweeps
from hrsnn_rs.learning.task_sweeps import SWEEPS

SMALL = {"n_neurons": 20, "n_samples": 4, "n_threads": 1}


def swept(monkeypatch, of, settings):
    """Rows of a few conditions, of one constant and the laws."""
    systems = {name: law for name, law in SWEEPS[of][1].items() if name in ("80 ms", "Gamma 80 ms")}
    monkeypatch.setitem(task_sweeps.SWEEPS, of, (settings, systems))
    return measure_sweep(of, [0], **SMALL)


@pytest.mark.parametrize("of", list(SWEEPS))
def test_each_sweep_has_a_control_and_a_law(of):
    conditions, systems = SWEEPS[of]
    assert {isinstance(law, Constant) for law in systems.values()} == {True, False}
    assert of == "laws" or len(conditions) >= 4


def test_neurons_are_as_many_as_the_condition_says(monkeypatch):
    settings = {f"{n} neurons": {"n_neurons": n} for n in (10, 40)}
    rows = swept(monkeypatch, "neurons", settings)
    assert rows["n_neurons"].to_list() == [10, 10, 40, 40]
    few, _, many, _ = rows["spikes_per_sample"]
    # Both are calibrated to 0.5 Hz, on 20 % of some 20 spikes of 10 neurons and some.
    assert many / few == pytest.approx(4.0, rel=0.5)


def test_connections_are_as_many_and_together_as_strong(monkeypatch):
    names = ("inputs 0.1, recurrent 0", "inputs 0.8, recurrent 0", "inputs 0.8, recurrent 0.2")
    settings = {name: SWEEPS["connections"][0][name] for name in names}
    rows = swept(monkeypatch, "connections", settings)
    sparse, dense, recurrent = (rows.filter(condition=name) for name in names)
    # Synaptic operations of 40 inputs are 8 times those of 5: the same stimuli reach more neurons.
    ratio = dense["synaptic_operations"][0] / sparse["synaptic_operations"][0]
    assert ratio == pytest.approx(8.0, rel=0.1)
    spikes = recurrent["spikes_per_sample"][0]
    extra = recurrent["synaptic_operations"][0] - dense["synaptic_operations"][0]
    # Each neuron has 4 sources, so that a spike reaches 4 targets on average; of 20 neurons some
    # spike more than others.
    assert extra == pytest.approx(4.0 * spikes, rel=0.3)
    assert recurrent["gain"][0] != dense["gain"][0]


def test_a_share_of_training_leaves_the_judged_samples_alone(monkeypatch):
    settings = {
        name: SWEEPS["training"][0][name] for name in ("10% of training", "100% of training")
    }
    rows = swept(monkeypatch, "training", settings)
    assert rows["n_samples"].unique().to_list() == [4]
    few, _, all_, _ = rows["gain"]
    # Calibration looks at the training samples: 8 or 32.
    assert few != all_


def test_unknown_sweeps_are_refused():
    with pytest.raises(ParameterError, match=r"of must be one of neurons, .*; got 'weather'\."):
        measure_sweep("weather", [0])
