"""Ways through a graph of NIR: which nodes are neurons, and what leads from one to another.

Lives here: what a way may consist of, and what is refused. Not here: what neurons and synapses
become (`nir_graph`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Path", "paths_of"]

_CELLS, _BETWEEN = ("LIF", "CubaLIF"), ("Linear", "Affine", "Delay")


@dataclass(frozen=True)
class Path:
    """What leads from the input or from neurons to neurons.

    Attributes
    ----------
    source : str or None
        Node of the neurons; `None`: the input.
    target : str
        Node of the neurons.
    weight : float64 ndarray of shape (n_target, n_source)
    bias : float64 ndarray of shape (n_target,)
    before, after : float64 ndarray
        Delays of each source and of each target, s.
    """

    source: str | None
    target: str
    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]


def paths_of(graph: Any) -> tuple[dict[str, Any], dict[str, int], list[Path]]:
    """Find neurons and what connects them.

    Parameters
    ----------
    graph : nir.NIRGraph

    Returns
    -------
    cells : dict
        Nodes of neurons by name, in the order of the graph.
    channels : dict of str to int
        Number of input channels by the name of their node: one.
    paths : list of Path

    Raises
    ------
    ParameterError
        If a node is of a kind that we do not have, or nodes stand in an order that we cannot
        follow; the message names the node.
    """
    kinds = {name: type(node).__name__ for name, node in graph.nodes.items()}
    for name, kind in kinds.items():
        if kind not in (*_CELLS, *_BETWEEN, "Input", "Output"):
            known = ", ".join((*_CELLS, *_BETWEEN))
            raise ParameterError(f"graph must have nodes of {known}; {name!r} is a {kind}.")
    inputs = [name for name, kind in kinds.items() if kind == "Input"]
    cells = {name: graph.nodes[name] for name, kind in kinds.items() if kind in _CELLS}
    if len(inputs) != 1 or not cells:
        raise ParameterError(
            f"graph must have one Input and some neurons; got {len(inputs)} and {len(cells)}."
        )
    sizes = {name: int(np.size(node.v_threshold)) for name, node in cells.items()}
    shape = np.asarray(graph.nodes[inputs[0]].input_type["input"]).ravel()
    sizes[inputs[0]] = int(np.prod(shape))
    following: dict[str, list[str]] = {}
    for begin, end in graph.edges:
        following.setdefault(begin, []).append(end)
    paths = []
    for source in (inputs[0], *cells):
        ways = [[after] for after in following.get(source, [])]
        while ways:
            way = ways.pop(0)
            last = kinds[way[-1]]
            if last == "Output":
                continue
            if last in _CELLS:
                paths.append(_path(graph, source, way, sizes, is_input=source == inputs[0]))
                continue
            if len(way) > len(kinds):
                raise ParameterError(
                    f"graph must have neurons on each circle; {way[-1]!r} has none."
                )
            ways += [[*way, after] for after in following.get(way[-1], [])]
    return cells, {inputs[0]: sizes[inputs[0]]}, paths


def _path(
    graph: Any, source: str, way: list[str], sizes: dict[str, int], *, is_input: bool
) -> Path:
    target = way[-1]
    weight: NDArray[np.float64] | None = None
    bias = np.zeros(sizes[target])
    before, after = np.zeros(sizes[source]), np.zeros(sizes[target])
    for name in way[:-1]:
        node = graph.nodes[name]
        if type(node).__name__ == "Delay":
            delay = np.asarray(node.delay, np.float64).ravel()
            if not (np.isfinite(delay).all() and (delay >= 0.0).all()):
                raise ParameterError(f"node {name!r} must have delays of at least 0 s.")
            side = before if weight is None else after
            if delay.size not in (1, side.size):
                raise ParameterError(
                    f"node {name!r} must have {side.size} delays; got {delay.size}."
                )
            side += delay
            continue
        if weight is not None:
            raise ParameterError(
                f"graph must have one matrix of weights between neurons; {name!r} is a second one."
            )
        weight = np.asarray(node.weight, np.float64)
        if weight.shape != (sizes[target], sizes[source]):
            raise ParameterError(
                f"node {name!r} must have weights of shape {(sizes[target], sizes[source])}; got "
                f"{weight.shape}."
            )
        if type(node).__name__ == "Affine":
            bias = np.asarray(node.bias, np.float64).ravel()
    if weight is None:
        if sizes[source] != sizes[target]:
            raise ParameterError(f"graph must have weights between {source!r} and {target!r}.")
        weight = np.eye(sizes[target])
    return Path(None if is_input else source, target, weight, bias, before, after)
