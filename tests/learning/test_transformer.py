"""The layers as a transformer: scikit-learn's own checks, tables, and what is refused."""

import numpy as np
import pytest
from hrsnn_rs import HRSNNTransformer, ShapeError
from sklearn.utils.estimator_checks import parametrize_with_checks


# The checks' tables are tiny, and their few channels need strong synapses.
@pytest.mark.filterwarnings("ignore::hrsnn_rs.CalibrationWarning")
@parametrize_with_checks([HRSNNTransformer()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore::hrsnn_rs.CalibrationWarning")
def test_tables_are_taken_by_a_network():
    table = np.random.default_rng(0).random((8, 3))
    fitted = HRSNNTransformer(n_neurons=10, n_windows=1).fit(table)
    assert fitted.layers_ == "recurrent"
    assert list(fitted.get_feature_names_out()) == [f"window0_neuron{n}" for n in range(10)]
    np.testing.assert_array_equal(fitted.transform(table), fitted.fit_transform(table))


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(ShapeError, match="at least 1 sample"):
        HRSNNTransformer().fit(iter([]))
