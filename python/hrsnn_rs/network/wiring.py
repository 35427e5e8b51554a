"""From populations and projections to arrays: what `Network.from_populations` hands to the core.

Lives here: how the pieces of all projections become one graph for inputs and one for neurons.
Not here: the drawing of a piece (`assembly`). Invariant: what is drawn for a population or a
projection depends on the seed and on its names alone, not on what else there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hrsnn_rs.arguments import check_integer, check_truth
from hrsnn_rs.description.explicit_connectivity import ExplicitConnectivity
from hrsnn_rs.description.local_connectivity import LocalConnectivity
from hrsnn_rs.description.parameters import AdaptiveThreshold, resolve_lif
from hrsnn_rs.description.populations import Population, Projection, check_name
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.network.assembly import (
    INPUT_DELAY,
    RECURRENT_DELAY,
    Assembly,
    Synapses,
    check_sizes,
    connect,
    draw_constants,
    incoming_norm,
    share_stdp,
)
from hrsnn_rs.network.memory import Projected, network_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hrsnn_rs.arguments import FloatArray
    from hrsnn_rs.description.parameters import STDP

__all__ = ["homogeneous", "wire"]

#: Name of the input channels where only their number is given.
INPUTS = "inputs"
#: Most channels that a network takes.
MOST_CHANNELS = 2**32 - 2
#: Bytes of a synapse beside what drawing it takes: its place in the whole, and its delay.
_PER_WIRED = 24
#: What joining the projections of a source in arrays takes beyond, as a share: a bound.
_SPARE = 1.4
#: What all plastic synapses of inputs share, and all between neurons.
_SHARED = ("w_min", "w_max", "mu_plus", "mu_minus", "pairing", "half_precision")


class _Pair(NamedTuple):
    """One projection from one source to one target."""

    #: How messages and streams call it.
    label: str
    projection: Projection
    source: str
    target: str


@dataclass(frozen=True)
class _Block:
    """Synapses of a pair, both ends counted from their first neuron or channel."""

    label: str
    indptr: NDArray[np.int64]
    indices: NDArray[np.uint32]
    weight: FloatArray
    #: ms; one value a synapse, or one for all.
    delay: FloatArray
    #: Which learn, and their constants; None: none does.
    plastic: NDArray[np.bool_] | None = None
    constants: dict[str, FloatArray] | None = None

    @property
    def n(self) -> int:
        """Number of synapses."""
        return int(self.indices.size)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Source of each synapse."""
        return np.repeat(np.arange(self.indptr.size - 1), np.diff(self.indptr))

    @property
    def delays(self) -> FloatArray:
        """Delay of each synapse."""
        return np.broadcast_to(self.delay, self.n)


def wire(
    *,
    populations: Sequence[Population],
    projections: Sequence[Projection],
    inputs: int | Mapping[str, int],
    normalize_weights: bool,
    adaptive_threshold: AdaptiveThreshold | None,
    seed: int,
    dtype: str,
) -> Assembly:
    """Draw a network from populations and projections; every fault is named.

    Raises
    ------
    ParameterError, ShapeError
        If an argument has the wrong type or shape, names do not fit together, two projections
        contradict each other, or a drawn value cannot be.
    """
    known = {population.name: population for population in _checked(populations, projections)}
    channels = _checked_inputs(inputs, known)
    sizes = {name: population.n_neurons for name, population in known.items()}
    _, n_neurons, seed = check_sizes(sum(channels.values()), sum(sizes.values()), seed)
    if adaptive_threshold is not None and not isinstance(adaptive_threshold, AdaptiveThreshold):
        raise ParameterError(
            f"adaptive_threshold must be an AdaptiveThreshold or None; got {adaptive_threshold!r}."
        )
    if not isinstance(dtype, str) or dtype not in ("float32", "float64"):
        raise ParameterError(f"dtype must be 'float32' or 'float64'; got {dtype!r}.")
    pairs = _pairs(projections, known, channels)
    _check_memory(pairs, channels, sizes, dtype)

    signs = [population.inhibitory for population in known.values()]
    synapses = {}
    for kind, sources in (("inputs", channels), ("recurrent", sizes)):
        mine = [pair for pair in pairs if (pair.source in channels) == (kind == "inputs")]
        stdp = _shared_stdp(kind, mine)
        delay = INPUT_DELAY if kind == "inputs" else RECURRENT_DELAY
        blocks: dict[tuple[str, str], _Block] = {}
        for pair in mine:
            ends = (pair.source, pair.target)
            block = _draw(pair, sources[pair.source], known, seed, delay)
            blocks[ends] = _added_up(blocks[ends], block) if ends in blocks else block
        synapses[kind] = _placed(blocks, sources, sizes, delay, stdp)
    return Assembly(
        neurons={**_neurons(known, seed), "theta": np.zeros(n_neurons)},
        inhibitory=np.repeat(signs, [*sizes.values()]),
        inputs=synapses["inputs"],
        recurrent=synapses["recurrent"],
        adaptive_threshold=adaptive_threshold,
        incoming=_incoming(synapses["recurrent"], n_neurons, normalize_weights),
        incoming_inputs=np.zeros(0),
        norm="l1",
        competition=None,
        dtype=dtype,
        populations=sizes,
        channels=channels,
    )


def homogeneous(
    words: Mapping[str, Any], *, neurons: bool, synapses: bool, **chosen: float
) -> dict[str, Any]:
    """Give the arguments of `wire` with neurons, or rules of plasticity, that are all the same.

    Parameters of neurons that are `chosen` take the place of their means.
    """
    populations, projections = words["populations"], words["projections"]
    if neurons:
        populations = [
            replace(each, neuron=replace(each.neuron.homogeneous(), **chosen))
            for each in populations
        ]
    if synapses:
        projections = [
            each
            if each.plasticity is None
            else replace(each, plasticity=each.plasticity.homogeneous())
            for each in projections
        ]
    return {**words, "populations": populations, "projections": projections}


def _checked(populations: object, projections: object) -> Sequence[Population]:
    for argument, given, kind in (
        ("populations", populations, Population),
        ("projections", projections, Projection),
    ):
        if not isinstance(given, list | tuple):
            raise ParameterError(f"{argument} must be a list of {kind.__name__}s; got {given!r}.")
        for n, one in enumerate(given):
            if not isinstance(one, kind):
                raise ParameterError(
                    f"{argument} must hold {kind.__name__}s; got {one!r} at index {n}."
                )
    assert isinstance(populations, list | tuple)
    if not populations:
        raise ParameterError("populations must hold at least one Population; got none.")
    names: set[str] = set()
    for n, population in enumerate(populations):
        if population.name in names:
            raise ParameterError(
                f"populations must have names of their own; got {population.name!r} twice, at"
                f" index {n} again."
            )
        names.add(population.name)
    return populations


def _checked_inputs(inputs: object, known: Mapping[str, Population]) -> dict[str, int]:
    if not isinstance(inputs, Mapping):
        inputs = {INPUTS: check_integer("inputs", inputs, 1, MOST_CHANNELS)}
    if not inputs:
        raise ParameterError("inputs must have at least one channel; got none.")
    channels = {}
    for name, number in inputs.items():
        if check_name("inputs", name) in known:
            raise ParameterError(f"inputs must not have the name of a population; got {name!r}.")
        channels[name] = check_integer(f"inputs[{name!r}]", number, 1, MOST_CHANNELS)
    return channels


def _pairs(
    projections: Sequence[Projection], known: Mapping[str, Population], channels: Mapping[str, int]
) -> list[_Pair]:
    """Give a pair for each source and target; the second of a pair has a 2 behind its label."""
    pairs = []
    counts: dict[str, int] = {}
    for n, projection in enumerate(projections):
        for source in projection.sources:
            _check_known(f"projections[{n}].source", source, [*channels, *known])
            for target in projection.targets:
                _check_known(f"projections[{n}].target", target, [*known])
                label = f"{source} -> {target}"
                counts[label] = counts.get(label, 0) + 1
                if counts[label] > 1:
                    label = f"{label} ({counts[label]})"
                pairs.append(_Pair(label, projection, source, target))
    return pairs


def _check_known(argument: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise ParameterError(f"{argument} must be one of {', '.join(known)}; got {name!r}.")


def _check_memory(
    pairs: Sequence[_Pair], channels: Mapping[str, int], sizes: Mapping[str, int], dtype: str
) -> None:
    of_all, n_synapses = [], 0.0
    for pair in pairs:
        rule, stdp = pair.projection.rule, pair.projection.plasticity
        n_pre = {**channels, **sizes}[pair.source]
        n = rule.expected_synapses(n_pre, sizes[pair.target])
        one_for_all = rule.delay is None or isinstance(rule.delay, int | float)
        half = stdp is not None and stdp.half_precision
        of_all.append(
            Projected(n, n, stdp is not None, half_precision=half, delays=not one_for_all)
        )
        n_synapses += n
    n_bytes = network_bytes(sum(channels.values()), sum(sizes.values()), of_all, dtype)
    check_memory("network", _SPARE * n_bytes + _PER_WIRED * n_synapses)


def _neurons(known: Mapping[str, Population], seed: int) -> dict[str, FloatArray]:
    drawn = []
    for name, population in known.items():
        try:
            drawn.append(resolve_lif(population.neuron, population.n_neurons, seed, name))
        except (ParameterError, ShapeError) as error:
            raise type(error)(f"population {name}: {error}") from None
    return {name: np.concatenate([each[name] for each in drawn]) for name in drawn[0]}


def _shared_stdp(kind: str, pairs: Sequence[_Pair]) -> STDP | None:
    """Give the rule of the plastic pairs; refuse where they differ in what they have to share."""
    found: tuple[str, STDP] | None = None
    for pair in pairs:
        stdp = pair.projection.plasticity
        if stdp is None:
            continue
        if found is None:
            found = (pair.label, stdp)
        for name in _SHARED:
            here, there = getattr(found[1], name), getattr(stdp, name)
            if here != there:
                which = "from inputs" if kind == "inputs" else "between neurons"
                raise ParameterError(
                    f"plasticity must have the same {name} in all projections {which};"
                    f" got {here!r} in {found[0]} and {there!r} in {pair.label}."
                )
    return None if found is None else found[1]


def _draw(
    pair: _Pair, n_pre: int, known: Mapping[str, Population], seed: int, default_delay: float
) -> _Block:
    """Draw one pair; faults are told under its label."""
    label, rule, stdp = pair.label, pair.projection.rule, pair.projection.plasticity
    source, n_post = known.get(pair.source), known[pair.target].n_neurons
    try:
        mask = None
        if source is not None:
            mask = np.full(n_pre, source.inhibitory)
            if isinstance(rule, LocalConnectivity) and rule.negative > 0.0:
                raise ParameterError(
                    "negative must be 0 where the source is neurons, whose synapses have one sign;"
                    f" got {rule.negative!r}."
                )
        recurrent = pair.source == pair.target
        drawn = connect(label, rule, n_pre, n_post, seed, default_delay, mask, recurrent=recurrent)
        if source is not None:
            _check_between_neurons(label, drawn, inhibitory=source.inhibitory)
        block = _Block(label, drawn.indptr, drawn.indices, drawn.weight, drawn.delay)
        if stdp is None:
            return block
        order = rule.order if isinstance(rule, ExplicitConnectivity) else None
        constants = draw_constants(stdp, drawn.indptr, seed, f"{label}/stdp", order)
        plastic = _plastic(label, drawn.weight, stdp)
        return replace(block, plastic=plastic, constants=constants)
    except (ParameterError, ShapeError) as error:
        if str(error).startswith(label):
            raise
        raise type(error)(f"{label}: {error}") from None


def _check_between_neurons(label: str, drawn: Synapses, *, inhibitory: bool) -> None:
    wrong = drawn.weight > 0.0 if inhibitory else drawn.weight < 0.0
    if wrong.any():
        s = int(np.argmax(wrong))
        bound = "most 0 mV for an inhibitory" if inhibitory else "least 0 mV for an excitatory"
        raise ParameterError(
            f"{label}.data must be at {bound}"
            f" source; got {float(drawn.weight[s])!r} at synapse {s}."
        )
    early = np.rint(1000.0 * drawn.delay) < 1.0
    if early.any():
        s = int(np.argmax(early))
        raise ParameterError(
            f"{label}.delay must be at least 0.001 ms between neurons;"
            f" got {float(drawn.delay[s])!r} at synapse {s}."
        )


def _plastic(label: str, weight: FloatArray, stdp: STDP) -> NDArray[np.bool_]:
    """Say which synapses learn: those on the side of 0 on which the bounds are."""
    below = stdp.w_max is not None and stdp.w_max <= 0.0
    plastic = weight < 0.0 if below else weight > 0.0
    if weight.any() and not plastic.any():
        raise ParameterError(
            f"{label}.plasticity must have bounds on the side of the weights;"
            f" got w_min={stdp.w_min!r} and w_max={stdp.w_max!r} for a weight of"
            f" {float(weight[np.argmax(weight != 0.0)])!r} mV."
        )
    high = np.inf if stdp.w_max is None else stdp.w_max
    outside = plastic & ((weight < stdp.w_min) | (weight > high))
    if outside.any():
        s = int(np.argmax(outside))
        raise ParameterError(
            f"{label}.weight must be between w_min ({stdp.w_min!r}) and w_max ({stdp.w_max!r})"
            f" where plastic; got {float(weight[s])!r} at synapse {s}."
        )
    return plastic


def _added_up(first: _Block, second: _Block) -> _Block:
    """Put two rules between the same ends together; a synapse of both gets the sum of weights."""
    both = (first, second)
    rows = np.concatenate([block.rows for block in both])
    indices = np.concatenate([block.indices for block in both])
    order = np.lexsort((indices, rows))
    rows, indices = rows[order], indices[order]
    weight = np.concatenate([block.weight for block in both])[order]
    delay = np.concatenate([block.delays for block in both])[order]
    again = np.zeros(order.size, dtype=np.bool_)
    again[1:] = (rows[1:] == rows[:-1]) & (indices[1:] == indices[:-1])
    plastic, constants = None, None
    if not all(block.plastic is None for block in both):
        plastic = np.concatenate([_plastic_of(block) for block in both])[order]
        of_both = [_constants_of(block) for block in both]
        constants = {name: np.concatenate([c[name] for c in of_both])[order] for name in of_both[0]}
    twice = np.flatnonzero(again)
    if twice.size:
        late = np.rint(1000.0 * delay[twice]) != np.rint(1000.0 * delay[twice - 1])
        opposite = weight[twice] * weight[twice - 1] < 0.0
        learns = np.zeros(twice.size, dtype=np.bool_)
        if plastic is not None:
            learns = plastic[twice] | plastic[twice - 1]
        wrong = np.flatnonzero(late | opposite | learns)
        if wrong.size:
            s = int(twice[wrong[0]])
            raise ParameterError(
                f"{second.label} must not reach the target {indices[s]} from the source {rows[s]},"
                f" which {first.label} reaches too: there is one synapse for a pair, so weights are"
                " added up where delays and signs are equal and nothing learns; got weights of"
                f" {float(weight[s - 1])!r} and {float(weight[s])!r} mV, delays of"
                f" {float(delay[s - 1])!r} and {float(delay[s])!r} ms,"
                f" {'plastic' if learns[wrong[0]] else 'static'}."
            )
        starts = np.flatnonzero(~again)
        weight = np.add.reduceat(weight, starts)
        rows, indices, delay = rows[starts], indices[starts], delay[starts]
        if plastic is not None and constants is not None:
            plastic = plastic[starts]
            constants = {name: values[starts] for name, values in constants.items()}
    indptr = np.zeros_like(first.indptr)
    np.cumsum(np.bincount(rows, minlength=indptr.size - 1), out=indptr[1:])
    return _Block(first.label, indptr, indices, weight, delay, plastic, constants)


def _plastic_of(block: _Block) -> NDArray[np.bool_]:
    return np.zeros(block.n, dtype=np.bool_) if block.plastic is None else block.plastic


def _constants_of(block: _Block) -> dict[str, FloatArray]:
    """Give the constants of each synapse; those that do not learn have some that can be."""
    if block.constants is not None:
        return block.constants
    nothing, any_time = np.zeros(block.n), np.ones(block.n)
    return {
        "a_plus": nothing,
        "a_minus": nothing,
        "tau_plus": any_time,
        "tau_minus": any_time,
    }


def _placed(
    blocks: dict[tuple[str, str], _Block],
    sources: Mapping[str, int],
    targets: Mapping[str, int],
    default_delay: float,
    stdp: STDP | None,
) -> Synapses:
    """Put the blocks into one graph. They are empty afterwards."""
    rows, first_target = _slices(sources), _slices(targets)
    widths = np.zeros(sum(sources.values()), dtype=np.int64)
    for (source, _), block in blocks.items():
        widths[rows[source]] += np.diff(block.indptr)
    indptr = np.concatenate([[0], np.cumsum(widths)]).astype(np.int64)
    n = int(indptr[-1])
    indices, weight = np.empty(n, dtype=np.uint32), np.empty(n)
    delays = {float(block.delay[0]) if block.delay.size == 1 else None for block in blocks.values()}
    one = len(delays) <= 1 and None not in delays
    delay = np.array([*delays] or [default_delay]) if one else np.empty(n)
    plastic = np.zeros(0 if stdp is None else n, dtype=np.bool_)
    constants: dict[str, FloatArray] = {}
    free = indptr[:-1].copy()
    # A row's targets increase, for the blocks of a row are placed in the order of their targets.
    for target in targets:
        for source in sources:
            if (source, target) not in blocks:
                continue
            block = blocks.pop((source, target))
            place = np.repeat(free[rows[source]] - block.indptr[:-1], np.diff(block.indptr))
            place += np.arange(block.n)
            free[rows[source]] += np.diff(block.indptr)
            indices[place] = block.indices + np.uint32(first_target[target].start)
            weight[place] = block.weight
            if not one:
                delay[place] = block.delays
            if stdp is not None:
                plastic[place] = _plastic_of(block)
                for name, values in _constants_of(block).items():
                    constants.setdefault(name, np.empty(n))[place] = values
    shared = None if stdp is None else share_stdp(stdp, plastic, constants, weight)
    return Synapses(indptr, indices, weight, delay, shared)


def _slices(sizes: Mapping[str, int]) -> dict[str, slice]:
    ends = np.cumsum([*sizes.values()]).tolist()
    return {name: slice(end - sizes[name], end) for name, end in zip(sizes, ends, strict=True)}


def _incoming(between: Synapses, n_neurons: int, normalize_weights: bool) -> FloatArray:
    if not check_truth("normalize_weights", normalize_weights):
        return np.zeros(0)
    if between.plasticity is None:
        raise ParameterError(
            "normalize_weights must be False where nothing between neurons learns."
        )
    return incoming_norm(between, n_neurons, "l1")
