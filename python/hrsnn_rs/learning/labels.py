"""Labels and groups as numbers: encoded once, kept in a file, restored exactly.

Lives here: what may be a label, and the only place where its type matters. Not here: arithmetic,
which sees codes 0..k-1 and never a label. Invariant: whatever was accepted can be kept in a file
and comes back with the same type, bytes and order.
"""

from __future__ import annotations

import json
import re
import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.exceptions import DataConversionWarning

from hrsnn_rs.arguments import as_array
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

_KINDS = {
    bool: "a truth value",
    int: "an integer",
    float: "a float",
    str: "a string",
    bytes: "bytes",
}
_TYPE_OF_KIND = {"b": bool, "i": int, "u": int, "f": float, "U": str, "S": bytes}
_KEPT_DTYPE = re.compile(r"\|O|[<>|][biufUS]\d{1,7}")
# Bytes that the classes of a file may ask for.
_MOST_BYTES = 2**28
# Squares of products of two weights can still be added.
_MOST_WEIGHT = 1e60


class Encoded(NamedTuple):
    """Labels as codes.

    Attributes
    ----------
    values : ndarray of shape (n_values,)
        Sorted, distinct labels, of the type that was given.
    codes : ndarray of intp, shape (n_samples,)
        Place of each sample's label in `values`.
    """

    values: NDArray[Any]
    codes: NDArray[np.intp]


def encode(name: str, given: ArrayLike, *, whole: bool = True) -> Encoded:
    """Turn labels into codes, or name the first that cannot be one.

    Parameters
    ----------
    name : str
        Argument to name in a message: "y" or "groups".
    given : array_like of shape (n_samples,)
        Integers, truth values, strings, bytes or floats; all of one kind. Of pandas and polars
        too, with categories. An array of objects is taken as what it holds. Not changed.
    whole : bool, default=True
        Whether floats must be whole numbers, as labels must: others are targets of a regression.

    Returns
    -------
    Encoded
        Values and codes.

    Raises
    ------
    ParameterError
        If one is missing, or of another type or kind.
    ShapeError
        If they have not one dimension.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.labels import encode
    >>> encode("y", np.array([7, 3, 7], dtype=np.uint8))
    Encoded(values=array([3, 7], dtype=uint8), codes=array([1, 0, 1]))
    """
    array = as_array(name, given)
    if array.ndim == 2 and array.shape[1] == 1:
        warnings.warn(
            f"A column-vector {name} was passed when a 1d array was expected.",
            DataConversionWarning,
            stacklevel=3,
        )
        array = given = array[:, 0]
    if array.ndim != 1:
        raise ShapeError(f"{name} should be a 1d array, one a sample; got shape {array.shape}.")
    if isinstance(given, (list, tuple)):
        # NumPy makes one type of several, and a string of what is missing, without a word.
        array = _of_one_kind(name, given)
    elif array.dtype.kind in "OT":
        plain = _of_one_kind(name, array.tolist())
        array = array.astype(object) if plain.dtype.kind == "U" else plain
    if array.dtype.kind not in "biufUSO" or array.dtype.str[1:] == "f16":
        raise ParameterError(f"{name} must be integers or strings; got dtype {array.dtype}.")
    if array.dtype.kind == "f":
        wrong = ~np.isfinite(array)
        said = f"{name} must have a value for each sample"
        if not wrong.any() and whole:
            wrong = array != np.floor(array)
            said = f"{name} must name classes (Unknown label type: continuous)"
        if wrong.any():
            index = int(wrong.argmax())
            raise ParameterError(f"{said}; got {array[index]} at sample {index}.")
    values, codes = np.unique(array, return_inverse=True)
    return Encoded(values, codes)


def _of_one_kind(name: str, items: Sequence[Any]) -> NDArray[Any]:
    """Make an array of Python objects, unless they are of several kinds."""
    first: type | None = None
    for index, item in enumerate(items):
        kind = _kind(item)
        if kind is None or item is None or item != item:
            raise ParameterError(
                f"{name} must be integers or strings, one a sample; got {item!r} at sample {index}."
            )
        # 1 and 2.0 are both numbers.
        if first not in (None, kind) and {first, kind} != {int, float}:
            assert first is not None
            raise ParameterError(
                f"{name} must be of one kind; got {item!r} at sample {index}, "
                f"{_KINDS[kind]} after {_KINDS[first]}."
            )
        first = float if {first, kind} == {int, float} else kind
    array = np.array(items)
    if first is int and array.dtype.kind not in "iu":
        raise ParameterError(f"{name} must be integers of 64 bits; got {max(items, key=abs)!r}.")
    return array


def _kind(item: Any) -> type | None:
    for kind, python in (
        ((bool, np.bool_), bool),
        (Integral, int),
        (Real, float),
        (str, str),
        (bytes, bytes),
    ):
        if isinstance(item, kind):
            return python
    return None


def checked_groups(groups: ArrayLike | None, n_samples: int) -> Encoded | None:
    """Encode groups, of which there must be as many as samples; `None` stays `None`."""
    if groups is None:
        return None
    shape = as_array("groups", groups).shape
    if shape != (n_samples,):
        raise ShapeError(f"groups must have shape ({n_samples},); got {shape}.")
    return encode("groups", groups, whole=False)


def check_two_classes(n_classes: int) -> None:
    """Refuse what leaves nothing to tell apart."""
    if n_classes < 2:
        n = counted(n_classes, "class")
        raise ParameterError(f"y must hold at least two classes of weight above 0; got {n}.")


def codes_among(values: NDArray[Any], name: str, given: ArrayLike) -> NDArray[np.intp]:
    """Give the place of each label in `values`, and -1 for those not among them.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        As `encode` gives them.
    name : str
        Argument to name in a message.
    given : array_like of shape (n_samples,)
        As for `encode`; another type of the same labels is fine.

    Returns
    -------
    ndarray of intp, shape (n_samples,)
        Codes.

    Raises
    ------
    ParameterError, ShapeError
        As `encode`.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.labels import codes_among
    >>> codes_among(np.array([3, 7], dtype=np.uint8), "y", [7, 3, 5])
    array([ 1,  0, -1])
    """
    found = encode(name, given)
    place = {value: code for code, value in enumerate(values.tolist())}
    among = np.array([place.get(value, -1) for value in found.values.tolist()], dtype=np.intp)
    return among[found.codes]


def checked_weights(sample_weight: ArrayLike | None, n_samples: int) -> NDArray[np.float64]:
    """Give a float64 weight for each sample; 1 where none are given.

    Parameters
    ----------
    sample_weight : array_like of shape (n_samples,), or None
        Finite and not negative, at least one above 0. Not changed.
    n_samples : int
        How many there must be.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        A copy.

    Raises
    ------
    ParameterError, ShapeError
        If a weight is none, or they are not as many.

    Examples
    --------
    >>> from hrsnn_rs.learning.labels import checked_weights
    >>> checked_weights([1, 2], 2)
    array([1., 2.])
    """
    if sample_weight is None:
        return np.ones(n_samples)
    given = as_array("sample_weight", sample_weight)
    if given.shape != (n_samples,):
        raise ShapeError(f"sample_weight must have shape ({n_samples},); got {given.shape}.")
    if given.dtype.kind not in "biufO":
        raise ParameterError(f"sample_weight must be numbers; got dtype {given.dtype}.")
    try:
        weights = given.astype(np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"sample_weight must be numbers; got {given.tolist()!r}.") from None
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        index = int(wrong.argmax())
        raise ParameterError(
            f"sample_weight must be finite and at least 0; got {given[index]} at sample {index}."
        )
    if weights.max(initial=0.0) > _MOST_WEIGHT:
        index = int(weights.argmax())
        raise ParameterError(
            f"sample_weight must be at most {_MOST_WEIGHT:g}; got {given[index]} at sample {index}."
        )
    if not weights.any():
        raise ParameterError("sample_weight must be above zero for some samples; got only 0.")
    return weights


def check_class_weight(class_weight: object) -> None:
    """Refuse what is no weight of classes, whatever the labels are.

    Parameters
    ----------
    class_weight : mapping of label to number, "balanced" or None
        As for `weights_of_classes`.

    Raises
    ------
    ParameterError
        If it is none of these, a weight is not finite or negative, or a label can be none.

    Examples
    --------
    >>> from hrsnn_rs.learning.labels import check_class_weight
    >>> check_class_weight({"a": 2.0})
    """
    if class_weight is None or (isinstance(class_weight, str) and class_weight == "balanced"):
        return
    if isinstance(class_weight, str) or not hasattr(class_weight, "items"):
        raise ParameterError(
            f'class_weight must be None, "balanced" or weights by label; got {class_weight!r}.'
        )
    for label, weight in class_weight.items():
        number = isinstance(weight, Real) and not isinstance(weight, bool)
        if not number or not np.isfinite(weight) or weight < 0:
            raise ParameterError(
                f"class_weight must be finite and at least 0; got {weight!r} for {label!r}."
            )
        if weight > _MOST_WEIGHT:
            raise ParameterError(
                f"class_weight must be at most {_MOST_WEIGHT:g}; got {weight!r} for {label!r}."
            )
    labels = [label for label, _ in class_weight.items()]
    if labels:
        encode("class_weight", labels)


def weights_of_classes(
    class_weight: Mapping[Any, float] | str | None, encoded: Encoded, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Multiply the weight of each sample by that of its class.

    Parameters
    ----------
    class_weight : mapping of label to number, "balanced" or None
        "balanced" gives all classes the same sum of weights; a class that a mapping leaves out
        has weight 1.
    encoded : Encoded
        Labels of the samples.
    weights : ndarray of float64, shape (n_samples,)
        Weights of the samples. Not changed.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        Products.

    Raises
    ------
    ParameterError
        If `class_weight` is none of these, a weight is not finite or negative, or a label is
        misspelt: not in y, while a class of y has no weight.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.labels import encode, weights_of_classes
    >>> weights_of_classes("balanced", encode("y", ["a", "a", "a", "b"]), np.ones(4))
    array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    """
    if class_weight is None:
        return weights
    check_class_weight(class_weight)
    values, codes = encoded
    if isinstance(class_weight, str):
        sums = np.bincount(codes, weights, len(values))
        present = sums > 0
        factors = np.zeros(len(values))
        factors[present] = weights.sum() / (np.count_nonzero(present) * sums[present])
        balanced: NDArray[np.float64] = weights * factors[codes]
        return balanced
    labels = values.tolist()
    unknown = [label for label in class_weight if label not in labels]
    if unknown and any(label not in class_weight for label in labels):
        raise ParameterError(f"class_weight must have labels of y; got {unknown[0]!r}.")
    factors = np.array([float(class_weight.get(label, 1.0)) for label in labels])
    product: NDArray[np.float64] = weights * factors[codes]
    return product


def to_json(values: NDArray[Any]) -> dict[str, Any]:
    """Describe labels as JSON can hold them.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        As `encode` gives them.

    Returns
    -------
    dict
        `dtype` and `values`; bytes as text of the same code points.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.labels import from_json, to_json
    >>> to_json(np.array([1, 2], dtype=">i2"))
    {'dtype': '>i2', 'values': [1, 2]}
    >>> from_json(to_json(np.array(["a", "b"])))
    array(['a', 'b'], dtype='<U1')
    """
    items = values.tolist()
    if values.dtype.kind == "S":
        items = [item.decode("latin-1") for item in items]
    return {"dtype": values.dtype.str, "values": items}


def from_json(described: Mapping[str, Any]) -> NDArray[Any]:
    """Restore what `to_json` described; ValueError, TypeError or KeyError if it did not."""
    name, items = described["dtype"], described["values"]
    if not isinstance(items, list) or not _KEPT_DTYPE.fullmatch(name):
        raise ValueError(f"no labels of dtype {name!r}")
    dtype = np.dtype(name)
    python = _TYPE_OF_KIND.get(dtype.kind, str)
    expected = str if python is bytes else python
    if not all(type(item) is expected for item in items):
        raise ValueError(f"labels are not {expected.__name__}")
    if dtype.itemsize * len(items) > _MOST_BYTES:
        raise ValueError("labels are too long")
    if python is bytes:
        items = [item.encode("latin-1") for item in items]
    values = np.array(items, dtype=dtype)
    if values.tolist() != sorted(set(items)):
        raise ValueError("labels are not sorted and distinct")
    return values


def class_weight_to_json(class_weight: Mapping[Any, float] | str | None) -> Any:
    """Describe weights of classes as JSON can hold them, whatever labels are."""
    if class_weight is None or isinstance(class_weight, str):
        return class_weight
    labels = [label for label, _ in class_weight.items()]
    values, codes = encode("class_weight", labels)
    weights = [0.0] * len(values)
    for code, (_, weight) in zip(codes, class_weight.items(), strict=True):
        weights[code] = float(weight)
    return {"labels": to_json(values), "weights": weights}


def class_weight_from_json(described: Any) -> Any:
    """Restore what `class_weight_to_json` described; ValueError or TypeError if it did not."""
    if not isinstance(described, dict):
        return described
    labels = from_json(described["labels"]).tolist()
    return dict(zip(labels, map(float, described["weights"]), strict=True))


def to_bytes(fields: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Write a JSON object as an array for a file of arrays."""
    return np.frombuffer(json.dumps(fields).encode(), dtype=np.uint8).copy()


def from_bytes(array: NDArray[Any]) -> dict[str, Any]:
    """Read what `to_bytes` wrote; ValueError if it did not."""
    if array.dtype != np.uint8:
        raise ValueError("no text")
    fields = json.loads(array.tobytes().decode())
    if not isinstance(fields, dict):
        raise ValueError("no object")
    return fields
