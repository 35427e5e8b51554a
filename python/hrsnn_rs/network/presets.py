"""The network that is taken when none is given: the recipe in one place.

Small local receptive fields with some negative synapses, local recurrence with strong
inhibition and long delays, slow heterogeneous membranes, STDP drawn per synapse. Nothing here
looks at data; the input gain is set by `Network.calibrate`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from hrsnn_rs.description.connectivity import FixedInDegreeConnectivity
from hrsnn_rs.description.distributions import Gamma, Uniform
from hrsnn_rs.description.local_connectivity import LocalConnectivity, LocalRecurrence
from hrsnn_rs.description.parameters import LIF, STDP
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.network.network import Network

if TYPE_CHECKING:
    from hrsnn_rs.description.heterogeneity import Parameter

SENSOR = (32, 32)
"""Height and width to which sensor events are reduced."""

_THRESHOLD = 15.0


def default_plasticity() -> STDP:
    """Give the STDP of the recipe: excitatory to excitatory, four laws per synapse.

    Returns
    -------
    STDP
        Gamma laws of shape 3 for both amplitudes (mV) and both time constants (ms).

    Examples
    --------
    >>> from hrsnn_rs.network import default_plasticity
    >>> default_plasticity().tau_plus.mean
    15.0
    """
    return STDP(
        a_plus=Gamma(mean=0.01, shape=3.0),
        a_minus=Gamma(mean=0.012, shape=3.0),
        tau_plus=Gamma(mean=15.0, shape=3.0),
        tau_minus=Gamma(mean=34.0, shape=3.0),
    )


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


def default_network(
    n_inputs: int = 2 * SENSOR[0] * SENSOR[1],
    *,
    sensor: tuple[int, int] | None = SENSOR,
    n_neurons: int = 1000,
    seed: int = 0,
    neuron: LIF | None = None,
    tau_m: Parameter | None = None,
    w_recurrent: float = 0.05,
    recurrent_delay: Parameter | None = None,
    plasticity: STDP | None = None,
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
    w_recurrent : float, default=0.05
        Recurrent excitatory weight as a share of the threshold; inhibition is 4 times that.
    recurrent_delay : Parameter, default=None
        Delays of recurrent synapses in ms. `None` means one for each neuron's axon, uniform from
        1 to 200 ms, which gives the network a memory beyond that of its membranes.
    plasticity : STDP, default=None
        Rule of the synapses. `None` means `default_plasticity()`.
    dtype : {"float32", "float64"}, default="float32"
        Precision of state and weights.

    Returns
    -------
    Network
        With all parameters drawn. Call `calibrate` before use.

    Raises
    ------
    ParameterError
        If a number is too small, or `n_inputs` is not a multiple of the sensor's pixels.

    Examples
    --------
    >>> from hrsnn_rs.network import default_network
    >>> network = default_network(n_inputs=128, sensor=(8, 8), n_neurons=50, seed=1)
    >>> network.n_inputs, network.n_neurons
    (128, 50)
    """
    if n_neurons < 2:
        raise ParameterError(f"n_neurons must be at least 2; got {n_neurons}.")
    if n_inputs < 1:
        raise ParameterError(f"n_inputs must be at least 1; got {n_inputs}.")
    neuron = default_neuron() if neuron is None else neuron
    inputs: LocalConnectivity | FixedInDegreeConnectivity
    weight = Gamma(mean=1.0, shape=3.0)
    if sensor is None:
        inputs = FixedInDegreeConnectivity(k=min(30, n_inputs), weight=weight)
    else:
        pixels = sensor[0] * sensor[1]
        if pixels < 1 or n_inputs % pixels:
            raise ParameterError(
                f"n_inputs must be a multiple of the sensor's pixels, {pixels}; got {n_inputs}."
            )
        inputs = LocalConnectivity(
            sensor=sensor,
            polarities=n_inputs // pixels,
            k=min(30, n_inputs),
            sigma=1.5,
            negative=0.15,
            weight=weight,
        )
    recurrent = LocalRecurrence(
        sensor=SENSOR if sensor is None else sensor,
        k=min(40, n_neurons - 1),
        sigma=6.0,
        weight=w_recurrent * _THRESHOLD,
        delay=recurrent_delay,
        inhibitory_gain=4.0,
    )
    if recurrent_delay is None:
        of_neuron = Uniform(1.0, 200.0).sample_each(n_neurons, seed, "axon")
        indptr, _ = recurrent.generate(n_neurons, n_neurons, seed, "recurrent", recurrent=True)
        recurrent = replace(recurrent, delay=np.repeat(of_neuron, np.diff(indptr)))
    return Network(
        n_inputs=n_inputs,
        n_neurons=n_neurons,
        neuron=neuron if tau_m is None else replace(neuron, tau_m=tau_m),
        inputs=inputs,
        recurrent=recurrent,
        plasticity=default_plasticity() if plasticity is None else plasticity,
        inhibitory_fraction=0.2,
        seed=seed,
        dtype=dtype,
    )
