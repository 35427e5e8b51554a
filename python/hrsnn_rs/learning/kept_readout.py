"""A readout as a file has it, and made again of it.

Lives here: parameters as JSON holds them, arrays by name, and the check of both. Not here: the file
(`classifier_file`), and how a readout is fitted (`readout`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.learning.fitted_as import check_as_fitted, remember_fit
from hrsnn_rs.learning.labels import (
    check_class_weight,
    class_weight_from_json,
    class_weight_to_json,
    from_bytes,
    from_json,
    to_bytes,
    to_json,
)
from hrsnn_rs.learning.left_out import checked_alphas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["SHAPING", "KeptReadout"]

_COMPRESSIONS = ("log1p", "none")
_SCALINGS = ("auto", "each", "common")
#: Parameters that the fitted weights depend on at every use.
SHAPING = ("compression",)


class KeptReadout(BaseEstimator):  # type: ignore[misc]
    """A readout as a file has it; see `Readout`."""

    alpha: float | Sequence[float]
    compression: str
    scaling: str
    class_weight: Mapping[Any, float] | str | None
    alpha_: float
    temperature_: float
    coef_: Floats
    intercept_: Floats
    mean_: Floats
    scale_: Floats
    classes_: NDArray[Any]
    n_features_in_: int

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters of the constructor as JSON can hold them.

        Returns
        -------
        dict
            `alpha`, `compression`, `scaling` and `class_weight`.

        Raises
        ------
        ParameterError
            If a parameter is none of the allowed.

        Examples
        --------
        >>> from hrsnn_rs.learning import Readout
        >>> Readout(alpha=10.0).to_dict()
        {'alpha': 10.0, 'compression': 'log1p', 'scaling': 'auto', 'class_weight': None}
        """
        alphas = self.check_parameters()
        return {
            "alpha": alphas[0] if np.ndim(self.alpha) == 0 else alphas,
            "compression": self.compression,
            "scaling": self.scaling,
            "class_weight": class_weight_to_json(self.class_weight),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Make an unfitted readout of what `to_dict` gave.

        Parameters
        ----------
        fields : mapping
            As `to_dict` gives it.

        Returns
        -------
        Readout
            It fits the same bits.

        Raises
        ------
        FormatError
            If a field is missing, unknown or has a value that is not allowed.

        Examples
        --------
        >>> from hrsnn_rs.learning import Readout
        >>> Readout.from_dict(Readout(alpha=10.0).to_dict())
        Readout(alpha=10.0)
        """
        try:
            weight = class_weight_from_json(fields["class_weight"])
            readout = cls(**{**fields, "class_weight": weight})
            readout.check_parameters()
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"fields of a readout are wrong: {error!r}.") from error
        return readout

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Give the whole readout as arrays, for a file without pickle.

        Returns
        -------
        dict of str to ndarray
            `coef`, `intercept`, `mean`, `scale`, `alpha`, `temperature` (float64), and as the
            UTF-8 bytes of JSON `classes` (their dtype and values) and `parameters` (those of the
            constructor).

        Examples
        --------
        >>> import numpy as np
        >>> from hrsnn_rs.learning import Readout
        >>> readout = Readout(alpha=1.0).fit(np.eye(4), [0, 0, 1, 1])
        >>> same = Readout.from_arrays(readout.to_arrays())
        >>> same.predict(np.eye(4))
        array([0, 0, 1, 1])
        """
        check_as_fitted(self)
        return {
            "coef": self.coef_.copy(),
            "intercept": self.intercept_.copy(),
            "mean": self.mean_.copy(),
            "scale": self.scale_.copy(),
            "alpha": np.array([self.alpha_], dtype=np.float64),
            "temperature": np.array([self.temperature_], dtype=np.float64),
            "classes": to_bytes(to_json(self.classes_)),
            "parameters": to_bytes(self.to_dict()),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make a fitted readout of what `to_arrays` gave.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            As `to_arrays` gives it. Not changed.

        Returns
        -------
        Readout
            Fitted; it predicts the same bits, and fits the same bits once more.

        Raises
        ------
        FormatError
            If an array is missing or its shape does not fit the others.
        """
        try:
            coef, intercept, mean, scale, alpha, temperature = (
                np.array(arrays[name], dtype=np.float64, order="C")
                for name in ("coef", "intercept", "mean", "scale", "alpha", "temperature")
            )
            classes = from_json(from_bytes(np.asarray(arrays["classes"])))
            readout = cls.from_dict(from_bytes(np.asarray(arrays["parameters"])))
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"the arrays of a readout are incomplete: {error!r}.") from error
        n_rows = 1 if len(classes) == 2 else len(classes)
        if (
            len(classes) < 2
            or coef.shape != (n_rows, mean.size)
            or intercept.shape != (n_rows,)
            or mean.shape != scale.shape
            or alpha.shape != (1,)
            or temperature.shape != (1,)
        ):
            raise FormatError(
                f"the arrays of a readout do not fit each other: coef {coef.shape}, "
                f"intercept {intercept.shape}, mean {mean.shape}, scale {scale.shape}, "
                f"{len(classes)} classes."
            )
        readout.alpha_, readout.temperature_ = float(alpha[0]), float(temperature[0])
        readout.coef_, readout.intercept_ = coef, intercept
        readout.mean_, readout.scale_ = mean, scale
        readout.classes_, readout.n_features_in_ = classes, int(mean.size)
        remember_fit(readout, SHAPING)
        return readout

    def check_parameters(self) -> list[float]:
        """Check the settings and list the candidates of alpha, ascending."""
        for name, known in (("compression", _COMPRESSIONS), ("scaling", _SCALINGS)):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                raise ParameterError(f"{name} must be one of {known}; got {value!r}.")
        check_class_weight(self.class_weight)
        return checked_alphas(self.alpha)
