"""The estimator as a file: what it was given and what it has learned, and back.

Lives here: what of an estimator is written beside its network. Not here: the file itself
(`network.model_file`), fitting. Invariant: a loaded estimator is the one that was saved: it
predicts the same bits, and its clone fits the same bits.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from hrsnn_rs.arguments import check_mapping
from hrsnn_rs.description.connectivity import Connectivity
from hrsnn_rs.description.parameters import LIF, STDP
from hrsnn_rs.description.rules import rule_from_dict, rule_to_dict
from hrsnn_rs.encoding.tables import TableEncoder
from hrsnn_rs.errors import FormatError
from hrsnn_rs.learning.encoded_samples import ENCODERS
from hrsnn_rs.learning.feature_layer import FeatureLayer
from hrsnn_rs.learning.fitted_as import remember_fit
from hrsnn_rs.learning.labels import (
    class_weight_from_json,
    class_weight_to_json,
    encode,
    from_bytes,
    from_json,
    to_bytes,
    to_json,
)
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.network.model_file import from_state, to_state
from hrsnn_rs.network.network import Network
from hrsnn_rs.network.results import Calibration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_KIND = "HRSNNClassifier"
_ENCODERS = {kind.__name__: kind for kind in (*ENCODERS, TableEncoder)}
_READOUT, _GIVEN = "readout.", "given."
# Parameters that say what JSON can hold of them, and the others that are no plain values.
_PARTS: dict[str, Any] = {
    "readout": Readout.from_dict,
    "feature_layer": FeatureLayer.from_dict,
    "neuron": LIF.from_dict,
    "plasticity": STDP.from_dict,
    "inputs": rule_from_dict,
    "recurrent": rule_from_dict,
}
#: Parameters that the readout's columns depend on.
READ_OUT = ("n_windows", "windows", "features")
_OBJECTS = ("network", "encoder", "class_weight", *_PARTS)


def write_classifier(
    classifier: Any, path: str | os.PathLike[str], metadata: Mapping[str, Any] | None
) -> None:
    """Write a fitted classifier; see `HRSNNClassifier.save`.

    Parameters
    ----------
    classifier : HRSNNClassifier
        Fitted. Not changed.
    path : path
        File to write.
    metadata : mapping or None
        Notes to keep.

    Raises
    ------
    ParameterError
        If `metadata` is not what JSON can hold.
    OSError
        If the file cannot be written.
    """
    notes = check_mapping("metadata", {} if metadata is None else metadata)
    arrays = {f"{_READOUT}{name}": array for name, array in classifier.readout_.to_arrays().items()}
    arrays["training.fingerprints"] = np.array(sorted(classifier._seen), dtype=np.int64)
    if classifier.groups_:
        arrays["training.groups"] = to_bytes(
            to_json(encode("groups", classifier.groups_, whole=False).values)
        )
    given: Network | None = classifier.network
    header = None
    if given is not None:
        before, header = to_state(given._assembly(), given.input_gain)
        now, _ = to_state(classifier.network_._assembly(), 1.0)
        # What training leaves alone, the graph above all, is written once.
        arrays |= {
            f"{_GIVEN}{name}": array
            for name, array in before.items()
            if name not in now or _differs(array, now[name])
        }
        # Another network may have been given since, of other arrays.
        header["arrays"] = sorted(before)
    layer: FeatureLayer | None = classifier.layer_
    if layer is not None:
        arrays |= layer.to_arrays()
    parameters = {name: getattr(classifier, name) for name in _settings_of(type(classifier))}
    calibration: Calibration | None = classifier.calibration_
    fields = {
        "kind": _KIND,
        "parameters": {
            name: _plain(value) for name, value in parameters.items() if name not in _OBJECTS
        },
        "network": header,
        "encoder": _described(classifier.encoder),
        "parts": {
            name: None if (part := parameters[name]) is None else _of_part(part) for name in _PARTS
        },
        "class_weight": class_weight_to_json(classifier.class_weight),
        "fitted_encoder": _described(classifier.encoder_),
        "fitted_layer": None if layer is None else layer.to_metadata(),
        "fitted_layers": classifier.layers_,
        "calibration": None if calibration is None else asdict(calibration),
        "n_features_in": classifier.n_features_in_,
        "duration": classifier.duration_,
        "feature_names_in": getattr(classifier, "feature_names_in_", np.array([])).tolist(),
        "notes": notes,
    }
    classifier.network_.save(path, extra=arrays, metadata=fields)


def read_classifier(kind: Any, path: str | os.PathLike[str]) -> Any:
    """Read what `write_classifier` wrote; see `HRSNNClassifier.load`.

    Parameters
    ----------
    kind : type
        `HRSNNClassifier`.
    path : path
        File to read.

    Returns
    -------
    HRSNNClassifier
        Fitted.

    Raises
    ------
    FormatError
        If the file is not a model of this class.
    OSError
        If the file cannot be read.
    """
    network, arrays, fields = Network.load_with_extra(path)
    if fields.get("kind") != _KIND:
        raise FormatError(
            f"{path} is not a classifier's model file but a network's, which Network.load reads."
        )
    try:
        parameters = dict(fields["parameters"])
        if parameters["sensor_size"] is not None:
            parameters["sensor_size"] = tuple(parameters["sensor_size"])
        parameters |= {
            "network": _network(network, arrays, fields["network"]),
            "encoder": _encoder(fields["encoder"]),
            "class_weight": class_weight_from_json(fields["class_weight"]),
        } | {
            name: None if (part := fields["parts"][name]) is None else made_of(part)
            for name, made_of in _PARTS.items()
        }
        if unknown := parameters.keys() - _settings_of(kind):
            raise KeyError(min(unknown))
        # What a class does not ask for it sets itself.
        asked = parameters.keys() & kind._get_param_names()
        classifier = kind(**{name: parameters[name] for name in asked})
        classifier.network_ = network
        classifier._layers = fields["fitted_layers"]
        classifier.layer_ = _layer(classifier, arrays, fields["fitted_layer"])
        classifier.encoder_ = _encoder(fields["fitted_encoder"])
        classifier.readout_ = Readout.from_arrays(_under(_READOUT, arrays))
        classifier.classes_ = classifier.readout_.classes_
        calibration = fields["calibration"]
        classifier.calibration_ = None if calibration is None else Calibration(**calibration)
        classifier.n_features_in_ = int(fields["n_features_in"])
        # Files of earlier versions do not say it.
        duration = fields.get("duration")
        classifier.duration_ = None if duration is None else int(duration)
        if fields["feature_names_in"]:
            classifier.feature_names_in_ = np.array(fields["feature_names_in"], dtype=object)
        groups = arrays.get("training.groups")
        classifier.groups_ = [] if groups is None else from_json(from_bytes(groups)).tolist()
        classifier.notes_ = dict(fields["notes"])
        classifier._seen = frozenset(arrays["training.fingerprints"].tolist())
        if classifier.readout_.n_features_in_ != classifier.n_units * classifier.n_windows:
            raise ValueError("the readout does not fit the layers")
        remember_fit(classifier, READ_OUT)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path} is not a classifier's model file: {error!r}.") from error
    return classifier


def _settings_of(kind: Any) -> set[str]:
    """Give what is set: a class made of ours has our parameters too, asked for or not."""
    kinds: list[Any] = [one for one in kind.__mro__ if issubclass(one, BaseEstimator)]
    return {name for one in kinds for name in one._get_param_names()}


def _network(
    fitted: Network, arrays: Mapping[str, NDArray[Any]], header: dict[str, Any] | None
) -> Network | None:
    """Put together the network that fitting began with."""
    if header is None:
        return None
    state, _ = to_state(fitted._assembly(), 1.0)
    state |= _under(_GIVEN, arrays)
    # Files of earlier versions hold a network that has the arrays of the fitted one.
    state = {name: state[name] for name in header.get("arrays", state)}
    return Network._made_of(from_state(state, header), float(header["input_gain"]), None)


def _layer(
    classifier: Any, arrays: Mapping[str, NDArray[Any]], described: dict[str, Any] | None
) -> FeatureLayer | None:
    """Put together the fitted feature layer, whose network the file holds where it is alone."""
    if described is None:
        return None
    own = classifier.network_ if classifier.layers_ == "features" else None
    return FeatureLayer.of_parts(own, arrays, described)


def _encoder(described: dict[str, Any] | None) -> Any:
    if described is None:
        return None
    return _ENCODERS[described["kind"]].from_dict(described["fields"])


def _described(encoder: Any) -> dict[str, Any] | None:
    if encoder is None:
        return None
    return {"kind": type(encoder).__name__, "fields": encoder.to_dict()}


def _of_part(part: Any) -> dict[str, Any]:
    described: dict[str, Any] = (
        rule_to_dict(part) if isinstance(part, Connectivity) else part.to_dict()
    )
    return described


def _under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _differs(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.dtype != other.dtype or one.tobytes() != other.tobytes()


def _plain(value: Any) -> Any:
    """Give a parameter as JSON can hold it."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return [_plain(one) for one in value] if isinstance(value, (tuple, list)) else value
