"""Parameters of neurons and synapses.

All words from which a network is described can be imported from here: distributions and
connectivity rules stand in modules of their own.

Each group is checked when it is made, and again when it is resolved: a law may yield what
a neuron cannot have.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from hrsnn_rs.arguments import (
    NOT_NEGATIVE,
    check_array,
    check_choice,
    check_integer,
    check_mapping,
    check_number,
)
from hrsnn_rs.description.connectivity import (
    Connectivity,
    DistanceConnectivity,
    FixedInDegreeConnectivity,
    OneToOneConnectivity,
    RandomConnectivity,
    SmallWorldConnectivity,
)
from hrsnn_rs.description.distributions import (
    Constant,
    Gamma,
    LogNormal,
    LogUniform,
    Normal,
    Uniform,
)
from hrsnn_rs.description.explicit_connectivity import ExplicitConnectivity
from hrsnn_rs.description.heterogeneity import (
    Parameter,
    check_parameter,
    constant_of_same_mean,
    resolve,
)
from hrsnn_rs.description.law import Distribution, check_offsets
from hrsnn_rs.description.local_connectivity import LocalConnectivity, LocalRecurrence
from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from hrsnn_rs.arguments import FloatArray, Range

__all__ = [
    "LIF",
    "STDP",
    "AdaptiveThreshold",
    "Connectivity",
    "Constant",
    "DistanceConnectivity",
    "Distribution",
    "ExplicitConnectivity",
    "FixedInDegreeConnectivity",
    "Gamma",
    "LocalConnectivity",
    "LocalRecurrence",
    "LogNormal",
    "LogUniform",
    "Normal",
    "OneToOneConnectivity",
    "Parameter",
    "RandomConnectivity",
    "SmallWorldConnectivity",
    "Uniform",
    "constant_of_same_mean",
    "resolve",
    "resolve_lif",
    "resolve_stdp",
]


class _Group:
    """Equality and dictionaries of a dataclass whose fields may be arrays."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(_same(getattr(self, f), getattr(other, f)) for f in _names(self))

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` takes; JSON can hold it (arrays become lists).

        Returns
        -------
        dict
            The arguments by name.
        """
        content = {}
        for name in _names(self):
            value = getattr(self, name)
            if isinstance(value, Distribution):
                value = value.to_dict()
            elif isinstance(value, np.ndarray):
                value = value.tolist()
            content[name] = value
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Make the group that `to_dict` described.

        Parameters
        ----------
        content : mapping
            As from `to_dict`; what is left out takes its default.

        Returns
        -------
        Self
            An equal group.

        Raises
        ------
        ParameterError
            If an argument is unknown or refused.
        """
        known = _names(cls)
        arguments = {}
        for name, value in check_mapping("content", content).items():
            if name not in known:
                raise ParameterError(
                    f"{cls.__name__} has the arguments {', '.join(known)}; got {name!r}."
                )
            is_law = isinstance(value, dict)
            arguments[name] = Distribution.from_dict(value) if is_law else value
        return cls(**arguments)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_parameters(self, ranges: Mapping[str, Range], at: str) -> None:
        for name, (expected, allowed) in ranges.items():
            value = check_parameter(name, getattr(self, name), expected, allowed, at=at)
            self._set(name, value)


@dataclass(frozen=True, eq=False)
class LIF(_Group):
    """Leaky integrate-and-fire neurons: `tau_m dv/dt = -(v - v_rest) + bias`, plus what arrives.

    An arrival moves `v` by the weight of its synapse: at once, or, where `tau_syn_ex` or
    `tau_syn_in` is above 0, as a current that decays exponentially with that time constant
    and carries the same charge. A smaller time constant makes it sharper, not weaker.

    Each argument is a number for all neurons, an array with one value per neuron, or a
    `Distribution`.

    Parameters
    ----------
    tau_m : Parameter, default=20.0
        Membrane time constant in ms, greater than 0.
    v_rest : Parameter, default=0.0
        Resting potential in mV, below `v_threshold`.
    v_reset : Parameter, default=0.0
        Potential after a spike in mV, below `v_threshold`.
    v_threshold : Parameter, default=15.0
        Threshold in mV.
    t_ref : Parameter, default=2.0
        Refractory period in ms, at least 0.
    bias : Parameter, default=0.0
        Constant drive in mV; above `v_threshold - v_rest` a neuron fires by itself.
    tau_syn_ex, tau_syn_in : Parameter, default=0.0
        Time constants in ms of the synaptic currents of positive and of negative weights, at
        least 0; 0 means delta synapses.

    Raises
    ------
    ParameterError
        If a value is not finite or out of range.
    ShapeError
        If an array has not one dimension.

    Examples
    --------
    >>> LIF(tau_m=Gamma(mean=20.0, shape=3.0)).homogeneous().tau_m
    Constant(value=20.0)
    """

    tau_m: Parameter = 20.0
    v_rest: Parameter = 0.0
    v_reset: Parameter = 0.0
    v_threshold: Parameter = 15.0
    t_ref: Parameter = 2.0
    bias: Parameter = 0.0
    tau_syn_ex: Parameter = 0.0
    tau_syn_in: Parameter = 0.0

    def __post_init__(self) -> None:
        self._check_parameters(_LIF_RANGES, "neuron")
        values = {name: getattr(self, name) for name in _LIF_RANGES}
        if all(isinstance(value, float) for value in values.values()):
            _check_thresholds({name: np.array([value]) for name, value in values.items()})

    def homogeneous(self) -> LIF:
        """Return the same with each parameter replaced by the constant of its mean.

        Returns
        -------
        LIF
            Parameters that are numbers stay as they are.

        Examples
        --------
        >>> LIF(t_ref=[1.0, 3.0]).homogeneous().t_ref
        Constant(value=2.0)
        """
        return replace(self, **_homogeneous(self, _LIF_RANGES))


@dataclass(frozen=True, eq=False)
class STDP(_Group):
    """Spike-timing-dependent plasticity, each synapse with constants of its own.

    The first four arguments are each a number for all plastic synapses, an array with
    one value per synapse, or a `Distribution`.

    Parameters
    ----------
    a_plus : Parameter, default=0.01
        Amplitude of potentiation in mV, at least 0.
    a_minus : Parameter, default=0.012
        Amplitude of depression in mV, at least 0; it is subtracted. Alone it makes depression over
        potentiation 2.7: a recurrent network learns more with 0.0066 (1.5), as
        `network.default_plasticity` has it.
    tau_plus : Parameter, default=15.0
        Time constant of the pre-synaptic trace in ms, greater than 0.
    tau_minus : Parameter, default=34.0
        Time constant of the post-synaptic trace in ms, greater than 0.
    w_min : float, default=0.0
        Lower bound of plastic weights in mV.
    w_max : float, default=None
        Upper bound in mV; `None` means 3 times the mean initial plastic weight, or the
        largest if that is more. The bounds must not lie on two sides of 0: a synapse keeps
        its sign.
    mu_plus, mu_minus : float, default=0.0
        Exponents of the soft bounds, at least 0; 0 is additive.
    pairing : {"all_to_all", "nearest"}, default="all_to_all"
        Whether traces add up or restart at each spike.
    inputs : bool, default=False
        Whether synapses from inputs to excitatory neurons learn too.
    half_precision : bool, default=False
        Whether the four constants are kept in 16 bits each, rounded to 1 part in 2,000: a
        quarter less memory, and faster where memory is the limit.

    Raises
    ------
    ParameterError
        If a value is not finite or out of range.
    ShapeError
        If an array has not one dimension.

    Examples
    --------
    >>> STDP(a_plus=Gamma(mean=0.01, shape=3.0), w_max=2.0).homogeneous().a_plus
    Constant(value=0.01)
    """

    a_plus: Parameter = 0.01
    a_minus: Parameter = 0.012
    tau_plus: Parameter = 15.0
    tau_minus: Parameter = 34.0
    w_min: float = 0.0
    w_max: float | None = None
    mu_plus: float = 0.0
    mu_minus: float = 0.0
    pairing: str = "all_to_all"
    inputs: bool = False
    half_precision: bool = False

    def __post_init__(self) -> None:
        self._check_parameters(_STDP_RANGES, "synapse")
        self._set("w_min", check_number("w_min", self.w_min))
        if self.w_max is not None:
            self._set("w_max", check_number("w_max", self.w_max))
            if not self.w_min < self.w_max:
                raise ParameterError(
                    f"w_max must be greater than w_min ({self.w_min!r} mV); got {self.w_max!r}."
                )
            if self.w_min < 0.0 < self.w_max:
                raise ParameterError(
                    "w_min and w_max must not lie on two sides of 0 mV;"
                    f" got {self.w_min!r} and {self.w_max!r}."
                )
        for name in ("mu_plus", "mu_minus"):
            self._set(name, check_number(name, getattr(self, name), *NOT_NEGATIVE))
        check_choice("pairing", self.pairing, PAIRINGS)
        for name in ("inputs", "half_precision"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise ParameterError(f"{name} must be True or False; got {getattr(self, name)!r}.")
            self._set(name, bool(getattr(self, name)))

    def homogeneous(self) -> STDP:
        """Return the same with each parameter replaced by the constant of its mean.

        Returns
        -------
        STDP
            Parameters that are numbers stay as they are.

        Examples
        --------
        >>> STDP(tau_plus=Uniform(10.0, 20.0)).homogeneous().tau_plus
        Constant(value=15.0)
        """
        return replace(self, **_homogeneous(self, _STDP_RANGES))


@dataclass(frozen=True, eq=False)
class AdaptiveThreshold(_Group):
    """A threshold that rises with each spike of its neuron while training.

    The decay is applied at the end of each training sample, for its whole duration.

    Parameters
    ----------
    theta_plus : float, default=0.05
        Rise per spike in mV, at least 0.
    tau_theta : float, default=1e7
        Time constant of the decay in ms, greater than 0.

    Raises
    ------
    ParameterError
        If a value is not finite or out of range.

    Examples
    --------
    >>> AdaptiveThreshold(theta_plus=0.1)
    AdaptiveThreshold(theta_plus=0.1, tau_theta=10000000.0)
    """

    theta_plus: float = 0.05
    tau_theta: float = 1e7

    def __post_init__(self) -> None:
        self._set("theta_plus", check_number("theta_plus", self.theta_plus, *_MV))
        self._set("tau_theta", check_number("tau_theta", self.tau_theta, *_TIME_CONSTANT))


_TIME_CONSTANT: Range = ("greater than 0 ms", lambda value: value > 0.0)
_TIME: Range = ("at least 0 ms", lambda value: value >= 0.0)
_MV: Range = ("at least 0 mV", lambda value: value >= 0.0)
_FINITE: Range = ("a finite number of mV", np.isfinite)
_LIF_RANGES: dict[str, Range] = {
    "tau_m": _TIME_CONSTANT,
    "v_rest": _FINITE,
    "v_reset": _FINITE,
    "v_threshold": _FINITE,
    "t_ref": _TIME,
    "bias": _FINITE,
    "tau_syn_ex": _TIME,
    "tau_syn_in": _TIME,
}
_STDP_RANGES: dict[str, Range] = {
    "a_plus": _MV,
    "a_minus": _MV,
    "tau_plus": _TIME_CONSTANT,
    "tau_minus": _TIME_CONSTANT,
}

#: How spikes pair: traces add up, or restart at 1.
PAIRINGS = ("all_to_all", "nearest")


def resolve_lif(lif: LIF, n: int, seed: int, purpose: str) -> dict[str, FloatArray]:
    """Draw and check the parameters of `n` neurons.

    Parameters
    ----------
    lif : LIF
        Not changed.
    n : int
        Number of neurons.
    seed : int
        In [0, 2**64).
    purpose : str
        First part of the streams' purposes; the second is the parameter's name.

    Returns
    -------
    dict of str to float64 array of shape (n,)
        `tau_m`, `t_ref`, `tau_syn_ex` and `tau_syn_in` in ms; `v_rest`, `v_reset`,
        `v_threshold` and `bias` in mV.

    Raises
    ------
    ParameterError
        If a value is out of range, or a neuron rests or resets at or above its threshold.
    ShapeError
        If an array has not length `n`.

    Examples
    --------
    >>> resolve_lif(LIF(tau_m=[10.0, 30.0]), 2, seed=7, purpose="neuron")["tau_m"]
    array([10., 30.])
    """
    offsets = np.arange(check_integer("n", n, high=2**32 - 1) + 1, dtype=np.int64)
    values = _resolve_group(lif, _LIF_RANGES, offsets, seed, purpose, "neuron")
    _check_thresholds(values)
    return values


def resolve_stdp(stdp: STDP, offsets: ArrayLike, seed: int, purpose: str) -> dict[str, FloatArray]:
    """Draw and check the constants of each plastic synapse.

    Parameters
    ----------
    stdp : STDP
        Not changed.
    offsets : int array of shape (n_rows + 1,)
        Where each row's synapses begin, as in a CSR `indptr`.
    seed : int
        In [0, 2**64).
    purpose : str
        First part of the streams' purposes; the second is the parameter's name.

    Returns
    -------
    dict of str to float64 array of shape (offsets[-1],)
        `a_plus` and `a_minus` in mV; `tau_plus` and `tau_minus` in ms.

    Raises
    ------
    ParameterError
        If a value is out of range.
    ShapeError
        If an array has not one value per synapse.

    Examples
    --------
    >>> resolve_stdp(STDP(a_plus=0.02), [0, 1, 3], seed=7, purpose="stdp")["a_plus"]
    array([0.02, 0.02, 0.02])
    """
    return _resolve_group(stdp, _STDP_RANGES, check_offsets(offsets), seed, purpose, "synapse")


def _resolve_group(
    group: _Group,
    ranges: Mapping[str, Range],
    offsets: ArrayLike,
    seed: int,
    purpose: str,
    at: str,
) -> dict[str, FloatArray]:
    values = {}
    for name, (expected, allowed) in ranges.items():
        parameter = getattr(group, name)
        drawn = resolve(parameter, name, offsets, seed, purpose=f"{purpose}/{name}", at=at)
        if isinstance(parameter, Distribution):
            check_array(name, drawn, expected, allowed, at=at)
        values[name] = drawn
    return values


def _check_thresholds(values: Mapping[str, FloatArray]) -> None:
    threshold = values["v_threshold"]
    for name in ("v_reset", "v_rest"):
        wrong = np.flatnonzero(values[name] >= threshold)
        if wrong.size:
            i = int(wrong[0])
            raise ParameterError(
                f"{name} must be less than v_threshold ({float(threshold[i])!r} mV);"
                f" got {float(values[name][i])!r} at neuron {i}."
            )


def _homogeneous(group: _Group, ranges: Mapping[str, Range]) -> dict[str, Any]:
    return {name: constant_of_same_mean(getattr(group, name)) for name in ranges}


def _names(group: object) -> list[str]:
    return [field.name for field in fields(cast("Any", group))]


def _same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and np.array_equal(cast("Any", a), cast("Any", b))
    return a == b
