"""What an estimator was set to: whether each setting is what it may be, and of what use it is.

Lives here: the checks of single settings, before a fit and before a file is written. Not here: what
depends on samples, and settings that exclude each other (`layered`).
"""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, Any

from hrsnn_rs.arguments import (
    MOST_SEED,
    check_choice,
    check_integer,
    check_number,
    check_path,
    check_truth,
)
from hrsnn_rs.description.parameters import LIF, STDP
from hrsnn_rs.description.rules import RULES
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning.encoded_samples import ENCODERS
from hrsnn_rs.learning.estimator_input import check_arrays_meaning
from hrsnn_rs.learning.feature_layer import FeatureLayer
from hrsnn_rs.learning.labels import check_class_weight
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.network.network import Network
from hrsnn_rs.network.one_sample import check_threads

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LAYERS", "check_part", "check_settings", "warn_of_idle_settings"]

LAYERS = ("auto", "features", "recurrent", "stacked", "both")
"""Which layers an estimator has, and which of them are read out."""

_CHECKS: dict[str, Callable[[Any], Any]] = {
    "epochs": lambda value: check_integer("epochs", value),
    "batch": lambda value: check_integer("batch", value, 1),
    "n_calibration": lambda value: check_integer("n_calibration", value, 1),
    "seed": lambda value: check_integer("seed", value, high=MOST_SEED),
    "progress": lambda value: check_truth("progress", value),
    "n_threads": check_threads,
}
#: Those that may be None too.
_OPTIONAL: dict[str, Callable[[Any], Any]] = {
    "rate": lambda value: check_number("rate", value, "greater than 0 Hz", lambda rate: rate > 0.0),
    "n_neurons": lambda value: check_integer("n_neurons", value, 2),
    "checkpoint": lambda value: check_path("checkpoint", value),
    "checkpoint_every": lambda value: check_integer("checkpoint_every", value, 1),
}
_KINDS: dict[str, tuple[type, ...]] = {
    "network": (Network,),
    "encoder": ENCODERS,
    "feature_layer": (FeatureLayer,),
    "readout": (Readout,),
    "neuron": (LIF,),
    "plasticity": (STDP,),
    "inputs": RULES,
    "recurrent": RULES,
}

#: Settings of a network, and what a feature layer has in their place.
_OF_NETWORK = {
    "n_neurons": "n_features",
    "neuron": "neuron",
    "plasticity": "plasticity",
    "inputs": None,
    "recurrent": None,
    "epochs": "n_patches",
    "batch": None,
    "rate": "spikes",
    "n_calibration": "n_calibration",
    "checkpoint_every": None,
}


def check_settings(estimator: Any) -> None:
    """Refuse a setting that is nonsense by itself, whatever the samples and the other settings.

    Parameters
    ----------
    estimator : HRSNNClassifier or HRSNNTransformer
        Not changed.

    Raises
    ------
    ParameterError, ShapeError
        If a setting is none that is allowed, also one of the feature layer or of the readout.

    Examples
    --------
    >>> from hrsnn_rs.learning import HRSNNTransformer
    >>> check_settings(HRSNNTransformer())
    >>> check_settings(HRSNNTransformer(batch="x"))
    Traceback (most recent call last):
    hrsnn_rs.errors.ParameterError: batch must be a whole number; got 'x'.
    """
    # Attributes and not parameters: a class made of one of ours may have fewer of these.
    for name, check in _CHECKS.items():
        check(getattr(estimator, name))
    for name, check in _OPTIONAL.items():
        if getattr(estimator, name) is not None:
            check(getattr(estimator, name))
    check_arrays_meaning(estimator.dt, estimator.sensor_size)
    layers = estimator.layers
    check_choice("layers", layers, LAYERS)
    for name, allowed in _KINDS.items():
        part = getattr(estimator, name, None)
        # A file would bring back a class of one's own as ours.
        if part is not None and type(part) not in allowed:
            words = " or ".join(kind.__name__ for kind in allowed)
            raise ParameterError(f"{name} must be a {words} or None; got {part!r}.")
        if isinstance(part, FeatureLayer | Readout):
            check_part(name, part)
    check_class_weight(getattr(estimator, "class_weight", None))


def check_part(name: str, part: FeatureLayer | Readout) -> None:
    """Refuse a part that was set to nonsense, by its name and that of its parameter."""
    try:
        part.check_parameters()
    except (ParameterError, ShapeError) as error:
        raise type(error)(f"{name}__{error}") from None


def warn_of_idle_settings(estimator: Any) -> None:
    """Name what was set for a network where a feature layer alone is fitted.

    Parameters
    ----------
    estimator : HRSNNClassifier or HRSNNTransformer
        In its `fit`, which the warning is told to be of. Not changed.

    Examples
    --------
    >>> from hrsnn_rs.learning import HRSNNTransformer
    >>> warn_of_idle_settings(HRSNNTransformer())
    """
    signatures = (inspect.signature(kind).parameters for kind in type(estimator).__mro__)
    usual = next(one for one in signatures if one.keys() >= _OF_NETWORK.keys())
    idle = [
        name
        for name in _OF_NETWORK
        if (value := getattr(estimator, name)) != usual[name].default
        # Without passes fields are left as drawn.
        and not (name == "epochs" and value == 0)
    ]
    if not idle:
        return
    words = ", ".join(idle[:-1]) + " and " * (len(idle) > 1) + idle[-1]
    own = ", ".join(f"feature_layer__{_OF_NETWORK[name]}" for name in idle if _OF_NETWORK[name])
    warnings.warn(
        f"{words} {'are' if len(idle) > 1 else 'is'} of no effect: a feature layer alone was "
        'fitted, and no network. layers="stacked" puts the network on top of it, '
        'layers="recurrent" takes the network in its place'
        + (f"; the layer has {own}." if own else "."),
        UserWarning,
        stacklevel=4,
    )
