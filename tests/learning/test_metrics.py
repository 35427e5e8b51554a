import numpy as np
import pytest
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning.metrics import (
    accuracy,
    confusion_matrix,
    direction_accuracy,
    direction_scores,
    recall_of_classes,
)
from hrsnn_rs.learning.operations import synaptic_operations


def test_accuracy_and_confusion_agree():
    true, guess = np.array([0, 1, 2, 2, 1]), np.array([0, 2, 2, 2, 1])
    matrix = confusion_matrix(true, guess)
    assert accuracy(true, guess) == matrix.trace() / matrix.sum() == 0.8
    assert matrix[1, 2] == 1


def test_confusion_keeps_classes_that_do_not_occur():
    assert confusion_matrix([0, 1], [0, 1], classes=[0, 1, 2]).shape == (3, 3)


def test_recall_is_the_diagonal_share():
    table = recall_of_classes(["b", "a", "b", "b"], ["b", "b", "a", "b"])
    assert table.rows() == [("a", 1, 0.0), ("b", 3, pytest.approx(2 / 3))]


@pytest.mark.parametrize(("true", "guess"), [([], []), ([1], [1, 2]), ([[1]], [[1]])])
def test_lengths_must_fit(true, guess):
    for measure in (accuracy, confusion_matrix, recall_of_classes):
        with pytest.raises(ShapeError, match="same length, at least 1"):
            measure(true, guess)


def test_direction_looks_only_at_the_true_gesture():
    # The wrong gesture has the largest value; of the true one's two, the right is larger.
    decision = np.array([[0.1, 0.0, 9.0, 9.0], [0.1, 0.0, 9.0, 9.0]])
    assert direction_accuracy(decision, [0, 1, 2, 3], [0, 1]) == 0.5
    assert direction_accuracy(decision[:1], [0, 1, 2, 3], [0]) == 1.0
    assert direction_scores(decision, [0, 1, 2, 3], [0, 1]).tolist() == [1.0, 0.0]


def test_rounding_is_a_tie_and_ties_are_half():
    decision = np.array([[0.3, 0.3 + 1e-16, -1.0, 5.0]] * 3)
    assert direction_accuracy(decision, [0, 1, 2, 3], [0, 1, 0]) == 0.5
    assert direction_scores(np.zeros((2, 2)), [0, 1], [0, 1]).tolist() == [0.5, 0.5]


def test_direction_of_one_gesture_has_one_column():
    assert direction_accuracy([-1.0, 2.0, 1.0], [0, 1], [0, 1, 0]) == pytest.approx(2 / 3)


def test_columns_may_be_in_any_order():
    decision = np.array([[0.0, 1.0, 2.0, 3.0]])
    assert direction_accuracy(decision, [3, 1, 2, 0], [0]) == 1.0
    assert direction_accuracy(decision, [3, 1, 2, 0], [3]) == 0.0


def test_direction_refuses_what_does_not_fit():
    with pytest.raises(ShapeError, match=r"decision must have shape \(2, 4\).*got \(3, 4\)"):
        direction_accuracy(np.zeros((3, 4)), [0, 1, 2, 3], [0, 1])
    with pytest.raises(ParameterError, match="classes must hold 3"):
        direction_accuracy(np.zeros((1, 3)), [0, 1, 2], [2])


def test_operations_have_neurobench_names():
    sizes = {
        "n_synaptic_events": 12_000, "n_spikes": 300, "n_samples": 4, "duration": 2_000_000,
        "n_inputs": 10, "n_neurons": 50, "n_synapses": 600,
    }  # fmt: skip
    result = synaptic_operations(**sizes)
    assert result["synaptic_operations"] == {
        "Effective_MACs": 0.0,
        "Effective_ACs": 3_000.0,
        "Dense": 3_000 * 2_000 / 4,
    }
    assert result["activation_sparsity"] == pytest.approx(1 - 300 / (50 * 2_000))
    assert result["connection_sparsity"] == pytest.approx(1 - 600 / 3_000)
    for name in ("n_samples", "duration", "n_inputs", "n_neurons"):
        with pytest.raises(ParameterError, match=f"{name} must be at least 1; got 0"):
            synaptic_operations(**sizes | {name: 0})
    with pytest.raises(ParameterError, match="n_spikes must be at least 0; got -1"):
        synaptic_operations(**sizes | {"n_spikes": -1})
