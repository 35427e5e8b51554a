"""What an estimator was fitted with, held against what its parameters say now.

Lives here: the check. Parameters may be set at any time; those that what was learned depends on
must be as they were when it is used or written down.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from hrsnn_rs.errors import ParameterError

__all__ = ["check_as_fitted", "check_classifier", "remember_fit"]


def remember_fit(estimator: Any, names: tuple[str, ...]) -> None:
    """Keep the parameters that what was learned depends on.

    Parameters
    ----------
    estimator : estimator
        Fitted. Gets an attribute.
    names : tuple of str
        Of the parameters.

    Examples
    --------
    >>> from hrsnn_rs.learning import Readout
    >>> readout = Readout().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> remember_fit(readout, ("scaling",))
    >>> check_as_fitted(readout)
    >>> check_as_fitted(readout.set_params(scaling="common"))
    Traceback (most recent call last):
    hrsnn_rs.errors.ParameterError: scaling must be 'auto', with which this Readout was fitted,
        or the Readout be fitted again; got 'common'.
    """
    estimator._fitted_as = {name: getattr(estimator, name) for name in names}


def check_classifier(classifier: Any) -> None:
    """Refuse what is no fitted classifier, or one that was set to something else after the fit.

    Parameters
    ----------
    classifier : HRSNNClassifier
        Or one of a class made of it. Not changed.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ParameterError
        If it is none, or a parameter is another one now.

    Examples
    --------
    >>> check_classifier(None)
    Traceback (most recent call last):
    hrsnn_rs.errors.ParameterError: classifier must be a fitted HRSNNClassifier; got None.
    """
    # By what it has: who stands on this file knows the class.
    if isinstance(classifier, type) or not hasattr(classifier, "readout"):
        raise ParameterError(f"classifier must be a fitted HRSNNClassifier; got {classifier!r}.")
    check_as_fitted(classifier)


def check_as_fitted(estimator: Any) -> None:
    """Refuse an estimator that is not fitted, or was set to something else after it.

    Parameters
    ----------
    estimator : estimator
        What `remember_fit` was told of. Not changed.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ParameterError
        If a parameter is another one now.
    """
    check_is_fitted(estimator)
    kind = type(estimator).__name__
    # Pickles of before have none.
    for name, fitted in getattr(estimator, "_fitted_as", {}).items():
        value = getattr(estimator, name)
        if not np.array_equal(value, fitted):
            raise ParameterError(
                f"{name} must be {fitted!r}, with which this {kind} was fitted, or the {kind} be "
                f"fitted again; got {value!r}."
            )
