"""Networks to and from NIR, the graphs that other simulators of spiking networks read.

Lives here: what of a network a graph can hold, how its units differ, and what goes along as
metadata. Not here: files of graphs (`nir.read`, `nir.write`). Invariant: a network that went out
and came back is the same in every bit; what other packages would not see is said, not dropped.

NIR counts in seconds and has weights of currents; ours add mV to a membrane. A spike is a current
`1 / dt` for a time `dt`: infinitely short in theory (`dt=None`), one step long in packages that
have steps. Either way it moves the membrane by its weight if the resistance is `tau / dt`.
"""

from __future__ import annotations

import json
import os
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_number, check_path, check_truth
from hrsnn_rs.description.parameters import LIF
from hrsnn_rs.errors import FormatError, MissingDependencyError, ParameterError
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.network.network import Network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from hrsnn_rs.network.nir_paths import Path

__all__ = ["from_nir", "to_nir"]

_PREFIX = "hrsnn_rs."
_NEURONS, _INPUT, _OUTPUT = "neurons", "input", "output"
#: Distinct delays for each of which a graph gets a path of its own.
MOST_PATHS = 64


def _nir() -> Any:
    try:
        import nir
    except ImportError:
        raise MissingDependencyError('NIR needs nir: pip install "hrsnn_rs[nir]"') from None
    return nir


def to_nir(network: Network, *, dt: float | None = None, hide: bool = False) -> Any:
    """Give a network as a graph of NIR.

    `Input` leads over `Linear` to `LIF`, or to `CubaLIF` where synapses have currents, and that to
    `Output` and back over `Delay` and `Linear` to itself; several paths where delays differ
    within an axon. STDP, what homeostasis needs, names of populations and whatever else there is
    go along in the metadata of the neurons' node, which other packages pass by.

    Parameters
    ----------
    network : Network
        Not changed.
    dt : float, default=None
        Step in ms of the package that will read the graph, in which a spike is a current of 1 for
        one step. `None`: a spike is infinitely short.
    hide : bool, default=False
        Whether what acts on spikes but has no place in NIR may go into the metadata too: refractory
        times, competition. Other packages then simulate another network.

    Returns
    -------
    nir.NIRGraph

    Raises
    ------
    ParameterError
        If NIR cannot hold the network; the message says why.
    OutOfMemoryError
        If the matrices of a graph, which are dense, would not fit.
    MissingDependencyError
        If nir is not installed.

    Examples
    --------
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.network import from_nir, to_nir
    >>> network = hr.Network(3, 5, neuron=hr.LIF(t_ref=0.0))
    >>> graph = to_nir(network)                                  # doctest: +SKIP
    >>> from_nir(graph).run(events).spikes                       # doctest: +SKIP
    """
    nir = _nir()
    from hrsnn_rs.network.model_file import to_state

    if not isinstance(network, Network):
        raise ParameterError(f"network must be a Network; got {network!r}.")
    step = None if dt is None else check_number("dt", dt, "above 0 ms", lambda ms: ms > 0.0)
    if not check_truth("hide", hide):
        _refuse_hidden(network)
    assembly = network._assembly()
    arrays, header = to_state(assembly, network.input_gain)
    width = 4.0 if network.dtype == "float32" else 8.0
    n_rows = {"inputs": network.n_inputs, "recurrent": network.n_neurons}
    n_cells = [len(_delays(arrays, source)) * n for source, n in n_rows.items()]
    # Each is filled as float64, one after the other.
    check_memory("network", network.n_neurons * (width * sum(n_cells) + 8.0 * max(n_rows.values())))
    nodes = {
        _INPUT: nir.Input(input_type={"input": np.array([network.n_inputs])}),
        _NEURONS: _neurons(nir, arrays, network.dtype, step),
        _OUTPUT: nir.Output(output_type={"output": np.array([network.n_neurons])}),
    }
    edges = [(_NEURONS, _OUTPUT)]
    for source, begin in (("inputs", _INPUT), ("recurrent", _NEURONS)):
        for number, (delay, weight) in enumerate(_paths(arrays, source)):
            name = source if number == 0 else f"{source}_{number}"
            nodes[name] = nir.Linear(weight=weight.astype(network.dtype))
            last = begin
            # A loop takes a step anyway in a package that has steps.
            is_step = source == "recurrent" and step is not None and (delay == step).all()
            if (delay > 0.0).any() and not is_step:
                nodes[f"{name}_delay"] = nir.Delay(delay=delay / 1000.0)
                edges.append((begin, f"{name}_delay"))
                last = f"{name}_delay"
            edges += [(last, name), (name, _NEURONS)]
    nodes[_NEURONS].metadata = _metadata(arrays, header)
    return nir.NIRGraph(nodes=nodes, edges=edges)


def _refuse_hidden(network: Network) -> None:
    advice = "hide=True puts it into the metadata, where other packages do not see it."
    t_ref = network.neuron_parameters["t_ref"]
    if (t_ref > 0.0).any():
        i = int(np.argmax(t_ref > 0.0))
        raise ParameterError(
            f"network must have no refractory times for NIR; got t_ref={t_ref[i]:g} ms at neuron "
            f"{i}. {advice}"
        )
    if network._competition is not None:
        raise ParameterError(f"network must have no competition for NIR. {advice}")


def _neurons(nir: Any, arrays: dict[str, NDArray[Any]], dtype: str, step: float | None) -> Any:
    shown = _shown(arrays, dtype)
    tau = shown["tau"]
    r = tau if step is None else (tau.astype(np.float64) * (1000.0 / step)).astype(dtype)
    common = {name: shown[name] for name in ("v_leak", "v_threshold", "v_reset")}
    if "tau_syn" not in shown:
        return nir.LIF(tau=tau, r=r.copy(), **common)
    return nir.CubaLIF(
        tau_mem=tau, tau_syn=shown["tau_syn"], r=r.copy(), w_in=np.ones_like(tau), **common
    )


def _shown(arrays: dict[str, NDArray[Any]], dtype: str) -> dict[str, NDArray[Any]]:
    """Give what a graph shows of neurons: s, mV."""
    neuron = {name: arrays[f"neuron/{name}"] for name in ("tau_m", "v_rest", "bias", "theta")}
    shown = {
        "tau": neuron["tau_m"] / 1000.0,
        "v_leak": neuron["v_rest"] + neuron["bias"],
        "v_threshold": arrays["neuron/v_threshold"] + neuron["theta"],
        "v_reset": arrays["neuron/v_reset"],
    }
    ex, inhibitory = arrays["neuron/tau_syn_ex"], arrays["neuron/tau_syn_in"]
    if (ex != inhibitory).any():
        i = int(np.argmax(ex != inhibitory))
        raise ParameterError(
            f"network must have one synaptic time constant a neuron for NIR; got tau_syn_ex="
            f"{ex[i]:g} and tau_syn_in={inhibitory[i]:g} ms at neuron {i}."
        )
    if (ex > 0.0).any():
        if (ex == 0.0).any():
            i = int(np.argmax(ex == 0.0))
            raise ParameterError(
                "network must have currents at all neurons or at none for NIR; neuron "
                f"{i} has tau_syn_ex=0."
            )
        shown["tau_syn"] = ex / 1000.0
    return {name: values.astype(dtype) for name, values in shown.items()}


def _paths(
    arrays: dict[str, NDArray[Any]], source: str
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Give pairs of delays (ms, of each source) and weights (target, source), one by one."""
    indptr, indices = arrays[f"{source}/indptr"], arrays[f"{source}/indices"]
    weight, delay = arrays[f"{source}/weight"], arrays[f"{source}/delay"]
    rows = np.repeat(np.arange(indptr.size - 1), np.diff(indptr))
    for of_source in _delays(arrays, source):
        chosen = of_source[rows] == delay
        dense = np.zeros((arrays["neuron/tau_m"].size, indptr.size - 1))
        dense[indices[chosen], rows[chosen]] = weight[chosen]
        yield of_source, dense


def _delays(arrays: dict[str, NDArray[Any]], source: str) -> list[NDArray[np.float64]]:
    """Give the delays of each path: ms, of each source."""
    indptr, delay = arrays[f"{source}/indptr"], arrays[f"{source}/delay"]
    n_rows, n_synapses = indptr.size - 1, arrays[f"{source}/weight"].size
    rows = np.repeat(np.arange(n_rows), np.diff(indptr))
    delay = np.broadcast_to(delay, n_synapses) if delay.size == 1 else delay
    if not n_synapses and source == "recurrent":
        return []
    axon = np.zeros(n_rows)
    axon[rows] = delay
    if (axon[rows] == delay).all():
        return [axon]
    delays = np.unique(delay)
    if delays.size > MOST_PATHS:
        raise ParameterError(
            f"network must have one delay an axon, or at most {MOST_PATHS} different ones, for "
            f"NIR; got {delays.size} of {source}."
        )
    return [np.full(n_rows, one) for one in delays]


def _metadata(arrays: dict[str, NDArray[Any]], header: dict[str, Any]) -> dict[str, Any]:
    """Give all of a network but what the graph itself says."""
    hidden = {
        f"{_PREFIX}{name.replace('/', '.')}": values
        for name, values in arrays.items()
        if not name.endswith("/weight")
    }
    return {**hidden, f"{_PREFIX}header": json.dumps(header)}


def from_nir(graph: Any, *, dt: float | None = None, undelayed: float | None = None) -> Network:
    """Make a network of a graph of NIR.

    Every `LIF` and `CubaLIF` becomes a population of its name, the `Input` channels of its name,
    and what leads from it or from neurons to neurons synapses: over `Linear` or `Affine`, whose
    bias is a constant drive, and `Delay`. What `to_nir` has put into the metadata comes back,
    unless the graph was changed where both tell the same.

    Parameters
    ----------
    graph : nir.NIRGraph, str or path
        The graph, or a file that `nir.write` wrote.
    dt : float, default=None
        Step in ms of the package that the graph comes from, in which a spike is a current of 1 for
        one step. `None`: a spike is infinitely short.
    undelayed : float, default=None
        Delay in ms of synapses between neurons where the graph has none, at least 0.001. `None`
        means 0.001, and `dt` from a node to itself if that is given: a loop takes a step.

    Returns
    -------
    Network
        Of float32 where the graph is, and else of float64.

    Raises
    ------
    ParameterError
        If the graph has what no network of ours can be; the message names the node.
    FormatError
        If its metadata are not those of a network, or a file holds no graph.
    OSError
        If a file cannot be read.
    MissingDependencyError
        If nir is not installed.

    Examples
    --------
    >>> from hrsnn_rs.network import from_nir
    >>> network = from_nir("graph.nir", dt=1.0)                  # doctest: +SKIP
    """
    nir = _nir()
    from hrsnn_rs.network.nir_paths import paths_of

    step = None if dt is None else check_number("dt", dt, "above 0 ms", lambda ms: ms > 0.0)
    shortest, loop = 0.001, step or 0.001
    if undelayed is not None:
        shortest = check_number("undelayed", undelayed, "at least 0.001 ms", lambda ms: ms >= 0.001)
        loop = shortest
    if not isinstance(graph, nir.NIRGraph):
        graph = _read(nir, graph)
    cells, channels, paths = paths_of(graph)
    populations: dict[str, int] = {}
    metadata: dict[str, Any] = {}
    neuron = []
    for name, node in cells.items():
        neuron.append(_lif(name, node, step, paths))
        populations[name] = len(neuron[-1]["tau_m"])
        metadata |= getattr(node, "metadata", None) or {}
    merged = {name: np.concatenate([one[name] for one in neuron]) for name in neuron[0]}
    n_inputs = sum(channels.values())
    arrays = _synapses(n_inputs, populations, paths, merged.pop("gain"), (shortest, loop))
    dtype = str(merged.pop("dtype")[0])
    if len(cells) == 1 and f"{_PREFIX}header" in metadata:
        return _restored(merged, arrays, metadata)
    return _plain(merged, arrays, populations, dtype)._named(populations, channels)


def _read(nir: Any, graph: Any) -> Any:
    """Read a file of a graph."""
    if not isinstance(graph, str | os.PathLike):
        raise ParameterError(f"graph must be a nir.NIRGraph or a path; got {graph!r}.")
    path = check_path("graph", graph)
    # What the system refuses it says itself.
    pathlib.Path(path).open("rb").close()
    try:
        found = nir.read(path)
    # A file that is something else makes the libraries raise nearly anything.
    except Exception as error:
        raise FormatError(f"{path}: cannot be read as a graph of NIR: {error}") from None
    if not isinstance(found, nir.NIRGraph):
        raise FormatError(f"{path}: must hold a graph of NIR; it holds a {type(found).__name__}.")
    return found


def _lif(name: str, node: Any, step: float | None, paths: list[Path]) -> dict[str, NDArray[Any]]:
    """Give parameters of a node's neurons, and what a weight of 1 moves them by, mV."""
    is_charged = hasattr(node, "tau_syn")
    given = np.atleast_1d(np.asarray(node.tau_mem if is_charged else node.tau))
    tau = given.ravel().astype(np.float64)
    flat = {
        of: np.asarray(getattr(node, of), np.float64).ravel()
        for of in ("r", "v_leak", "v_threshold", "v_reset")
    }
    if not (np.isfinite(tau).all() and (tau > 0.0).all()):
        raise ParameterError(f"node {name!r} must have time constants above 0.")
    gain = flat["r"] / tau if step is None else flat["r"] * (step / 1000.0) / tau
    # Rounding of three operations in float32; so that weights come back as they went.
    gain = np.where(np.abs(gain - 1.0) < 4e-7, 1.0, gain)
    bias = sum((path.bias * flat["r"] for path in paths if path.target == name), np.zeros(tau.size))
    tau_syn = np.zeros(tau.size)
    if is_charged:
        tau_syn = np.asarray(node.tau_syn, np.float64).ravel() * 1000.0
        gain = (
            gain
            * np.broadcast_to(np.asarray(node.w_in, np.float64), node.v_threshold.shape).ravel()
        )
    return {
        "tau_m": tau * 1000.0,
        "v_rest": flat["v_leak"],
        "v_reset": flat["v_reset"],
        "v_threshold": flat["v_threshold"],
        "t_ref": np.zeros(tau.size),
        "bias": bias,
        "tau_syn_ex": tau_syn,
        "tau_syn_in": tau_syn,
        "gain": gain,
        "dtype": np.full(tau.size, "float32" if given.dtype == np.float32 else "float64"),
    }


def _synapses(
    n_inputs: int,
    populations: dict[str, int],
    paths: list[Path],
    gain: NDArray[np.float64],
    undelayed: tuple[float, float],
) -> dict[str, NDArray[Any]]:
    """Give the synapses of all paths, in the order of a model file."""
    n = sum(populations.values())
    first = dict(zip(populations, np.cumsum([0, *populations.values()])[:-1].tolist(), strict=True))
    arrays: dict[str, NDArray[Any]] = {}
    for source, n_rows in (("inputs", n_inputs), ("recurrent", n)):
        rows, columns, weights, delays = [], [], [], []
        for path in paths:
            if (path.source is None) != (source == "inputs"):
                continue
            target, pre = np.nonzero(path.weight)
            columns.append(first[path.target] + target)
            rows.append((0 if path.source is None else first[path.source]) + pre)
            weights.append(path.weight[target, pre] * gain[columns[-1]])
            delay = path.before[pre] + path.after[target]
            # µs are the lattice of ours, and a delay went out as whole ones.
            delay = np.rint(delay * 1e6) / 1000.0
            if source == "recurrent":
                delay[delay == 0.0] = undelayed[path.source == path.target]
            delays.append(delay)
        row, column, weight, delay = (
            np.concatenate(parts) if parts else np.zeros(0)
            for parts in (rows, columns, weights, delays)
        )
        order = np.lexsort([column, row])
        row, column = row[order].astype(np.int64), column[order].astype(np.int64)
        twice = (np.diff(row) == 0) & (np.diff(column) == 0)
        if twice.any():
            k = int(np.argmax(twice))
            raise ParameterError(
                f"graph must have one path from a neuron or input to a neuron; got two to neuron "
                f"{column[k]} from {row[k]} of {source}."
            )
        arrays[f"{source}/indptr"] = np.concatenate(
            [[0], np.cumsum(np.bincount(row, minlength=n_rows))]
        ).astype(np.int64)
        arrays[f"{source}/indices"] = column.astype(np.uint32)
        arrays[f"{source}/weight"], arrays[f"{source}/delay"] = weight[order], delay[order]
    return arrays


def _plain(
    neuron: dict[str, NDArray[Any]],
    arrays: dict[str, NDArray[Any]],
    populations: dict[str, int],
    dtype: str,
) -> Network:
    """Make a network of what a graph shows."""
    from scipy.sparse import csr_array

    n = sum(populations.values())
    matrices = [
        csr_array(
            (
                arrays[f"{source}/weight"],
                arrays[f"{source}/indices"].astype(np.int64),
                arrays[f"{source}/indptr"],
            ),
            shape=(arrays[f"{source}/indptr"].size - 1, n),
        )
        for source in ("inputs", "recurrent")
    ]
    # An array of one number is one, and none is none.
    delays = [
        arrays[f"{source}/delay"] if arrays[f"{source}/delay"].size else 1.0
        for source in ("inputs", "recurrent")
    ]
    return Network.from_arrays(
        *matrices,
        input_delay=delays[0],
        recurrent_delay=delays[1],
        neuron=LIF(**neuron),
        dtype="float32" if dtype == "float32" else "float64",
    )


def _restored(
    neuron: dict[str, NDArray[Any]], arrays: dict[str, NDArray[Any]], metadata: dict[str, Any]
) -> Network:
    """Make a network of what a graph shows and what its metadata add."""
    from hrsnn_rs.network.model_file import from_state

    hidden: dict[str, NDArray[Any]] = {}
    for name, value in metadata.items():
        if name.startswith(_PREFIX) and name != f"{_PREFIX}header":
            place, _, last = name.removeprefix(_PREFIX).rpartition(".")
            hidden[f"{place}/{last}" if place else last] = np.asarray(value)
    text = metadata[f"{_PREFIX}header"]
    try:
        header = json.loads(text.decode() if isinstance(text, bytes) else text)
        whole = hidden | _told(neuron, hidden, header["dtype"])
        for source in ("inputs", "recurrent"):
            whole |= _placed(arrays, hidden, source)
        gain = float(header["input_gain"])
        return Network._made_of(from_state(whole, header), gain, None)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FormatError(f"metadata of the graph are not those of a network: {error}") from None


def _told(
    neuron: dict[str, NDArray[Any]], hidden: dict[str, NDArray[Any]], dtype: str
) -> dict[str, NDArray[Any]]:
    """Give the neurons as they were, where the graph still shows them so; else as it shows them."""
    shown = _shown(hidden, dtype)
    thousand = {"tau": 1000.0, "tau_syn": 1000.0}
    names = {"tau": "tau_m", "v_leak": "v_rest", "tau_syn": "tau_syn_ex"}
    kept: dict[str, NDArray[Any]] = {}
    for name, before in shown.items():
        ours = names.get(name, name)
        if not np.array_equal(neuron[ours], before.astype(np.float64) * thousand.get(name, 1.0)):
            kept[f"neuron/{ours}"] = neuron[ours]
            beside = {"v_leak": "bias", "v_threshold": "theta"}.get(name)
            if beside is not None:
                kept[f"neuron/{beside}"] = np.zeros(neuron[ours].size)
            if name == "tau_syn":
                kept["neuron/tau_syn_in"] = neuron[ours]
    return kept


def _placed(
    arrays: dict[str, NDArray[Any]], hidden: dict[str, NDArray[Any]], source: str
) -> dict[str, NDArray[Any]]:
    """Put a graph's weights and delays to the synapses that the metadata list."""
    indptr, indices = hidden[f"{source}/indptr"], hidden[f"{source}/indices"].astype(np.int64)
    n = int(hidden["neuron/tau_m"].size)
    places = np.repeat(np.arange(indptr.size - 1), np.diff(indptr)) * n + indices
    rows = np.repeat(np.arange(indptr.size - 1), np.diff(arrays[f"{source}/indptr"]))
    found = np.searchsorted(places, rows * n + arrays[f"{source}/indices"])
    found = np.minimum(found, max(places.size - 1, 0))
    if rows.size and not np.array_equal(places[found], rows * n + arrays[f"{source}/indices"]):
        raise ValueError(f"a synapse of {source} was added")
    weight = np.zeros(places.size)
    weight[found] = arrays[f"{source}/weight"]
    # Of a synapse of weight 0 the graph tells nothing.
    delay = np.broadcast_to(hidden[f"{source}/delay"], places.shape).astype(np.float64)
    delay[found] = arrays[f"{source}/delay"]
    return {f"{source}/weight": weight, f"{source}/delay": delay}
