"""The network: how it is made.

Lives here: the one class that users hold, its constructors and its variants. Not here: drawing
(`assembly`), what it holds (`state`), what it does (`running`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from hrsnn_rs.arguments import as_array, check_choice, check_number, check_truth
from hrsnn_rs.description.connectivity import Connectivity, RandomConnectivity
from hrsnn_rs.description.explicit_connectivity import ExplicitConnectivity
from hrsnn_rs.description.heterogeneity import check_parameter
from hrsnn_rs.description.parameters import LIF, STDP, AdaptiveThreshold
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.network.assembly import (
    INPUT_DELAY,
    RECURRENT_DELAY,
    Synapses,
    assemble,
    check_fraction,
    check_sizes,
    choose_inhibitory,
)
from hrsnn_rs.network.memory import give_back, network_bytes, projected
from hrsnn_rs.network.running import RunningNetwork
from hrsnn_rs.network.wiring import homogeneous, wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike
    from scipy.sparse import csr_array

    from hrsnn_rs.description.competition import Competition
    from hrsnn_rs.description.heterogeneity import Parameter
    from hrsnn_rs.description.populations import Population, Projection

__all__ = ["VARIANTS", "Network"]

_DEFAULT_INPUTS = RandomConnectivity(p=0.1)

#: Variants by name: whether neurons, and whether synapses, differ from each other.
VARIANTS = {
    "HoNHoS": (False, False),
    "HeNHoS": (True, False),
    "HoNHeS": (False, True),
    "HeNHeS": (True, True),
}


class Network(RunningNetwork):
    """A recurrent network of leaky integrate-and-fire neurons that learns by STDP.

    Parameters
    ----------
    n_inputs, n_neurons : int
        Numbers of input channels and neurons.
    neuron : LIF, default=LIF()
        Parameters of the neurons; each a number, an array of shape (n_neurons,) or a law.
    inhibitory_neuron : LIF, default=None
        Parameters of the inhibitory neurons, where they differ.
    inputs : Connectivity, default=RandomConnectivity(p=0.1)
        Who receives which channel.
    recurrent : Connectivity, default=None
        Who receives whom; `None`: no recurrence.
    plasticity : STDP, default=None
        How synapses between excitatory neurons learn; `None`: nothing does.
    inhibitory_fraction : float, default=0.2
        Share of the neurons whose synapses are negative.
    normalize_weights, normalize_inputs : bool, default=False
        Whether to scale each neuron's plastic recurrent weights, or its plastic input weights,
        back to their initial norm at the end of each training sample.
    norm : {"l1", "l2"}, default="l1"
        The sum of the weights, or the root of the sum of their squares.
    adaptive_threshold : AdaptiveThreshold, default=None
        Whether thresholds rise with own spikes while training.
    competition : Competition, default=None
        Groups of neurons of which only one spikes at a time.
    seed : int, default=0
        Everything drawn is a function of this number. Graph, weights, neurons and plasticity
        have streams of their own: changing one leaves the others as they were.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the state.

    Raises
    ------
    ParameterError, ShapeError
        If an argument is not what it should be; the message names it, the index and the value.

    See Also
    --------
    Network.from_arrays : a network whose every synapse is given.

    Examples
    --------
    >>> import hrsnn_rs as hr
    >>> network = hr.Network(
    ...     n_inputs=10,
    ...     n_neurons=50,
    ...     neuron=hr.LIF(tau_m=hr.Gamma(mean=20.0, shape=3.0)),
    ...     inputs=hr.RandomConnectivity(p=0.5, weight=6.0),
    ...     recurrent=hr.RandomConnectivity(p=0.1), seed=7)
    >>> network
    Network(n_inputs=10, n_neurons=50, n_synapses=..., dtype='float32')
    """

    @give_back
    def __init__(
        self,
        n_inputs: int,
        n_neurons: int,
        *,
        neuron: LIF | None = None,
        inhibitory_neuron: LIF | None = None,
        inputs: Connectivity | None = None,
        recurrent: Connectivity | None = None,
        plasticity: STDP | None = None,
        inhibitory_fraction: float = 0.2,
        normalize_weights: bool = False,
        normalize_inputs: bool = False,
        norm: Literal["l1", "l2"] = "l1",
        adaptive_threshold: AdaptiveThreshold | None = None,
        competition: Competition | None = None,
        seed: int = 0,
        dtype: Literal["float32", "float64"] = "float32",
    ) -> None:
        n_inputs, n_neurons, seed = check_sizes(n_inputs, n_neurons, seed)
        of_synapses: dict[str, Any] = {
            "inputs": inputs,
            "recurrent": recurrent,
            "plasticity": plasticity,
            "inhibitory_fraction": inhibitory_fraction,
        }
        n_bytes = self.estimate_memory(n_inputs, n_neurons, dtype=dtype, **of_synapses)
        check_memory("network", n_bytes)
        arguments: dict[str, Any] = {
            "n_inputs": n_inputs,
            "n_neurons": n_neurons,
            "neuron": LIF() if neuron is None else neuron,
            "inhibitory_neuron": inhibitory_neuron,
            "inputs": _DEFAULT_INPUTS if inputs is None else inputs,
            "recurrent": recurrent,
            "plasticity": plasticity,
            "plastic": None,
            "inhibitory": choose_inhibitory(n_neurons, inhibitory_fraction, seed),
            "normalize_weights": normalize_weights,
            "normalize_inputs": normalize_inputs,
            "norm": norm,
            "adaptive_threshold": adaptive_threshold,
            "competition": competition,
            "seed": seed,
            "dtype": dtype,
        }
        self._set_up(assemble(**arguments), 1.0, arguments)

    @staticmethod
    def estimate_memory(
        n_inputs: int,
        n_neurons: int,
        *,
        inputs: Connectivity | None = None,
        recurrent: Connectivity | None = None,
        plasticity: STDP | None = None,
        inhibitory_fraction: float = 0.2,
        dtype: Literal["float32", "float64"] = "float32",
        at_rest: bool = False,
    ) -> int:
        """Estimate the memory that making such a network takes, without making it.

        Parameters
        ----------
        n_inputs, n_neurons, inputs, recurrent, plasticity, inhibitory_fraction, dtype
            As in `Network`.
        at_rest : bool, default=False
            Whether to tell what it takes once made: in float32 30 bytes for each synapse that
            learns, 22 with half precision, and 6 for each that does not; 2 more where a part of
            the network, on which one thread works, has more than 65,536 neurons; and 16 or 8 for
            each delay of each source, or 4 where they do not learn and all have one delay.

        Returns
        -------
        int
            Bytes, at the peak or at rest.

        Raises
        ------
        ParameterError
            If an argument is of the wrong kind.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> dense = hr.RandomConnectivity(p=1.0)
        >>> hr.Network.estimate_memory(100, 100_000, recurrent=dense) / 1e9 > 100
        True
        """
        n_inputs, n_neurons, _ = check_sizes(n_inputs, n_neurons, 0)
        if not isinstance(dtype, str) or dtype not in ("float32", "float64"):
            raise ParameterError(f"dtype must be 'float32' or 'float64'; got {dtype!r}.")
        at_rest = check_truth("at_rest", at_rest)
        excitatory = 1.0 - check_fraction(inhibitory_fraction)
        if plasticity is not None and not isinstance(plasticity, STDP):
            raise ParameterError(f"plasticity must be a STDP or None; got {plasticity!r}.")
        rules = {
            "inputs": (_DEFAULT_INPUTS if inputs is None else inputs, n_inputs),
            "recurrent": (recurrent, n_neurons),
        }
        for name, (rule, _) in rules.items():
            if rule is not None and not isinstance(rule, Connectivity):
                raise ParameterError(f"{name} must be a Connectivity or None; got {rule!r}.")
        projections = projected(n_neurons, rules, plasticity, excitatory)
        return network_bytes(n_inputs, n_neurons, projections, dtype, at_rest=at_rest)

    @classmethod
    @give_back
    def from_arrays(
        cls,
        inputs: csr_array,
        recurrent: csr_array,
        *,
        input_delay: float | ArrayLike = INPUT_DELAY,
        recurrent_delay: float | ArrayLike = RECURRENT_DELAY,
        neuron: LIF | None = None,
        plasticity: STDP | None = None,
        plastic: ArrayLike | None = None,
        normalize_weights: bool = False,
        norm: Literal["l1", "l2"] = "l1",
        adaptive_threshold: AdaptiveThreshold | None = None,
        competition: Competition | None = None,
        seed: int = 0,
        dtype: Literal["float32", "float64"] = "float64",
    ) -> Self:
        """Make a network whose every synapse is given.

        Parameters
        ----------
        inputs : csr_array of shape (n_inputs, n_neurons)
            Row = channel, data = weight in mV.
        recurrent : csr_array of shape (n_neurons, n_neurons)
            Row = source, data = weight in mV. No pair may be stored twice.
        input_delay, recurrent_delay : float or array aligned with `.data`, default=0.0, 1.0
            ms; recurrent delays are at least 0.001.
        neuron : LIF, default=LIF()
            Each parameter a number, an array of shape (n_neurons,) or a law.
        plasticity : STDP, default=None
            The four constants may be arrays aligned with `recurrent.data`.
        plastic : bool array aligned with `recurrent.data`, default=None
            Which synapses learn; `None`: those with a positive weight.
        normalize_weights, norm, adaptive_threshold, competition, seed, dtype
            As in `Network`; `seed` matters only where something is a law.

        Returns
        -------
        Network

        Raises
        ------
        ParameterError, ShapeError
            As in `Network`.

        Examples
        --------
        >>> import numpy as np, scipy.sparse as sp
        >>> import hrsnn_rs as hr
        >>> network = hr.Network.from_arrays(
        ...     inputs=sp.csr_array(np.array([[20.0, 0.0]])),
        ...     recurrent=sp.csr_array(np.array([[0.0, 20.0], [0.0, 0.0]])),
        ... )
        >>> network.run(hr.Events([1000], [0], n_channels=1, duration=10_000)).spikes.rows()
        [(1000, 0), (2000, 1)]
        """
        from_inputs = _explicit("inputs", inputs, "input_delay", input_delay)
        between = _explicit("recurrent", recurrent, "recurrent_delay", recurrent_delay)
        if from_inputs.shape[1] != between.shape[0]:
            raise ParameterError(
                f"inputs must have as many columns as there are neurons ({between.shape[0]});"
                f" got {from_inputs.shape[1]}."
            )
        n_inputs, n_neurons, seed = check_sizes(from_inputs.shape[0], between.shape[0], seed)
        given = recurrent.tocsr()
        if plastic is not None:
            # An array of the caller's may change, and a variant is made of what it was.
            plastic = as_array("plastic", plastic).copy()
        elif plasticity is not None:
            plastic = np.asarray(given.data) > 0.0
        rows = np.repeat(np.arange(n_neurons), np.diff(given.indptr))
        inhibitory = np.bincount(rows, weights=given.data < 0.0, minlength=n_neurons).astype(
            np.bool_
        )
        arguments: dict[str, Any] = {
            "n_inputs": n_inputs,
            "n_neurons": n_neurons,
            "neuron": LIF() if neuron is None else neuron,
            "inhibitory_neuron": None,
            "inputs": from_inputs,
            "recurrent": between,
            "plasticity": plasticity,
            "plastic": plastic,
            "inhibitory": inhibitory,
            "normalize_weights": normalize_weights,
            "normalize_inputs": False,
            "norm": norm,
            "adaptive_threshold": adaptive_threshold,
            "competition": competition,
            "seed": seed,
            "dtype": dtype,
        }
        return cls._made_of(assemble(**arguments), 1.0, arguments)

    @classmethod
    @give_back
    def from_populations(
        cls,
        populations: Sequence[Population],
        projections: Sequence[Projection],
        *,
        inputs: int | Mapping[str, int],
        normalize_weights: bool = False,
        adaptive_threshold: AdaptiveThreshold | None = None,
        seed: int = 0,
        dtype: Literal["float32", "float64"] = "float32",
    ) -> Self:
        """Make a network of named populations and the projections between them.

        Neurons are numbered in the order of the populations, and channels in that of `inputs`:
        see `populations` and `channels`. What is drawn for a population or a projection depends
        on the seed and its names alone, so others may come and go.

        Several projections between the same two add up: the network has the synapses of all. A
        pair of neurons that more than one of them reaches has one synapse, of the sum of their
        weights; this needs equal delays, equal signs and synapses that do not learn, and anything
        else is refused.

        Parameters
        ----------
        populations : sequence of Population
            With names of their own.
        projections : sequence of Projection
            Between them, and from inputs. Each has its own plasticity or none; those from inputs
            share `w_min`, `w_max`, `mu_plus`, `mu_minus`, `pairing` and `half_precision`, and so
            do those between neurons.
        inputs : int or mapping of str to int
            Number of input channels by name; a number alone has the name "inputs".
        normalize_weights, adaptive_threshold, seed, dtype
            As in `Network`.

        Returns
        -------
        Network

        Raises
        ------
        ParameterError, ShapeError
            If an argument is not what it should be; the message names the population or the
            projection, the index and the value.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network.from_populations(
        ...     [hr.Population("E", 80), hr.Population("I", 20, inhibitory=True)],
        ...     [
        ...         hr.Projection("inputs", "E", hr.RandomConnectivity(p=0.5, weight=20.0)),
        ...         hr.Projection("E", ["E", "I"], hr.FixedInDegreeConnectivity(k=8, weight=2.0)),
        ...         hr.Projection("I", "E", hr.FixedInDegreeConnectivity(k=4, weight=2.0)),
        ...     ],
        ...     inputs=10,
        ... )
        >>> network.populations
        {'E': range(0, 80), 'I': range(80, 100)}
        >>> result = network.run(([100, 5000], [0, 1]))
        >>> result.of("I").height < result.of("E").height
        True
        """
        arguments: dict[str, Any] = {
            "populations": populations,
            "projections": projections,
            "inputs": inputs,
            "normalize_weights": normalize_weights,
            "adaptive_threshold": adaptive_threshold,
            "seed": seed,
            "dtype": dtype,
        }
        assembly = wire(**arguments)
        # Lists of the caller's may change.
        arguments.update(populations=[*populations], projections=[*projections])
        arguments["inputs"] = dict(assembly.channels)
        return cls._made_of(assembly, 1.0, arguments)

    def variant(self, name: str, *, tau_m: float | None = None) -> Network:
        """Make one of the four variants: same graph, seeds and initial weights.

        Parameters
        ----------
        name : {"HoNHoS", "HeNHoS", "HoNHeS", "HeNHeS"}
            Homogeneous or heterogeneous Neurons and Synapses. Homogeneous: every parameter
            is the constant of the same mean.
        tau_m : float, default=None
            Membrane time constant in ms of homogeneous neurons, in place of the mean: one that
            was chosen, as the best of a sweep, makes a harder control.

        Returns
        -------
        Network
            New, not calibrated or trained. `HeNHeS` is the network as it was made.

        Raises
        ------
        ParameterError
            If the name is unknown, `tau_m` is not greater than 0 or given for heterogeneous
            neurons, or this network does not know its laws: it came from a file or from
            `without_recurrence`.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(4, 10, neuron=hr.LIF(tau_m=hr.Gamma(mean=20.0, shape=3.0)))
        >>> network.variant("HoNHoS").neuron_parameters["tau_m"][:2]
        array([20., 20.])
        >>> network.variant("HoNHoS", tau_m=80.0).neuron_parameters["tau_m"][:2]
        array([80., 80.])
        """
        check_choice("name", name, VARIANTS)
        if self._arguments is None:
            raise ParameterError(
                "variant needs the laws of a network, which neither a file nor what"
                " without_recurrence() gives holds; take the variant of the network as it was made."
            )
        neurons, synapses = VARIANTS[name]
        chosen = {} if tau_m is None else {"tau_m": check_number("tau_m", tau_m)}
        if chosen and neurons:
            raise ParameterError(f"tau_m must be None for {name}, whose neurons differ.")
        arguments = dict(self._arguments)
        if "populations" in arguments:
            words = homogeneous(arguments, neurons=not neurons, synapses=not synapses, **chosen)
            return self._made_of(wire(**words), 1.0, words)
        for key in [] if neurons else ["neuron", "inhibitory_neuron"]:
            if arguments[key] is not None:
                arguments[key] = replace(arguments[key].homogeneous(), **chosen)
        if not synapses and arguments["plasticity"] is not None:
            arguments["plasticity"] = arguments["plasticity"].homogeneous()
        made = self._made_of(assemble(**arguments), 1.0, arguments)
        return made._named(self._populations, self._channels)

    def without_recurrence(self) -> Network:
        """Make the same network without its recurrent synapses: a control.

        Returns
        -------
        Network
            New, with the input weights of now; inputs and thresholds in it learn if they did.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(4, 10, recurrent=hr.RandomConnectivity(p=0.5))
        >>> network.without_recurrence().recurrent_weights.nnz
        0
        """
        nothing = np.zeros(0)
        indptr = np.zeros(self.n_neurons + 1, dtype=np.int64)
        none = Synapses(indptr, nothing.astype(np.uint32), nothing, np.array([RECURRENT_DELAY]))
        now = replace(self._assembly(), recurrent=none, incoming=nothing)
        return self._made_of(now, self._gain, None)


def _explicit(
    name: str, matrix: csr_array, delay_name: str, delay: Parameter
) -> ExplicitConnectivity:
    """Make a rule of a matrix; faults are told under the names of `from_arrays`."""
    delay = check_parameter(delay_name, delay, "at least 0 ms", lambda ms: ms >= 0.0, at="synapse")
    try:
        return ExplicitConnectivity(matrix, delay)
    except (ParameterError, ShapeError) as error:
        at_fault = delay_name if str(error).startswith("delay") else name
        raise type(error)(f"{at_fault}: {error}") from None
