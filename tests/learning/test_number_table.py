"""Tables of numbers: what no estimator takes for one, and where it says that it stands."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning import HRSNNClassifier, HRSNNTransformer, Readout

TABLE = np.random.default_rng(3).uniform(1.0, 9.0, (12, 3))
LABELS = np.tile([0, 1], 6)
DAYS = TABLE.astype(np.int64).astype("datetime64[D]")


@pytest.fixture(scope="module", params=[HRSNNClassifier, HRSNNTransformer, Readout])
def estimator(request):
    if request.param is Readout:
        return Readout().fit(TABLE, LABELS)
    small = {"n_neurons": 20, "layers": "recurrent", "n_threads": 1}
    return request.param(**small).fit(TABLE, LABELS)


def both(estimator):
    """What looks at new samples, and at those of a fit."""
    after = estimator.transform if hasattr(estimator, "transform") else estimator.predict
    return after, lambda table: type(estimator)(**estimator.get_params()).fit(table, LABELS)


def changed(value, dtype=np.float64):
    table = TABLE.astype(dtype)
    table[4, 1] = value
    return table


MASKED = np.ma.array(TABLE, mask=np.arange(36).reshape(12, 3) == 13)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (MASKED, r"must have no masked values; got one at \(row, column\) \(4, 1\)"),
        (list(MASKED), r"\[4\] must have no masked values; got one at index 1"),
        (DAYS, r"must be real numbers; got datetime64\[D\]"),
        (DAYS - DAYS[0, 0], r"must be real numbers; got timedelta64\[D\]"),
        (list(DAYS), r"must be real numbers; got datetime64\[D\]"),
        (pd.DataFrame({"a": LABELS, "b": DAYS[:, 0], "c": LABELS}), "real numbers; got datetime64"),
        (pl.DataFrame({"a": LABELS, "b": DAYS[:, 0], "c": LABELS}), "real numbers; got Date"),
        (changed(np.nan), r"must be finite.* NaN .*got nan at \(row, column\) \(4, 1\)"),
        (changed(-np.inf), r"must be finite.*got -inf at \(row, column\) \(4, 1\)"),
        (changed(np.inf).tolist(), r"must be finite.*got inf at \(row, column\) \(4, 1\)"),
    ],
)
def test_what_is_no_number_is_named(estimator, table, said):
    for method in both(estimator):
        with pytest.raises(ParameterError, match=f"(samples|features).*{said}"):
            method(table)


def test_a_mask_of_nothing_is_no_mask(estimator):
    see = both(estimator)[0]
    np.testing.assert_array_equal(see(np.ma.array(TABLE, mask=False)), see(TABLE))


def test_masked_windows_are_refused():
    counts = np.ma.array(TABLE.reshape(12, 3, 1), mask=TABLE.reshape(12, 3, 1) > 8.0)
    with pytest.raises(ParameterError, match="features must have no masked values"):
        Readout().fit(counts, LABELS)
