"""Model files: a network's whole state as named arrays and texts.

Lives here: what is written and how it is checked when read. Not here: the container
(safetensors, in the core). Invariant: what is loaded continues with the same bits as what
was saved; no file is executed or unpickled.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import as_array, check_mapping, check_path
from hrsnn_rs.description.competition import NO_GROUP, Competition, resolve_groups
from hrsnn_rs.description.parameters import AdaptiveThreshold
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.network.assembly import Assembly, Synapses
from hrsnn_rs.network.saving import home_of, keeping_mode

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["read_model", "write_model"]

NETWORK, SIMULATION = "hrsnn_rs.network", "hrsnn_rs.simulation"
STREAM = "hrsnn_rs.stream"
#: What the formats are called, and who reads them.
_KINDS = {
    NETWORK: ("model file", "Network.load"),
    SIMULATION: ("simulation", "Simulation.load"),
    STREAM: ("live stream", "LiveStream.load"),
}
FORMAT_VERSION = 1

Arrays: TypeAlias = "dict[str, NDArray[Any]]"

_CONSTANTS = ("a_plus", "a_minus", "tau_plus", "tau_minus")
_NUMBERS = ("w_min", "w_max", "mu_plus", "mu_minus")
_SWITCHES = ("nearest", "half_precision")
_SHARED = _NUMBERS + _SWITCHES
_CURRENTS = ("tau_syn_ex", "tau_syn_in")
_EXTRA = "extra/"
#: Longest text in bytes: JSON takes some thirty times as much once it is read.
LONGEST_TEXT = 2**20


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
    arrays["incoming_inputs"] = assembly.incoming_inputs
    header: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "dtype": assembly.dtype,
        "input_gain": gain,
        "adaptive_threshold": None,
        "competition": None,
        "norm": assembly.norm,
        "plasticity": {},
        "populations": assembly.populations,
        "channels": assembly.channels,
    }
    if assembly.competition is not None:
        arrays["neuron/group"] = resolve_groups(assembly.competition, assembly.inhibitory.size)
        header["competition"] = {
            name: getattr(assembly.competition, name) for name in ("inhibition", "hold")
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
    FormatError
        If an array is missing, unknown, of another type or length than it must have, or the
        header does not say what it must.
    """
    rest = {name: values for name, values in arrays.items() if not name.startswith(_EXTRA)}

    def column(name: str, kind: type, n: int | None = None) -> NDArray[Any]:
        values = rest.pop(name, None)
        if values is None:
            raise FormatError(f"{name} is missing.")
        if values.ndim != 1 or values.dtype != kind:
            raise FormatError(
                f"{name} must be a list of {np.dtype(kind)}; got {values.dtype} of shape"
                f" {values.shape}."
            )
        if n is not None and values.size != n:
            raise FormatError(f"{name} must have length {n}; got {values.size}.")
        return values

    def truth(name: str, n: int) -> NDArray[np.bool_]:
        values = column(name, np.uint8, n)
        if (values > 1).any():
            index = int(np.argmax(values > 1))
            raise FormatError(f"{name} must be 0 or 1; got {values[index]} at index {index}.")
        return values.view(np.bool_)

    def synapses(source: str) -> Synapses:
        indptr = column(f"{source}/indptr", np.int64)
        indices = column(f"{source}/indices", np.uint32)
        weight = column(f"{source}/weight", np.float64, indices.size)
        delay = column(f"{source}/delay", np.float64)
        shared = header["plasticity"].get(source)
        plasticity: dict[str, Any] | None = None
        if shared is not None:
            plasticity = {name: float(shared[name]) for name in _NUMBERS}
            # Files written before there was a choice have full precision.
            plasticity.update({name: bool(shared.get(name, False)) for name in _SWITCHES})
            plasticity["plastic"] = truth(f"{source}/plastic", indices.size)
            for name in _CONSTANTS:
                plasticity[name] = column(f"{source}/{name}", np.float64, indices.size)
        return Synapses(indptr, indices, weight, delay, plasticity)

    try:
        tau_m = column("neuron/tau_m", np.float64)
        n = tau_m.size
        neurons = {"tau_m": tau_m}
        for name in ("v_rest", "v_reset", "v_threshold", "t_ref", "bias", "theta", *_CURRENTS):
            # Files written before synaptic currents existed have delta synapses.
            if name in _CURRENTS and f"neuron/{name}" not in rest:
                neurons[name] = np.zeros(n)
            else:
                neurons[name] = column(f"neuron/{name}", np.float64, n)
        inhibitory = truth("neuron/inhibitory", n)
        between = synapses("recurrent")
        if between.indptr.size != n + 1:
            raise FormatError(f"recurrent/indptr must have length {n + 1}.")
        adaptive = header["adaptive_threshold"]
        incoming = column("incoming", np.float64)
        incoming_inputs = column("incoming_inputs", np.float64)
        competition = header["competition"]
        if competition is not None:
            group = column("neuron/group", np.uint32, n).astype(np.int64)
            group[group == NO_GROUP] = -1
            competition = Competition(group, **competition)
        dtype = header["dtype"]
        if dtype not in ("float32", "float64"):
            raise FormatError(f"dtype must be 'float32' or 'float64'; got {dtype!r}.")
        from_inputs = synapses("inputs")
        populations = _sizes(header, "populations", n)
        channels = _sizes(header, "channels", from_inputs.indptr.size - 1)
        assembly = Assembly(
            neurons,
            inhibitory,
            from_inputs,
            between,
            None if adaptive is None else AdaptiveThreshold.from_dict(adaptive),
            incoming,
            incoming_inputs,
            header["norm"],
            competition,
            dtype,
            populations=populations,
            channels=channels,
        )
    except KeyError as error:
        raise FormatError(f"{error.args[0]} is missing.") from None
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{error}.") from None
    if rest:
        raise FormatError(f"{min(rest)} is not an array of a network.")
    return assembly


def _sizes(header: Mapping[str, Any], name: str, n: int) -> dict[str, int]:
    """Read numbers by name, which add up to `n`; or no names at all."""
    sizes: dict[str, int] = dict(header[name])
    for one, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise FormatError(f"{name} must have at least 1 of each; got {size!r} of {one!r}.")
    if sizes and sum(sizes.values()) != n:
        raise FormatError(f"{name} must add up to {n}; got {sum(sizes.values())}.")
    return sizes


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
    home_of("path", path)
    arrays, header = to_state(assembly, gain)
    for name, values in check_mapping("extra", {} if extra is None else extra).items():
        arrays[f"{_EXTRA}{name}"] = as_array(f"extra/{name}", values)
    notes = check_mapping("metadata", {} if metadata is None else metadata)
    try:
        text = json.dumps(notes, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"metadata must be what JSON can hold; got {error}.") from None
    except RecursionError:
        raise ParameterError("metadata must not be nested so deeply.") from None
    if len(text.encode()) > LONGEST_TEXT:
        raise ParameterError(
            f"metadata must take at most {LONGEST_TEXT} bytes as JSON; got {len(text.encode())}."
            " Put long lists into extra, as arrays."
        )
    save_arrays(
        path,
        arrays,
        {
            "format": NETWORK,
            "hrsnn_rs": _hrsnn.__version__,
            "header": json.dumps(header),
            "metadata": text,
        },
    )


def save_arrays(path: str | os.PathLike[str], arrays: Arrays, texts: dict[str, str]) -> None:
    """Write arrays and texts to a file that appears at once and whole.

    Raises
    ------
    ParameterError
        If what is at `path` is no regular file.
    OSError
        If the system refuses; what stood at `path` before still does.
    """
    home = home_of("path", path)
    with keeping_mode(home):
        _hrsnn.save_arrays(str(home), arrays, texts)


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
    path = check_path("path", path)
    arrays, texts = load_format(path, NETWORK)
    metadata = read_json(path, texts, "metadata")
    assembly, gain = read_network(path, arrays, texts)
    extra = {
        name.removeprefix(_EXTRA): values
        for name, values in arrays.items()
        if name.startswith(_EXTRA)
    }
    return assembly, gain, extra, metadata


def load_format(path: str, kind: str) -> tuple[Arrays, dict[str, str]]:
    """Read arrays and texts of a file that must be of one of our formats.

    Raises
    ------
    FormatError
        If the file is damaged or of another format; says who reads it where we know.
    OSError
        If it cannot be read.
    """
    arrays, texts = _hrsnn.load_arrays(path)
    found = texts.get("format")
    if found != kind:
        other = ""
        if found in _KINDS:
            name, reader = _KINDS[found]
            other = f" but a {name}, which {reader} reads"
        raise FormatError(f"{path}: not a {_KINDS[kind][0]} of hrsnn_rs{other}.")
    return arrays, texts


def read_network(
    path: str, arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, str]
) -> tuple[Assembly, float]:
    """Put together the network that a file holds; returns also its gain.

    Raises
    ------
    FormatError
        If something is missing, strange, or of a later version.
    """
    header = read_json(path, texts, "header")
    check_version(path, header, FORMAT_VERSION)
    gain = header.get("input_gain")
    if not isinstance(gain, float) or not math.isfinite(gain):
        raise FormatError(f"{path}: input_gain must be a finite number; got {gain!r}.")
    try:
        return from_state(arrays, header), gain
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


def check_version(path: str, header: Mapping[str, Any], version: int) -> None:
    """Refuse a version of the format other than `version`."""
    found = header.get("format_version")
    if found != version:
        raise FormatError(
            f"{path}: format version {found}; this is hrsnn_rs {_hrsnn.__version__},"
            f" which reads version {version}."
        )


def read_json(path: str, texts: Mapping[str, str], name: str) -> dict[str, Any]:
    """Read one text of a file, which must be a JSON object of no great size."""
    text = texts.get(name)
    if text is None:
        raise FormatError(f"{path}: {name} is missing.")
    if len(text) > LONGEST_TEXT:
        raise FormatError(f"{path}: {name} is longer than {LONGEST_TEXT} bytes.")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: {name} is not JSON that can be read ({error}).") from None
    if not isinstance(value, dict):
        raise FormatError(f"{path}: {name} is not an object.")
    return value
