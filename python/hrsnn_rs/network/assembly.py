"""From rules and laws to arrays: what `Network` hands to the core.

Lives here: the drawing of neurons, graphs, weights, delays and plasticity, each from a stream
of its own, so that changing one leaves the others as they were. Not here: anything that runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import MOST_SEED, as_array, check_integer, check_number, check_truth
from hrsnn_rs.description.competition import Competition
from hrsnn_rs.description.connectivity import Connectivity
from hrsnn_rs.description.distributions import Uniform
from hrsnn_rs.description.explicit_connectivity import ExplicitConnectivity
from hrsnn_rs.description.heterogeneity import resolve
from hrsnn_rs.description.law import Distribution
from hrsnn_rs.description.parameters import LIF, STDP, AdaptiveThreshold, resolve_lif, resolve_stdp
from hrsnn_rs.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.arguments import FloatArray

__all__ = ["Assembly", "Synapses", "assemble", "choose_inhibitory"]

#: Delays in ms where none are given.
INPUT_DELAY, RECURRENT_DELAY = 0.0, 1.0
#: `w_max` where none is given, as a multiple of the mean initial weight.
W_MAX_OF_MEAN = 3.0
#: How a neuron's incoming weights are summed up: their sum, or the root of their squares' sum.
NORMS = ("l1", "l2")
#: Largest size of a weight that the core takes, mV: sums of larger ones would overflow.
MOST_MV = 1e15


@dataclass(frozen=True)
class Synapses:
    """Synapses of one source, in CSR: rows are sources, columns neurons."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.uint32]
    weight: FloatArray
    #: ms; one value a synapse, or one for all.
    delay: FloatArray
    #: `plastic`, the four constants, and what all share; None where nothing learns.
    plasticity: dict[str, Any] | None = None

    def to_core(self) -> dict[str, Any]:
        """Return the fields by name."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class Assembly:
    """Everything the core needs."""

    neurons: dict[str, FloatArray]
    inhibitory: NDArray[np.bool_]
    inputs: Synapses
    recurrent: Synapses
    adaptive_threshold: AdaptiveThreshold | None
    #: Norm of each neuron's plastic recurrent weights to keep, mV; empty: not kept.
    incoming: FloatArray
    #: The same for plastic input weights.
    incoming_inputs: FloatArray
    norm: str
    competition: Competition | None
    dtype: str
    #: Numbers of neurons and of input channels by name, in order; empty: they have no names.
    populations: dict[str, int] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)


def choose_inhibitory(n_neurons: int, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Draw which neurons are inhibitory: `round(fraction * n_neurons)` of them."""
    order = np.argsort(Uniform(0.0, 1.0).sample_each(n_neurons, seed, "inhibitory"), kind="stable")
    mask = np.zeros(n_neurons, dtype=np.bool_)
    mask[order[: round(fraction * n_neurons)]] = True
    return mask


def assemble(
    *,
    n_inputs: int,
    n_neurons: int,
    neuron: LIF,
    inhibitory_neuron: LIF | None,
    inputs: Connectivity,
    recurrent: Connectivity | None,
    plasticity: STDP | None,
    plastic: ArrayLike | None,
    inhibitory: NDArray[np.bool_],
    normalize_weights: bool,
    normalize_inputs: bool,
    norm: str,
    adaptive_threshold: AdaptiveThreshold | None,
    competition: Competition | None,
    seed: int,
    dtype: str,
) -> Assembly:
    """Draw a network from its rules; every fault is named.

    Raises
    ------
    ParameterError, ShapeError
        If an argument has the wrong type or shape, or a drawn value cannot be.
    """
    _check_kind("neuron", neuron, LIF)
    _check_kind("inputs", inputs, Connectivity)
    _check_kind("adaptive_threshold", adaptive_threshold, AdaptiveThreshold, optional=True)
    _check_kind("competition", competition, Competition, optional=True)
    _check_kind("inhibitory_neuron", inhibitory_neuron, LIF, optional=True)
    _check_kind("recurrent", recurrent, Connectivity, optional=True)
    _check_kind("plasticity", plasticity, STDP, optional=True)
    check_truth("normalize_weights", normalize_weights)
    check_truth("normalize_inputs", normalize_inputs)
    if not isinstance(norm, str) or norm not in NORMS:
        raise ParameterError(f"norm must be 'l1' or 'l2'; got {norm!r}.")
    if not isinstance(dtype, str) or dtype not in ("float32", "float64"):
        raise ParameterError(f"dtype must be 'float32' or 'float64'; got {dtype!r}.")
    excitatory = ~inhibitory
    neurons = resolve_lif(neuron, n_neurons, seed, "neuron")
    if inhibitory_neuron is not None:
        others = resolve_lif(inhibitory_neuron, n_neurons, seed, "inhibitory_neuron")
        neurons = {name: np.where(inhibitory, others[name], neurons[name]) for name in neurons}
    neurons["theta"] = np.zeros(n_neurons)

    from_inputs = connect("inputs", inputs, n_inputs, n_neurons, seed, INPUT_DELAY)
    if recurrent is None:
        none = np.zeros(0)
        indptr = np.zeros(n_neurons + 1, dtype=np.int64)
        between = Synapses(indptr, none.astype(np.uint32), none, np.array([RECURRENT_DELAY]))
    else:
        between = connect(
            "recurrent", recurrent, n_neurons, n_neurons, seed, RECURRENT_DELAY, inhibitory
        )
    if plasticity is None:
        if plastic is not None:
            raise ParameterError("plastic must be None where plasticity is None.")
    else:
        if plasticity.inputs:
            onto = excitatory[from_inputs.indices] & (from_inputs.weight > 0.0)
            order = inputs.order if isinstance(inputs, ExplicitConnectivity) else None
            from_inputs = _with_stdp(from_inputs, plasticity, onto, seed, "stdp_inputs", order)
        order = recurrent.order if isinstance(recurrent, ExplicitConnectivity) else None
        if plastic is None:
            rows = np.repeat(excitatory, np.diff(between.indptr))
            mask = rows & excitatory[between.indices] & (between.weight > 0.0)
        else:
            mask = _plastic_mask(plastic, between.weight.size)
            mask = mask if order is None else mask[order]
        between = _with_stdp(between, plasticity, mask, seed, "stdp", order)
    if normalize_weights and between.plasticity is None:
        raise ParameterError("normalize_weights must be False where plasticity is None.")
    if normalize_inputs and from_inputs.plasticity is None:
        raise ParameterError("normalize_inputs must be False where inputs are not plastic.")
    nothing = np.zeros(0)
    return Assembly(
        neurons,
        inhibitory,
        from_inputs,
        between,
        adaptive_threshold,
        incoming_norm(between, n_neurons, norm) if normalize_weights else nothing,
        incoming_norm(from_inputs, n_neurons, norm) if normalize_inputs else nothing,
        norm,
        competition,
        dtype,
    )


def incoming_norm(synapses: Synapses, n_neurons: int, norm: str) -> FloatArray:
    """Give the norm of each neuron's plastic weights."""
    assert synapses.plasticity is not None
    kept = np.where(synapses.plasticity["plastic"], synapses.weight, 0.0)
    if norm == "l2":
        kept = kept**2
    sums = np.bincount(synapses.indices, weights=kept, minlength=n_neurons).astype(float)
    return np.sqrt(sums) if norm == "l2" else sums


def _check_kind(name: str, value: object, kind: type, *, optional: bool = False) -> None:
    if isinstance(value, kind) or (optional and value is None):
        return
    raise ParameterError(
        f"{name} must be a {kind.__name__}{' or None' if optional else ''}; got {value!r}."
    )


def connect(
    name: str,
    rule: Connectivity,
    n_pre: int,
    n_post: int,
    seed: int,
    default_delay: float,
    inhibitory: NDArray[np.bool_] | None = None,
    *,
    recurrent: bool | None = None,
) -> Synapses:
    """Draw the synapses of one rule; sources are inputs where `inhibitory` is None.

    `recurrent` says whether sources and targets are the same neurons; None: if they are neurons.
    """
    if recurrent is None:
        recurrent = inhibitory is not None
    indptr, indices = rule.generate(
        n_pre, n_post, seed, name, recurrent=recurrent, inhibitory=inhibitory
    )
    weight = resolve(
        rule.weight, f"{name}.weight", indptr, seed, purpose=f"{name}/weight", at="synapse"
    )
    if not isinstance(rule, ExplicitConnectivity):
        if (weight < 0.0).any():
            s = int(np.argmax(weight < 0.0))
            raise ParameterError(
                f"{name}.weight must be at least 0 mV (signs come with the neurons);"
                f" got {float(weight[s])!r} at synapse {s}."
            )
        if inhibitory is not None:
            gain = check_number("inhibitory_gain", getattr(rule, "inhibitory_gain", 1.0))
            with np.errstate(over="ignore"):  # refused below
                weight *= np.repeat(np.where(inhibitory, -gain, 1.0), np.diff(indptr))
        elif hasattr(rule, "signs"):
            weight *= rule.signs(indptr, seed, name)
    too_large = np.abs(weight) > MOST_MV
    if too_large.any():
        s = int(np.argmax(too_large))
        values = "data" if isinstance(rule, ExplicitConnectivity) else "weight"
        raise ParameterError(
            f"{name}.{values} must be between -1e15 and 1e15;"
            f" got {float(weight[s])!r} at synapse {s}."
        )
    if rule.delay is None:
        delay = np.array([default_delay])
    elif isinstance(rule.delay, Distribution) or np.ndim(rule.delay) > 0:
        delay = resolve(
            rule.delay, f"{name}.delay", indptr, seed, purpose=f"{name}/delay", at="synapse"
        )
    else:
        delay = np.array([check_number("delay", rule.delay)])
    return Synapses(indptr, indices, weight, delay)


def _plastic_mask(plastic: ArrayLike, n_synapses: int) -> NDArray[np.bool_]:
    mask = as_array("plastic", plastic)
    if mask.dtype != np.bool_:
        raise ParameterError(f"plastic must be an array of bool; got dtype {mask.dtype}.")
    if mask.shape != (n_synapses,):
        raise ShapeError(f"plastic must have length {n_synapses}; got shape {mask.shape}.")
    return mask.copy()


def _with_stdp(
    synapses: Synapses,
    stdp: STDP,
    plastic: NDArray[np.bool_],
    seed: int,
    purpose: str,
    order: NDArray[np.intp] | None = None,
) -> Synapses:
    constants = draw_constants(stdp, synapses.indptr, seed, purpose, order)
    plasticity = share_stdp(stdp, plastic, constants, synapses.weight)
    return Synapses(synapses.indptr, synapses.indices, synapses.weight, synapses.delay, plasticity)


def draw_constants(
    stdp: STDP,
    indptr: NDArray[np.int64],
    seed: int,
    purpose: str,
    order: NDArray[np.intp] | None = None,
) -> dict[str, FloatArray]:
    """Draw the four constants of each synapse."""
    constants = resolve_stdp(stdp, indptr, seed, purpose)
    if order is not None:
        # Arrays come in the caller's order; what was drawn has none.
        for name in constants:
            if not isinstance(getattr(stdp, name), Distribution):
                constants[name] = constants[name][order]
    return constants


def share_stdp(
    stdp: STDP, plastic: NDArray[np.bool_], constants: dict[str, FloatArray], weight: FloatArray
) -> dict[str, Any]:
    """Put `plastic` and the four constants together with what all synapses share."""
    weight = weight[plastic]
    w_max = stdp.w_max
    if w_max is None:
        mean, largest = (float(weight.mean()), float(weight.max())) if weight.size else (1.0, 1.0)
        w_max = max(W_MAX_OF_MEAN * mean, largest)
        if not w_max > stdp.w_min:
            raise ParameterError(
                f"w_max must be given where plastic weights do not exceed w_min ({stdp.w_min!r});"
                f" got a mean weight of {mean!r}."
            )
    return {
        "plastic": plastic,
        **constants,
        "w_min": stdp.w_min,
        "w_max": w_max,
        "mu_plus": stdp.mu_plus,
        "mu_minus": stdp.mu_minus,
        "nearest": stdp.pairing == "nearest",
        "half_precision": stdp.half_precision,
    }


def check_fraction(inhibitory_fraction: object) -> float:
    """Return the fraction of neurons that are inhibitory."""
    return check_number(
        "inhibitory_fraction", inhibitory_fraction, "in [0, 1]", lambda f: 0.0 <= f <= 1.0
    )


def check_sizes(n_inputs: object, n_neurons: object, seed: object) -> tuple[int, int, int]:
    """Return the three numbers that everything is drawn from."""
    highest = 2**32 - 2
    return (
        check_integer("n_inputs", n_inputs, 1, highest),
        check_integer("n_neurons", n_neurons, 1, highest),
        check_integer("seed", seed, high=MOST_SEED),
    )
