"""The network: made once, then run, trained, read.

Lives here: the one class that users hold. Not here: drawing (`assembly`), files (`model_file`),
the search for a gain (`calibration`), or anything that loops over time (the core).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import check_integer, check_number
from hrsnn_rs.assembly import (
    INPUT_DELAY,
    RECURRENT_DELAY,
    Assembly,
    Synapses,
    assemble,
    check_sizes,
    choose_inhibitory,
)
from hrsnn_rs.calibration import calibrate
from hrsnn_rs.connectivity import Connectivity, RandomConnectivity
from hrsnn_rs.errors import MissingDependencyError, ParameterError
from hrsnn_rs.events import as_events
from hrsnn_rs.explicit_connectivity import ExplicitConnectivity
from hrsnn_rs.model_file import from_state, read_model, to_state, write_model
from hrsnn_rs.parameters import LIF, STDP, AdaptiveThreshold
from hrsnn_rs.results import Calibration, RunResult, RunStats

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.heterogeneity import Parameter

__all__ = ["VARIANTS", "Network"]

#: Variants by name: whether neurons, and whether synapses, differ from each other.
VARIANTS = {
    "HoNHoS": (False, False),
    "HeNHoS": (True, False),
    "HoNHeS": (False, True),
    "HeNHeS": (True, True),
}
#: Samples that are handed to the core at a time, so that an iterator is never held whole.
CHUNK = 64


class Network:
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
    normalize_weights : bool, default=False
        Whether to scale each neuron's plastic recurrent weights back to their initial sum at
        the end of each training sample.
    adaptive_threshold : AdaptiveThreshold, default=None
        Whether thresholds rise with own spikes while training.
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
    ...     recurrent=hr.RandomConnectivity(p=0.1),
    ...     seed=7,
    ... )
    >>> network
    Network(n_inputs=10, n_neurons=50, n_synapses=..., dtype='float32')
    """

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
        adaptive_threshold: AdaptiveThreshold | None = None,
        seed: int = 0,
        dtype: Literal["float32", "float64"] = "float32",
    ) -> None:
        n_inputs, n_neurons, seed = check_sizes(n_inputs, n_neurons, seed)
        fraction = check_number(
            "inhibitory_fraction", inhibitory_fraction, "in [0, 1]", lambda f: 0.0 <= f <= 1.0
        )
        arguments: dict[str, Any] = {
            "n_inputs": n_inputs,
            "n_neurons": n_neurons,
            "neuron": LIF() if neuron is None else neuron,
            "inhibitory_neuron": inhibitory_neuron,
            "inputs": RandomConnectivity(p=0.1) if inputs is None else inputs,
            "recurrent": recurrent,
            "plasticity": plasticity,
            "plastic": None,
            "inhibitory": choose_inhibitory(n_neurons, fraction, seed),
            "normalize_weights": normalize_weights,
            "adaptive_threshold": adaptive_threshold,
            "seed": seed,
            "dtype": dtype,
        }
        self._set_up(assemble(**arguments), 1.0, arguments)

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
        self.n_inputs = assembly.inputs.indptr.size - 1
        self.n_neurons = assembly.recurrent.indptr.size - 1
        self.n_synapses = int(assembly.inputs.indices.size + assembly.recurrent.indices.size)
        self.dtype = assembly.dtype
        #: Which neurons are inhibitory, bool array of shape (n_neurons,).
        self.inhibitory = assembly.inhibitory

    @classmethod
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
        adaptive_threshold: AdaptiveThreshold | None = None,
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
        normalize_weights, adaptive_threshold, seed, dtype
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
        from_inputs = ExplicitConnectivity(inputs, _named("input_delay", input_delay))
        between = ExplicitConnectivity(recurrent, _named("recurrent_delay", recurrent_delay))
        if from_inputs.shape[1] != between.shape[0]:
            raise ParameterError(
                f"inputs must have as many columns as there are neurons ({between.shape[0]});"
                f" got {from_inputs.shape[1]}."
            )
        n_inputs, n_neurons, seed = check_sizes(from_inputs.shape[0], between.shape[0], seed)
        if plasticity is not None and plastic is None:
            plastic = np.asarray(recurrent.tocsr().data) > 0.0
        rows = np.repeat(np.arange(n_neurons), np.diff(recurrent.tocsr().indptr))
        inhibitory = np.bincount(
            rows, weights=recurrent.tocsr().data < 0.0, minlength=n_neurons
        ).astype(np.bool_)
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
            "adaptive_threshold": adaptive_threshold,
            "seed": seed,
            "dtype": dtype,
        }
        network = cls.__new__(cls)
        network._set_up(assemble(**arguments), 1.0, arguments)
        return network

    def variant(self, name: str) -> Network:
        """Make one of the four variants: same graph, seeds and initial weights.

        Parameters
        ----------
        name : {"HoNHoS", "HeNHoS", "HoNHeS", "HeNHeS"}
            Homogeneous or heterogeneous Neurons and Synapses. Homogeneous: every parameter
            is the constant of the same mean.

        Returns
        -------
        Network
            New, not calibrated or trained. `HeNHeS` is the network as it was made.

        Raises
        ------
        ParameterError
            If the name is unknown, or this network came from a file.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(4, 10, neuron=hr.LIF(tau_m=hr.Gamma(mean=20.0, shape=3.0)))
        >>> network.variant("HoNHoS").neuron_parameters["tau_m"][:2]
        array([20., 20.])
        """
        if not isinstance(name, str) or name not in VARIANTS:
            raise ParameterError(f"name must be one of {', '.join(VARIANTS)}; got {name!r}.")
        if self._arguments is None:
            raise ParameterError("variant needs a network that was made here, not loaded.")
        neurons, synapses = VARIANTS[name]
        arguments = dict(self._arguments)
        for key in [] if neurons else ["neuron", "inhibitory_neuron"]:
            if arguments[key] is not None:
                arguments[key] = arguments[key].homogeneous()
        if not synapses and arguments["plasticity"] is not None:
            arguments["plasticity"] = arguments["plasticity"].homogeneous()
        network = type(self).__new__(type(self))
        network._set_up(assemble(**arguments), 1.0, arguments)
        return network

    def without_recurrence(self) -> Network:
        """Make the same network without its recurrent synapses: a control.

        Returns
        -------
        Network
            New, with the input weights of now; nothing in it learns but inputs that did.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(4, 10, recurrent=hr.RandomConnectivity(p=0.5))
        >>> network.without_recurrence().recurrent_weights.nnz
        0
        """
        now = self._assembly()
        nothing = np.zeros(0)
        indptr = np.zeros(self.n_neurons + 1, dtype=np.int64)
        recurrent = Synapses(indptr, nothing.astype(np.uint32), nothing, np.array([1.0]))
        network = type(self).__new__(type(self))
        network._set_up(
            Assembly(
                now.neurons,
                now.inhibitory,
                now.inputs,
                recurrent,
                now.adaptive_threshold,
                nothing,
                now.dtype,
            ),
            self._gain,
            None,
        )
        return network

    def copy(self) -> Network:
        """Return an independent network in the same state."""
        network = type(self).__new__(type(self))
        network._set_up(self._assembly(), self._gain, self._arguments)
        return network

    def run(
        self,
        events: Any,
        *,
        learn: bool = False,
        duration: int | None = None,
        dt: float | None = None,
        sensor_size: tuple[int, int, int] | None = None,
        n_threads: int | None = None,
    ) -> RunResult:
        """Simulate one sample, from rest, and return its spikes.

        The result does not depend on `n_threads`.

        Parameters
        ----------
        events : Events, structured array, (t, channel) tuple, polars.DataFrame or raster
            Input; times in µs. Not changed.
        learn : bool, default=False
            Whether STDP (and the adaptive threshold) act. If not, nothing of the network
            changes.
        duration : int, default=None
            Length of the sample in µs; `None` means that of `events`.
        dt : float, default=None
            Length of a raster's row in ms.
        sensor_size : tuple of int, default=None
            (width, height, polarities) of a structured array with `x` and `y`.
        n_threads : int, default=None
            Threads of this call; `None` takes as many as pay.

        Returns
        -------
        RunResult
            `spikes`: table of `t` (µs) and `neuron`; `stats`: counts.

        Raises
        ------
        ParameterError, ShapeError
            If the events are out of order or out of range.
        KeyboardInterrupt
            On Ctrl-C; what was learned so far is kept.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(1, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
        >>> network.run(([100, 5000], [0, 0])).stats.n_spikes
        10
        """
        if not isinstance(learn, bool | np.bool_):
            raise ParameterError(f"learn must be True or False; got {learn!r}.")
        sample = as_events(events, self.n_inputs, duration=duration, dt=dt, sensor_size=sensor_size)
        threads = _threads(n_threads)
        start = time.perf_counter()
        t, neuron, counts = self._core.run(
            sample.t, sample.channel, sample.duration, bool(learn), threads
        )
        wall_time = time.perf_counter() - start
        return RunResult(t, neuron, RunStats.from_counts(counts, sample.duration, wall_time))

    def train(
        self,
        samples: Iterable[Any],
        *,
        epochs: int = 1,
        progress: bool = False,
        n_threads: int | None = None,
    ) -> RunStats:
        """Learn from samples, one after the other, without labels.

        Weights and adapted thresholds stay from sample to sample; everything else starts
        from rest.

        Parameters
        ----------
        samples : iterable
            Each what `run` takes. A sequence if `epochs` is greater than 1.
        epochs : int, default=1
            Passes over the samples, in their order.
        progress : bool, default=False
            Whether to show a progress bar (needs tqdm).
        n_threads : int, default=None
            As in `run`.

        Returns
        -------
        RunStats
            Sums over all samples.

        Raises
        ------
        ParameterError
            If nothing in this network can learn, or an iterator is to be read twice.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(
        ...     4, 20, inputs=hr.RandomConnectivity(p=1.0, weight=20.0),
        ...     recurrent=hr.RandomConnectivity(p=0.5), plasticity=hr.STDP(),
        ... )
        >>> sample = hr.Events([0, 3000, 6000], [0, 1, 2], n_channels=4)
        >>> network.train([sample, sample]).n_weight_updates > 0
        True
        """
        epochs = check_integer("epochs", epochs, 1)
        if self._adaptive_threshold is None and not any(self._shared.values()):
            raise ParameterError("plasticity must be given to train; this network has None.")
        if epochs > 1 and not isinstance(samples, Sequence) and isinstance(samples, Iterator):
            raise ParameterError("samples must be a sequence where epochs > 1; got an iterator.")
        stats = []
        for epoch in range(epochs):
            name = f"train {epoch + 1}/{epochs}" if epochs > 1 else "train"
            stats += [
                self.run(sample, learn=True, n_threads=n_threads).stats
                for sample in _shown(samples, name, progress)
            ]
        return RunStats.total(stats)

    @overload
    def transform(
        self,
        samples: Iterable[Any],
        n_windows: int = ...,
        *,
        windows: str = ...,
        features: str = ...,
        tau_lowpass: float = ...,
        n_threads: int | None = ...,
        progress: bool = ...,
        return_stats: Literal[False] = ...,
    ) -> NDArray[np.float32]: ...
    @overload
    def transform(
        self,
        samples: Iterable[Any],
        n_windows: int = ...,
        *,
        windows: str = ...,
        features: str = ...,
        tau_lowpass: float = ...,
        n_threads: int | None = ...,
        progress: bool = ...,
        return_stats: Literal[True],
    ) -> tuple[NDArray[np.float32], list[RunStats]]: ...
    def transform(
        self,
        samples: Iterable[Any],
        n_windows: int = 1,
        *,
        windows: str = "time",
        features: str = "counts",
        tau_lowpass: float = 30.0,
        n_threads: int | None = None,
        progress: bool = False,
        return_stats: bool = False,
    ) -> NDArray[np.float32] | tuple[NDArray[np.float32], list[RunStats]]:
        """Run samples side by side and return features; learns nothing, stores no spikes.

        Neither `n_threads` nor the order of the samples changes a sample's features.

        Parameters
        ----------
        samples : iterable
            Each what `run` takes; an iterator is read as it goes.
        n_windows : int, default=1
            Windows that each sample is cut into.
        windows : {"time", "events"}, default="time"
            Windows of equal time, or of equal shares of the sample's input events.
        features : {"counts", "lowpass", "both"}, default="counts"
            Spikes within each window; spikes low-passed with `tau_lowpass` at its end; or
            the first, then the second.
        tau_lowpass : float, default=30.0
            Time constant of the low-pass in ms.
        n_threads : int, default=None
            Samples that run at a time; `None` means all cores.
        progress : bool, default=False
            Whether to show a progress bar (needs tqdm).
        return_stats : bool, default=False
            Whether to return the counts of each sample too.

        Returns
        -------
        features : float32 array of shape (n_samples, n_windows, n_neurons)
            Twice as wide for "both".
        stats : list of RunStats
            Only with `return_stats`; `wall_time` is the sample's share of its chunk.

        Raises
        ------
        ParameterError, ShapeError
            As `run`.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(1, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
        >>> network.transform([([100, 5000], [0, 0])], n_windows=2)[0, :, 0]
        array([1., 1.], dtype=float32)
        """
        n_windows = check_integer("n_windows", n_windows, 1, 2**31)
        _check_choice("windows", windows, ("time", "events"))
        _check_choice("features", features, ("counts", "lowpass", "both"))
        tau = check_number("tau_lowpass", tau_lowpass, "greater than 0 ms", lambda tau: tau > 0.0)
        threads = _threads(n_threads)
        parts: list[NDArray[np.float32]] = []
        stats: list[RunStats] = []
        width = self.n_neurons * (2 if features == "both" else 1)
        shown = iter(_shown(samples, "transform", progress))
        while chunk := [as_events(s, self.n_inputs) for s in itertools.islice(shown, CHUNK)]:
            start = time.perf_counter()
            flat, counts = self._core.transform(
                [(s.t, s.channel, s.duration) for s in chunk],
                n_windows,
                windows == "events",
                features != "lowpass",
                None if features == "counts" else tau,
                threads,
            )
            share = (time.perf_counter() - start) / len(chunk)
            parts.append(flat.reshape(len(chunk), n_windows, width))
            stats += [
                RunStats.from_counts(row, sample.duration, share)
                for row, sample in zip(counts, chunk, strict=True)
            ]
        empty = np.zeros((0, n_windows, width), dtype=np.float32)
        table = np.concatenate(parts) if parts else empty
        return (table, stats) if return_stats else table

    def calibrate(
        self,
        samples: Iterable[Any],
        *,
        rate: float = 3.0,
        n_samples: int = 64,
        n_threads: int | None = None,
    ) -> Calibration:
        """Scale all input weights by one gain so that neurons fire at a mean rate.

        Uses no labels and learns nothing. A network whose single input synapses are above
        threshold only relays its input: the search stops there and says so.

        Parameters
        ----------
        samples : iterable
            Each what `run` takes.
        rate : float, default=3.0
            Target in Hz, mean over neurons and samples.
        n_samples : int, default=64
            Samples to use at most, evenly spread over a sequence.
        n_threads : int, default=None
            As in `transform`.

        Returns
        -------
        Calibration
            `gain`, the `rate` reached, the share of `suprathreshold` synapses.

        Raises
        ------
        CalibrationError
            If the rate cannot be reached; the weights are as before.
        ParameterError
            If there is no sample, event or positive input weight.

        Warns
        -----
        CalibrationWarning
            If more than one in a thousand excitatory input synapses is suprathreshold.

        Examples
        --------
        >>> import numpy as np
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(20, 50, inputs=hr.RandomConnectivity(p=0.5))
        >>> rng = np.random.default_rng(7)
        >>> t = np.sort(rng.integers(0, 1_000_000, 2000))
        >>> sample = hr.Events(t, rng.integers(0, 20, 2000), n_channels=20, duration=1_000_000)
        >>> abs(network.calibrate([sample], rate=3.0).rate - 3.0) < 0.3
        True
        """
        target = check_number("rate", rate, "greater than 0 Hz", lambda rate: rate > 0.0)
        n = check_integer("n_samples", n_samples, 1)
        pool = samples if isinstance(samples, Sequence) else list(itertools.islice(samples, n))
        picked = [pool[i] for i in np.unique(np.linspace(0, len(pool) - 1, n).astype(int)) if pool]
        chosen = [as_events(sample, self.n_inputs) for sample in picked]
        weights = self.input_weights
        p = self._neurons
        room = (p["v_threshold"] - p["v_rest"] - p["bias"])[weights.indices]

        def rate_of(gain: float) -> float:
            self._core.set_weights("inputs", weights.data.astype(np.float64) * gain)
            stats = self.transform(chosen, n_threads=n_threads, return_stats=True)[1]
            total = RunStats.total(stats)
            return 1e6 * total.n_spikes / (self.n_neurons * max(total.duration, 1))

        try:
            found = calibrate(rate_of, weights.data.astype(np.float64), room, chosen, target)
        except BaseException:
            self._core.set_weights("inputs", weights.data.astype(np.float64))
            raise
        self._core.set_weights("inputs", weights.data.astype(np.float64) * found.gain)
        self._gain *= found.gain
        return found

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
        assembly, gain, extra, metadata = read_model(path)
        network = cls.__new__(cls)
        network._set_up(assembly, gain, None)
        return network, extra, metadata

    def __reduce__(self) -> tuple[Callable[..., Network], tuple[Any, ...]]:
        return _from_state, (*to_state(self._assembly(), self._gain), self._arguments)

    def _synapses(self, source: str) -> Synapses:
        """Copy the synapses as they are now out of the core."""
        now = self._core.synapses(source)
        shared = self._shared[source]
        plasticity = None
        if shared is not None:
            constants = ("a_plus", "a_minus", "tau_plus", "tau_minus")
            plasticity = {name: now[name].astype(np.float64) for name in constants}
            plasticity.update(shared, plastic=now["plastic"])
        delays = np.unique(now["delay_us"])
        delay = delays if delays.size == 1 else now["delay_us"]
        if not delays.size:
            delay = np.array([1000 * RECURRENT_DELAY])
        return Synapses(
            now["indptr"],
            now["indices"],
            now["weight"].astype(np.float64),
            delay / 1000.0,
            plasticity,
        )

    def _assembly(self) -> Assembly:
        return Assembly(
            {**self._neurons, "theta": self._core.theta()},
            self.inhibitory,
            self._synapses("inputs"),
            self._synapses("recurrent"),
            self._adaptive_threshold,
            self._incoming,
            self.dtype,
        )

    def _matrix(self, source: str, n_rows: int) -> csr_array:
        now = self._core.synapses(source)
        parts = (now["weight"], now["indices"].astype(np.int64), now["indptr"])
        return csr_array(parts, shape=(n_rows, self.n_neurons))

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
        return {name: values.copy() for name, values in self._assembly_neurons().items()}

    def _assembly_neurons(self) -> dict[str, NDArray[np.float64]]:
        return {**self._neurons, "theta": self._core.theta()}

    @property
    def input_gain(self) -> float:
        """Product of the gains of all calibrations."""
        return self._gain

    def describe(self) -> pl.DataFrame:
        """Tabulate what was drawn.

        Returns
        -------
        polars.DataFrame
            One row per parameter: `parameter`, `unit`, `n`, `mean`, `std`, `min`, `median`,
            `max`.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> hr.Network(4, 10).describe().filter(parameter="tau_m")["mean"].item()
        20.0
        """
        now = self._assembly()
        rows = [_described(name, values) for name, values in now.neurons.items()]
        for source, synapses in (("inputs", now.inputs), ("recurrent", now.recurrent)):
            n = synapses.weight.size
            rows.append(_described(f"{source}.weight", synapses.weight))
            rows.append(_described(f"{source}.delay", np.broadcast_to(synapses.delay, n)))
            if synapses.plasticity is not None:
                plastic = synapses.plasticity["plastic"]
                for name in ("a_plus", "a_minus", "tau_plus", "tau_minus"):
                    rows.append(_described(f"{source}.{name}", synapses.plasticity[name][plastic]))
        return pl.DataFrame(rows)

    def __repr__(self) -> str:
        return (
            f"Network(n_inputs={self.n_inputs}, n_neurons={self.n_neurons},"
            f" n_synapses={self.n_synapses}, dtype={self.dtype!r})"
        )


def _from_state(
    arrays: dict[str, NDArray[Any]], header: dict[str, Any], arguments: dict[str, Any] | None
) -> Network:
    network = Network.__new__(Network)
    network._set_up(from_state(arrays, header), header["input_gain"], arguments)
    return network


def _described(name: str, values: NDArray[np.float64]) -> dict[str, str | float | None]:
    milliseconds = ("tau", "t_ref", "delay")
    row: dict[str, str | float | None] = {
        "parameter": name,
        "unit": "ms" if name.split(".")[-1].startswith(milliseconds) else "mV",
        "n": values.size,
    }
    for statistic in ("mean", "std", "min", "median", "max"):
        row[statistic] = float(getattr(np, statistic)(values)) if values.size else None
    return row


def _named(name: str, delay: Parameter) -> Parameter:
    """Check a delay under its own name, before a rule checks it as `delay`."""
    values = np.asarray(delay, dtype=np.float64)
    wrong = np.flatnonzero(~(np.isfinite(values.ravel()) & (values.ravel() >= 0.0)))
    if wrong.size:
        value = float(values.ravel()[wrong[0]])
        raise ParameterError(f"{name} must be at least 0 ms; got {value!r} at synapse {wrong[0]}.")
    return delay


def _threads(n_threads: int | None) -> int | None:
    return None if n_threads is None else check_integer("n_threads", n_threads, 1, 1024)


def _check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise ParameterError(f"{name} must be one of {', '.join(allowed)}; got {value!r}.")


def _shown(samples: Iterable[Any], name: str, progress: bool) -> Iterable[Any]:
    """Wrap `samples` in a progress bar, if wanted."""
    if not isinstance(samples, Iterable):
        raise ParameterError(f"samples must be an iterable of samples; got {samples!r}.")
    if not progress:
        return samples
    try:
        from tqdm import tqdm
    except ImportError:
        raise MissingDependencyError("progress needs tqdm: pip install hrsnn_rs[cli]") from None
    bar: Iterable[Any] = tqdm(samples, desc=name, unit="sample")
    return bar
