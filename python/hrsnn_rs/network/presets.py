"""The network that is taken when none is given: the recipe in one place.

Small local receptive fields with some negative synapses, local recurrence with strong
inhibition and long delays, slow heterogeneous membranes, STDP drawn per synapse. Nothing here
looks at data; the input gain is set by `Network.calibrate`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hrsnn_rs.arguments import NOT_NEGATIVE, check_integer, check_number, check_sides
from hrsnn_rs.description.connectivity import Connectivity, FixedInDegreeConnectivity
from hrsnn_rs.description.distributions import Gamma, Uniform
from hrsnn_rs.description.heterogeneity import check_parameter
from hrsnn_rs.description.law import Distribution
from hrsnn_rs.description.local_connectivity import LocalConnectivity, LocalRecurrence
from hrsnn_rs.description.parameters import LIF, STDP
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.network.network import Network

if TYPE_CHECKING:
    from hrsnn_rs.description.heterogeneity import Parameter

SENSOR = (32, 32)
"""Height and width to which sensor events are reduced."""

W_RECURRENT = 0.05
"""Recurrent excitatory weight of the recipe as a share of the threshold."""

AXON_DELAY = Uniform(1.0, 200.0)
"""Law of the recipe's delays of axons in ms."""

_THRESHOLD = 15.0


def default_plasticity() -> STDP:
    """Give the STDP of the recipe: excitatory to excitatory, four laws per synapse.

    Returns
    -------
    STDP
        Gamma laws of shape 3 for both amplitudes (mV) and both time constants (ms). Depression
        over potentiation, `a_minus tau_minus / (a_plus tau_plus)` of the means, is 1.5: in the
        middle of the range in which a rule for each synapse keeps a network's rate and memory.

    Examples
    --------
    >>> from hrsnn_rs.network import default_plasticity
    >>> rule = default_plasticity()
    >>> balance = rule.a_minus.mean * rule.tau_minus.mean / (rule.a_plus.mean * rule.tau_plus.mean)
    >>> round(balance, 2)
    1.5
    """
    return STDP(
        a_plus=Gamma(mean=0.01, shape=3.0),
        a_minus=Gamma(mean=0.0066, shape=3.0),
        tau_plus=Gamma(mean=15.0, shape=3.0),
        tau_minus=Gamma(mean=34.0, shape=3.0),
    )


def default_rule() -> STDP:
    """Give the STDP of the recipe where all synapses are to have one rule.

    Returns
    -------
    STDP
        Constants: those of `default_plasticity`, but for depression over potentiation, which is
        1.08. One rule keeps a network's rate and memory from 0.95 to 1.23, with 1.5 it forgets.

    Examples
    --------
    >>> from hrsnn_rs.network import default_rule
    >>> rule = default_rule()
    >>> down, up = rule.a_minus * rule.tau_minus.value, rule.a_plus.value * rule.tau_plus.value
    >>> round(down / up, 2)
    1.08
    """
    return replace(default_plasticity().homogeneous(), a_minus=0.00476)


def default_neuron() -> LIF:
    """Give the neurons of the recipe.

    Returns
    -------
    LIF
        tau_m Gamma with mean 80 ms and shape 3, v_threshold 15 mV.

    Examples
    --------
    >>> from hrsnn_rs.network import default_neuron
    >>> default_neuron().tau_m.mean
    80.0
    """
    return LIF(tau_m=Gamma(mean=80.0, shape=3.0), v_threshold=_THRESHOLD)


def default_inputs() -> LocalConnectivity:
    """Give the receptive fields of the recipe, on whatever plane the inputs have.

    Returns
    -------
    LocalConnectivity
        30 channels a neuron within some 1.5 pixels, 15 % of them negative.

    Examples
    --------
    >>> from hrsnn_rs.network import default_inputs
    >>> default_inputs().k
    30
    """
    return LocalConnectivity(weight=Gamma(mean=1.0, shape=3.0))


def default_recurrent() -> LocalRecurrence:
    """Give the recurrence of the recipe, on whatever plane the inputs have.

    Returns
    -------
    LocalRecurrence
        40 sources a neuron within some 6 pixels, 0.75 mV each, inhibition four times that. Its
        delays are left to `default_network`.

    Examples
    --------
    >>> from hrsnn_rs.network import default_recurrent
    >>> default_recurrent().weight
    0.75
    """
    return LocalRecurrence(weight=W_RECURRENT * _THRESHOLD)


def default_network(
    n_inputs: int = 2 * SENSOR[0] * SENSOR[1],
    *,
    sensor: tuple[int, int] | None = SENSOR,
    n_neurons: int = 1000,
    seed: int = 0,
    neuron: LIF | None = None,
    tau_m: Parameter | None = None,
    w_recurrent: float | None = None,
    recurrent_delay: Parameter | None = None,
    axon_delay: Distribution | None = None,
    plasticity: STDP | None = None,
    inputs: Connectivity | None = None,
    recurrent: Connectivity | None = None,
    dtype: Literal["float32", "float64"] = "float32",
) -> Network:
    """Make the heterogeneous network of the recipe (HeNHeS), not yet calibrated.

    Parameters
    ----------
    n_inputs : int, default=2048
        Input channels: polarities times height times width of `sensor`.
    sensor : tuple of int, default=(32, 32)
        Height and width of the input plane. `None` means inputs without a place: each neuron
        then takes up to 30 of them at random.
    n_neurons : int, default=1000
        Neurons, of which 20 % are inhibitory.
    seed : int, default=0
        Seed of graph, weights and parameters.
    neuron : LIF, default=None
        Parameters of the neurons. `None` means `default_neuron()`.
    tau_m : Parameter, default=None
        Membrane time constants in ms. `None` means those of `neuron`.
    w_recurrent : float, default=None
        Recurrent excitatory weight as a share of the threshold; inhibition is 4 times that. `None`
        means 0.05, or what `recurrent` says.
    recurrent_delay : Parameter, default=None
        Delays of recurrent synapses in ms. `None` means one for each neuron's axon.
    axon_delay : Distribution, default=None
        Law of those delays of axons in ms. `None` means uniform from 1 to 200 ms, which gives the
        network a memory beyond that of its membranes.
    plasticity : STDP, default=None
        Rule of the synapses. `None` means `default_plasticity()`.
    inputs : Connectivity, default=None
        From inputs to neurons. `None` means `default_inputs()`. A `LocalConnectivity` without a
        sensor takes that of the inputs; where these have no places it draws its `k` at random, all
        of positive weight. Its `k` is at most the number of inputs.
    recurrent : Connectivity, default=None
        Between neurons. `None` means `default_recurrent()`. A `LocalRecurrence` without a sensor
        takes that of the inputs, has a `k` below the number of neurons, and where it leaves delays
        open they are `recurrent_delay` or `axon_delay`. Any other rule is taken as it is.
    dtype : {"float32", "float64"}, default="float32"
        Precision of state and weights.

    Returns
    -------
    Network
        With all parameters drawn. Call `calibrate` before use.

    Raises
    ------
    ParameterError
        If a number is none or too small, `n_inputs` is not a multiple of the sensor's pixels, a
        rule is none or cannot be followed, or asks for what these inputs cannot have, `axon_delay`
        is no law, or two arguments say the same.
    OutOfMemoryError
        If there is not enough memory for it; said before anything is drawn.

    Examples
    --------
    >>> from hrsnn_rs.network import default_network
    >>> network = default_network(n_inputs=128, sensor=(8, 8), n_neurons=50, seed=1)
    >>> network.n_inputs, network.n_neurons
    (128, 50)
    """
    n_neurons = check_integer("n_neurons", n_neurons, 2)
    n_inputs = check_integer("n_inputs", n_inputs, 1)
    if sensor is not None:
        height, width = check_sides("sensor", sensor, 2)
        sensor = (height, width)
    neuron = default_neuron() if neuron is None else neuron
    if not isinstance(neuron, LIF):
        raise ParameterError(f"neuron must be a LIF or None; got {neuron!r}.")
    if w_recurrent is not None:
        w_recurrent = check_number("w_recurrent", w_recurrent, *NOT_NEGATIVE)
    if recurrent_delay is not None:
        check_parameter("recurrent_delay", recurrent_delay, "at least 0 ms", NOT_NEGATIVE[1])
    for name, rule in (("inputs", inputs), ("recurrent", recurrent)):
        if rule is not None and not isinstance(rule, Connectivity):
            raise ParameterError(f"{name} must be a Connectivity or None; got {rule!r}.")
    if axon_delay is not None:
        if recurrent_delay is not None:
            raise ParameterError(
                f"axon_delay must be None beside recurrent_delay; got {axon_delay!r}."
            )
        if not isinstance(axon_delay, Distribution):
            raise ParameterError(f"axon_delay must be a Distribution or None; got {axon_delay!r}.")
    rules: dict[str, Any] = {
        "inputs": _on_plane(inputs, n_inputs, sensor),
        "recurrent": _between(
            recurrent, n_neurons, sensor, w_recurrent, recurrent_delay, axon_delay
        ),
        "plasticity": default_plasticity() if plasticity is None else plasticity,
        "inhibitory_fraction": 0.2,
        "dtype": dtype,
    }
    if _is_open(recurrent) and rules["recurrent"].delay is None:
        law = AXON_DELAY if axon_delay is None else axon_delay
        # Before delays are drawn; a law of synapses has as many of them.
        expected = rules | {"recurrent": replace(rules["recurrent"], delay=law)}
        check_memory("network", Network.estimate_memory(n_inputs, n_neurons, **expected))
        rules["recurrent"] = _with_axons(rules["recurrent"], n_neurons, seed, law)
    return Network(
        n_inputs=n_inputs,
        n_neurons=n_neurons,
        neuron=neuron if tau_m is None else replace(neuron, tau_m=tau_m),
        seed=seed,
        **rules,
    )


def _on_plane(
    rule: Connectivity | None, n_inputs: int, sensor: tuple[int, int] | None
) -> Connectivity:
    """Give the rule of inputs on the plane that they have, if they have one."""
    rule = default_inputs() if rule is None else rule
    if not isinstance(rule, LocalConnectivity) or rule.sensor is not None:
        return rule
    k = min(rule.k, n_inputs)
    if sensor is None:
        usual = default_inputs()
        for name in ("polarities", "sigma", "negative"):
            value, left = getattr(rule, name), getattr(usual, name)
            if value != left:
                raise ParameterError(
                    f"inputs.{name} must be left at {left:g} where sensor is None: inputs without "
                    f"places are drawn at random, with positive weights; got {value:g}."
                )
        return FixedInDegreeConnectivity(k=k, weight=rule.weight, delay=rule.delay)
    pixels = sensor[0] * sensor[1]
    if pixels < 1 or n_inputs % pixels:
        raise ParameterError(
            f"n_inputs must be a multiple of the sensor's pixels, {pixels}; got {n_inputs}."
        )
    polarities = n_inputs // pixels
    if rule.polarities not in (polarities, default_inputs().polarities):
        raise ParameterError(
            f"inputs.polarities must be n_inputs over the sensor's pixels, {polarities}; got "
            f"{rule.polarities}."
        )
    return replace(rule, sensor=sensor, polarities=polarities, k=k)


def _is_open(rule: Connectivity | None) -> bool:
    """Say whether a rule of recurrence leaves its plane and its delays to the recipe."""
    if not isinstance(rule, LocalRecurrence):
        return rule is None
    return rule.sensor is None and rule.delay is None


def _between(
    rule: Connectivity | None,
    n_neurons: int,
    sensor: tuple[int, int] | None,
    w_recurrent: float | None,
    delay: Parameter | None,
    axon_delay: Distribution | None,
) -> Connectivity:
    """Give the rule of recurrence on the plane of the inputs; without delays if axons have them."""
    if rule is not None and w_recurrent is not None:
        raise ParameterError(f"w_recurrent must be None beside recurrent; got {w_recurrent!r}.")
    rule = default_recurrent() if rule is None else rule
    is_open = _is_open(rule)
    for name, value in (("recurrent_delay", delay), ("axon_delay", axon_delay)):
        if value is not None and not is_open:
            raise ParameterError(
                f"{name} must be None where recurrent has delays of its own; got {value!r}."
            )
    if not isinstance(rule, LocalRecurrence) or rule.sensor is not None:
        return rule
    return replace(
        rule,
        sensor=SENSOR if sensor is None else sensor,
        k=min(rule.k, n_neurons - 1),
        weight=rule.weight if w_recurrent is None else w_recurrent * _THRESHOLD,
        delay=delay if is_open else rule.delay,
    )


def _with_axons(
    rule: LocalRecurrence, n_neurons: int, seed: int, law: Distribution
) -> LocalRecurrence:
    """Draw a delay for each neuron's axon, which all synapses of the neuron have."""
    of_neuron = law.sample_each(n_neurons, seed, "axon")
    indptr, _ = rule.generate(n_neurons, n_neurons, seed, "recurrent", recurrent=True)
    return replace(rule, delay=np.repeat(of_neuron, np.diff(indptr)))
