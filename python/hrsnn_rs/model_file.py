"""Model files: a network's whole state as named arrays and texts.

Lives here: what is written and how it is checked when read. Not here: the container
(safetensors, in the core). Invariant: what is loaded continues with the same bits as what
was saved; no file is executed or unpickled.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.assembly import Assembly, Synapses
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.parameters import AdaptiveThreshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["read_model", "write_model"]

FORMAT = "hrsnn_rs.network"
FORMAT_VERSION = 1

Arrays: TypeAlias = "dict[str, NDArray[Any]]"

_CONSTANTS = ("a_plus", "a_minus", "tau_plus", "tau_minus")
_NUMBERS = ("w_min", "w_max", "mu_plus", "mu_minus")
_SWITCHES = ("nearest", "half_precision")
_SHARED = _NUMBERS + _SWITCHES
_EXTRA = "extra/"


def to_state(assembly: Assembly, gain: float) -> tuple[Arrays, dict[str, Any]]:
    """Split a network into arrays and a JSON-able dictionary.

    Parameters
    ----------
    assembly : Assembly
        With the weights and thresholds as they are now.
    gain : float
        Product of the gains of all calibrations.

    Returns
    -------
    arrays : dict of str to ndarray
    header : dict
    """
    arrays: Arrays = {f"neuron/{name}": values for name, values in assembly.neurons.items()}
    arrays["neuron/inhibitory"] = assembly.inhibitory.astype(np.uint8)
    arrays["incoming"] = assembly.incoming
    header: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "dtype": assembly.dtype,
        "input_gain": gain,
        "adaptive_threshold": None,
        "plasticity": {},
    }
    if assembly.adaptive_threshold is not None:
        header["adaptive_threshold"] = assembly.adaptive_threshold.to_dict()
    for source, synapses in (("inputs", assembly.inputs), ("recurrent", assembly.recurrent)):
        for name in ("indptr", "indices", "weight", "delay"):
            arrays[f"{source}/{name}"] = getattr(synapses, name)
        if synapses.plasticity is not None:
            plasticity = synapses.plasticity
            header["plasticity"][source] = {name: plasticity[name] for name in _SHARED}
            arrays[f"{source}/plastic"] = plasticity["plastic"].astype(np.uint8)
            for name in _CONSTANTS:
                arrays[f"{source}/{name}"] = plasticity[name]
    return arrays, header


def from_state(arrays: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> Assembly:
    """Put together what `to_state` split.

    Raises
    ------
    KeyError, TypeError, ValueError
        If something is missing or of the wrong kind.
    """
    neurons = {
        name: np.asarray(arrays[f"neuron/{name}"], dtype=np.float64)
        for name in ("tau_m", "v_rest", "v_reset", "v_threshold", "t_ref", "bias", "theta")
    }
    for name in ("tau_syn_ex", "tau_syn_in"):
        # Files written before synaptic currents existed have delta synapses.
        values = arrays.get(f"neuron/{name}", np.zeros_like(neurons["tau_m"]))
        neurons[name] = np.asarray(values, dtype=np.float64)

    def synapses(source: str) -> Synapses:
        shared = header["plasticity"].get(source)
        plasticity: dict[str, Any] | None = None
        if shared is not None:
            plasticity = {name: float(shared[name]) for name in _NUMBERS}
            # Files written before there was a choice have full precision.
            plasticity.update({name: bool(shared.get(name, False)) for name in _SWITCHES})
            plasticity["plastic"] = arrays[f"{source}/plastic"].astype(np.bool_)
            for name in _CONSTANTS:
                plasticity[name] = arrays[f"{source}/{name}"].astype(np.float64)
        return Synapses(
            arrays[f"{source}/indptr"].astype(np.int64),
            arrays[f"{source}/indices"].astype(np.uint32),
            arrays[f"{source}/weight"].astype(np.float64),
            arrays[f"{source}/delay"].astype(np.float64),
            plasticity,
        )

    adaptive = header["adaptive_threshold"]
    return Assembly(
        neurons,
        arrays["neuron/inhibitory"].astype(np.bool_),
        synapses("inputs"),
        synapses("recurrent"),
        None if adaptive is None else AdaptiveThreshold.from_dict(adaptive),
        arrays["incoming"].astype(np.float64),
        str(header["dtype"]),
    )


def write_model(
    path: str | os.PathLike[str],
    assembly: Assembly,
    gain: float,
    extra: Mapping[str, NDArray[Any]] | None,
    metadata: Mapping[str, Any] | None,
) -> None:
    """Write a network, further arrays and further JSON-able metadata to `path`, atomically.

    Raises
    ------
    ParameterError
        If `extra` holds an array of a type that the file cannot hold, or `metadata` no JSON.
    OSError
        If the system refuses; what stood at `path` before still does.
    """
    arrays, header = to_state(assembly, gain)
    for name, values in (extra or {}).items():
        arrays[_EXTRA + name] = np.asarray(values)
    try:
        text = json.dumps(dict(metadata or {}), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"metadata must be what JSON can hold; got {error}.") from None
    _hrsnn.save_arrays(
        os.fspath(path),
        arrays,
        {
            "format": FORMAT,
            "hrsnn_rs": _hrsnn.__version__,
            "header": json.dumps(header),
            "metadata": text,
        },
    )


def read_model(
    path: str | os.PathLike[str],
) -> tuple[Assembly, float, Arrays, dict[str, Any]]:
    """Read what `write_model` wrote.

    Returns
    -------
    assembly : Assembly
    gain : float
    extra : dict of str to ndarray
    metadata : dict

    Raises
    ------
    FormatError
        If the file is damaged, no model file, or of a later version.
    OSError
        If it cannot be read.
    """
    arrays, texts = _hrsnn.load_arrays(os.fspath(path))
    if texts.get("format") != FORMAT:
        raise FormatError(f"{path}: not a model file of hrsnn_rs.")
    try:
        header, metadata = json.loads(texts["header"]), json.loads(texts["metadata"])
        version = header["format_version"]
        if version != FORMAT_VERSION:
            raise FormatError(
                f"{path}: format version {version}; this is hrsnn_rs {_hrsnn.__version__},"
                f" which reads version {FORMAT_VERSION}."
            )
        assembly = from_state(arrays, header)
        gain = float(header["input_gain"])
    except KeyError as error:
        raise FormatError(f"{path}: {error.args[0]} is missing.") from None
    except (AttributeError, TypeError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path}: {error}.") from None
    extra = {
        name.removeprefix(_EXTRA): values
        for name, values in arrays.items()
        if name.startswith(_EXTRA)
    }
    return assembly, gain, extra, metadata
