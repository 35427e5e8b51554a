"""What a network is between two runs: its state, to read, to copy and to keep in a file.

Lives here: the core and what the core does not hold. Not here: drawing (`assembly`), the
file's content (`model_file`), runs (`running`). Invariant: what is saved, copied or pickled
goes on with the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import as_array, check_array
from hrsnn_rs.description.competition import Competition, resolve_groups
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.network.assembly import RECURRENT_DELAY, Assembly, Synapses
from hrsnn_rs.network.input_gain import InputScaling
from hrsnn_rs.network.summary import ranges, summary

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    import polars as pl
    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

__all__ = ["NetworkState"]


class NetworkState:
    """Neurons, synapses and what they have learned; see `Network`."""

    @classmethod
    def _made_of(cls, assembly: Assembly, gain: float, arguments: dict[str, Any] | None) -> Self:
        network = cls.__new__(cls)
        network._set_up(assembly, gain, arguments)
        return network

    def _set_up(self, assembly: Assembly, gain: float, arguments: dict[str, Any] | None) -> None:
        """Hand everything to the core; keep what it does not."""
        adaptive = assembly.adaptive_threshold
        self._core = _hrsnn.Network(
            assembly.neurons,
            assembly.inputs.to_core(),
            assembly.recurrent.to_core(),
            None if adaptive is None else (adaptive.theta_plus, adaptive.tau_theta),
            assembly.incoming,
            assembly.dtype,
            competition=_to_core(assembly.competition, assembly.inhibitory.size),
            incoming_inputs=assembly.incoming_inputs,
            norms=(assembly.norm, assembly.norm),
        )
        self._gain = gain
        self._arguments = arguments
        self._neurons = assembly.neurons
        self._shared = {
            source: None if p is None else {k: p[k] for k in p if not isinstance(p[k], np.ndarray)}
            for source, p in (
                ("inputs", assembly.inputs.plasticity),
                ("recurrent", assembly.recurrent.plasticity),
            )
        }
        self._adaptive_threshold = adaptive
        self._incoming = assembly.incoming
        self._incoming_inputs = assembly.incoming_inputs
        self._norm = assembly.norm
        self._competition = assembly.competition
        self._n_inputs = assembly.inputs.indptr.size - 1
        self._n_neurons = assembly.recurrent.indptr.size - 1
        self._n_synapses = int(assembly.inputs.indices.size + assembly.recurrent.indices.size)
        self._dtype = assembly.dtype
        self._inhibitory = assembly.inhibitory
        self._populations, self._channels = assembly.populations, assembly.channels

    def copy(self) -> Self:
        """Return an independent network in the same state."""
        return self._made_of(self._assembly(), self._gain, self._arguments)

    def _with_core(self, core: _hrsnn.Network | None) -> Self:
        """Return the same network around another core."""
        twin = self.__new__(type(self))
        twin.__dict__.update(self.__dict__, _core=core)
        return twin

    def _named(self, populations: dict[str, int], channels: dict[str, int]) -> Self:
        """Return the same network whose neurons and input channels have names: numbers by name."""
        twin = self._with_core(self._core)
        twin._populations, twin._channels = populations, channels
        return twin

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        extra: Mapping[str, NDArray[Any]] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the whole state to a safetensors file: all of it or, on an error, nothing.

        Parameters
        ----------
        path : str or path
            A file that stands there is replaced.
        extra : mapping of str to ndarray, default=None
            Further arrays to keep beside the network, such as a readout's.
        metadata : mapping, default=None
            Further content that JSON can hold.

        Raises
        ------
        OSError
            If the system refuses.
        ParameterError
            If `extra` or `metadata` hold what the file cannot.
        """
        from hrsnn_rs.network.model_file import write_model

        write_model(path, self._assembly(), self._gain, extra, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a network; it goes on with the same bits as the one that was saved.

        Parameters
        ----------
        path : str or path
            Written by `save`.

        Returns
        -------
        Network

        Raises
        ------
        FormatError
            If the file is damaged, or something else.
        OSError
            If it cannot be read.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(4, 10, seed=3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "net.safetensors"
        ...     network.save(path)
        ...     hr.Network.load(path).n_synapses == network.n_synapses
        True
        """
        return cls.load_with_extra(path)[0]

    @classmethod
    def load_with_extra(
        cls, path: str | os.PathLike[str]
    ) -> tuple[Self, dict[str, NDArray[Any]], dict[str, Any]]:
        """Read a network with the extra arrays and the metadata it was saved with.

        Returns
        -------
        network : Network
        extra : dict of str to ndarray
        metadata : dict
        """
        from hrsnn_rs.network.model_file import read_model

        assembly, gain, extra, metadata = read_model(path)
        try:
            return cls._made_of(assembly, gain, None), extra, metadata
        except (ParameterError, ShapeError) as error:
            raise FormatError(f"{path}: {error}") from None

    def __reduce__(self) -> tuple[Callable[..., NetworkState], tuple[Any, ...]]:
        from hrsnn_rs.network.model_file import to_state

        parts = to_state(self._assembly(), self._gain)
        return _unpickled, (type(self), *parts, self._arguments)

    def _synapses(self, source: str) -> Synapses:
        """Copy the synapses as they are now out of the core."""
        now = self._core.synapses(source)
        shared = self._shared[source]
        weight, plasticity = now["weight"].astype(np.float64), None
        if shared is not None:
            constants = ("a_plus", "a_minus", "tau_plus", "tau_minus")
            plasticity = {name: now[name].astype(np.float64) for name in constants}
            plasticity.update(shared, plastic=now["plastic"])
            # A bound rounded to float32 may lie beyond itself; rounded again it is the same.
            within = np.clip(weight, shared["w_min"], shared["w_max"])
            weight = np.where(now["plastic"], within, weight)
        delay = now["delay_us"]
        if not delay.size:
            delay = np.array([1000 * RECURRENT_DELAY])
        elif (delay == delay[0]).all():
            delay = delay[:1]
        return Synapses(
            now["indptr"],
            now["indices"],
            weight,
            delay / 1000.0,
            plasticity,
        )

    def _assembly(self) -> Assembly:
        return Assembly(
            {**self._neurons, "theta": self._core.theta()},
            self._inhibitory,
            self._synapses("inputs"),
            self._synapses("recurrent"),
            self._adaptive_threshold,
            self._incoming,
            self._incoming_inputs,
            self._norm,
            self._competition,
            self.dtype,
            populations=self._populations,
            channels=self._channels,
        )

    def _matrix(self, source: str, n_rows: int) -> csr_array:
        now = self._core.synapses(source)
        parts = (now["weight"], now["indices"].astype(np.int64), now["indptr"])
        from scipy.sparse import csr_array

        return csr_array(parts, shape=(n_rows, self.n_neurons))

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return self._n_inputs

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return self._n_neurons

    @property
    def n_synapses(self) -> int:
        """Number of synapses, of inputs and recurrent ones."""
        return self._n_synapses

    @property
    def dtype(self) -> str:
        """Type of its numbers, "float32" or "float64"."""
        return self._dtype

    @property
    def can_learn(self) -> bool:
        """Whether it has plasticity or an adaptive threshold, for `train` to change something.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> hr.Network(4, 10).can_learn
        False
        >>> hr.Network(4, 10, adaptive_threshold=hr.AdaptiveThreshold()).can_learn
        True
        """
        return self._adaptive_threshold is not None or any(self._shared.values())

    @property
    def inhibitory(self) -> NDArray[np.bool_]:
        """Which neurons are inhibitory, shape (n_neurons,); read-only."""
        view = self._inhibitory.view()
        view.flags.writeable = False
        return view

    @property
    def recurrent_weights(self) -> csr_array:
        """Copy of the recurrent weights in mV, shape (n_neurons, n_neurons); row = source."""
        return self._matrix("recurrent", self.n_neurons)

    @property
    def input_weights(self) -> csr_array:
        """Copy of the input weights in mV, shape (n_inputs, n_neurons); row = channel."""
        return self._matrix("inputs", self.n_inputs)

    @property
    def neuron_parameters(self) -> dict[str, NDArray[np.float64]]:
        """Copies of every neuron's parameters (ms, mV), each of shape (n_neurons,)."""
        copies = {name: values.copy() for name, values in self._neurons.items()}
        return {**copies, "theta": self._core.theta()}

    @property
    def theta(self) -> NDArray[np.float64]:
        """Copy of what each threshold has risen by, mV; may be set, to a number or an array."""
        return self._core.theta()

    @theta.setter
    def theta(self, theta: ArrayLike) -> None:
        values = np.broadcast_to(as_array("theta", theta), (self.n_neurons,))
        self._core.set_theta(check_array("theta", values, at="neuron"))

    @property
    def populations(self) -> dict[str, range]:
        """Neurons of each population by name; {} unless made of populations."""
        return ranges(self._populations)

    @property
    def channels(self) -> dict[str, range]:
        """Input channels by name; {} unless made of populations."""
        return ranges(self._channels)

    @property
    def input_gain(self) -> float:
        """Product of the gains of all calibrations; may be set, which scales all input weights.

        The norms that learned input weights are kept to (`normalize_inputs`) are scaled too. A
        gain at which a weight would leave its bounds (`w_min` and `w_max` of those that learn)
        is refused with ParameterError.
        """
        return self._gain

    @input_gain.setter
    def input_gain(self, gain: float) -> None:
        scaling = self._input_scaling()
        self._scale_inputs(scaling, scaling.check(gain, self._gain))
        self._gain = float(gain)

    def _input_scaling(self) -> InputScaling:
        return InputScaling(self._core.synapses("inputs"), self._shared["inputs"])

    def _scale_inputs(self, scaling: InputScaling, gain: float) -> None:
        """Scale input weights, and the norms that learned ones are kept to."""
        self._core.set_weights("inputs", scaling.at(gain))
        if self._incoming_inputs.size:
            self._incoming_inputs = self._incoming_inputs * gain
            self._core.set_incoming("inputs", self._incoming_inputs)

    def describe(self) -> pl.DataFrame:
        """Tabulate what was drawn.

        Returns
        -------
        polars.DataFrame
            One row per parameter: `parameter`, `unit`, `n`, `mean`, `std`, `min`, `median`,
            `max`. Of a network of populations, one for each population, as "E.tau_m", and one for
            each two that are connected, as "E -> I.weight".

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> hr.Network(4, 10).describe().filter(parameter="tau_m")["mean"].item()
        20.0
        """
        import polars as pl

        return pl.DataFrame(summary(self._assembly()))

    def __repr__(self) -> str:
        return (
            f"Network(n_inputs={self.n_inputs}, n_neurons={self.n_neurons},"
            f" n_synapses={self.n_synapses}, dtype={self.dtype!r})"
        )


def _to_core(
    competition: Competition | None, n_neurons: int
) -> tuple[NDArray[np.uint32], float, int] | None:
    """Give groups, inhibition in mV and hold in µs."""
    if competition is None:
        return None
    groups = resolve_groups(competition, n_neurons)
    return groups, competition.inhibition, round(1000.0 * competition.hold)


def _unpickled(
    kind: type[NetworkState],
    arrays: dict[str, NDArray[Any]],
    header: dict[str, Any],
    arguments: dict[str, Any] | None,
) -> NetworkState:
    from hrsnn_rs.network.model_file import from_state

    return kind._made_of(from_state(arrays, header), header["input_gain"], arguments)
