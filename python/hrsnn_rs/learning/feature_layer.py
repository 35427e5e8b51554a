"""A feature layer: a few features learned by competitive STDP, standing at every place of a plane.

Lives here: tiling, calibration, and features as a scikit-learn transformer. Not here: how the
features of one place learn (`feature_column`), how weights are copied (`network.tiling`), and
labels, which never come in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import csr_array
from sklearn.base import TransformerMixin

from hrsnn_rs.arguments import (
    NOT_NEGATIVE,
    as_array,
    check_array,
    check_integer,
    check_number,
    check_sides,
)
from hrsnn_rs.description.competition import INHIBITION
from hrsnn_rs.description.heterogeneity import check_parameter
from hrsnn_rs.description.parameters import LIF, STDP, AdaptiveThreshold
from hrsnn_rs.errors import CalibrationError, ParameterError, ShapeError
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.forms import as_events
from hrsnn_rs.learning.estimator_input import CheckedSamples
from hrsnn_rs.learning.feature_column import INCOMING, feature_column, learned_weights
from hrsnn_rs.learning.fitted_as import check_as_fitted
from hrsnn_rs.learning.kept_layer import TILED, KeptLayer
from hrsnn_rs.network.network import Network
from hrsnn_rs.network.one_sample import check_threads
from hrsnn_rs.network.patches import Plane

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from hrsnn_rs.arguments import FloatArray
    from hrsnn_rs.network.results import Calibration, RunStats

#: Mean number of spikes of a sample where none is asked for, by its events and at most.
SPIKES_PER_EVENT, MOST_SPIKES = 0.375, 3500.0
#: What a layer may be, beside one that learns: the controls.
FILTERS = ("learned", "drawn", "shuffled", "exemplars")


_KINDS = {"neuron": LIF, "plasticity": STDP, "adaptive_threshold": AdaptiveThreshold}
_COUNTS = (
    "plane", "polarities", "field", "stride", "n_features", "n_banks", "pool", "n_windows",
    "n_patches", "most_events", "n_calibration", "seed",
)  # fmt: skip


class FeatureLayer(TransformerMixin, KeptLayer):  # type: ignore[misc]
    """Feature maps learned without labels: fields, shared weights, competition, pooling.

    A *feature* is a neuron that sees a field of a few pixels. A handful of features learns on
    patches cut around random events: they compete, so that only the one that a patch suits best
    spikes, and STDP moves its field towards what made it spike. The learned fields are then copied
    to all places of the plane, and stay as they are; the features of a place go on competing. What
    the layer gives are counts of spikes, pooled over neighbouring places, for each window of time.

    Parameters
    ----------
    plane : tuple of int, default=(32, 32)
        Height and width of the input plane, as the encoder makes it.
    polarities : int, default=2
        Kinds of events of the plane.
    field : int, default=5
        Pixels of a feature's side; odd.
    stride : int, default=2
        Pixels between neighbouring places.
    n_features : int, default=32
        Features of a place.
    n_banks : int, default=1
        Banks of equally many features, one after the other. Those of a bank compete, and all banks
        spike equally often; with time constants of its own each bank sees another span of time.
    pool : int, default=2
        Places of a pool's side.
    n_windows : int, default=4
        Windows of a sample.
    windows : {"events", "time"}, default="events"
        Windows of equal shares of the sample's events, or of equal time.
    neuron : LIF, default=None
        Parameters of the features, each a number, an array of shape (n_features,) or a law. Time
        constants that differ within a bank let the slowest win.
        `None`: tau_m 20 ms, t_ref 10 ms, v_threshold 15 mV.
    plasticity : STDP, default=None
        The rule, with `inputs=True`; each constant a number or a law. `None`: a_plus 0.3 mV,
        a_minus 0, tau_plus 15 ms; fields are kept from growing by normalisation alone.
    weight : Parameter, default=None
        Law of the weights before learning, in any unit: they are scaled to a sum of 100 mV for
        each feature. `None`: uniform from 0.5 to 1.5.
    adaptive_threshold : AdaptiveThreshold, default=None
        While learning. `None`: rises by 0.02 mV a spike, forgets in 40 s: all features are used.
    inhibition : float, default=30.0
        How far the winner of a place lowers the others, mV.
    filters : {"learned", "drawn", "shuffled", "exemplars"}, default="learned"
        The fields: as learned; or, as controls, as drawn; learned, with the weights of each
        shuffled; or single patches.
    n_patches : int, default=2000
        Patches to learn on.
    most_events : int, default=400
        Events of a patch at most.
    learning_rate : sequence of float, default=(1.0, 0.3)
        Factors of a_plus and a_minus: the patches are shared out among them, in order.
    spikes : float, default=None
        Mean number of spikes of a sample, to which one input gain is calibrated. `None`: three for
        eight events of the samples that calibration looks at, at most 3500.
    n_calibration : int, default=48
        Samples that calibration looks at, evenly spaced.
    seed : int, default=0
        Of patches, weights, and laws.
    n_threads : int, default=None
        Threads; the result does not depend on them. `None`: all cores.

    Attributes
    ----------
    fields_ : float64 ndarray of shape (n_features, polarities, field, field)
        The fields, each of length 1.
    fields_before_ : float64 ndarray of the same shape
        As drawn.
    bank_gains_ : float64 ndarray of shape (n_banks,)
        What the weights of each bank are multiplied by, so that all banks spike equally often.
    network_ : Network
        The tiled layer, calibrated.
    calibration_ : Calibration
        What was set and reached.
    n_features_out_ : int
        Numbers that a sample becomes: windows times pools times features.

    References
    ----------
    .. [1] Masquelier & Thorpe (2007), Unsupervised learning of visual features through spike timing
       dependent plasticity, PLoS Comput. Biol. 3:e31.
    .. [2] Diehl & Cook (2015), Unsupervised learning of digit recognition using
       spike-timing-dependent plasticity, Front. Comput. Neurosci. 9:99.

    Examples
    --------
    >>> import numpy as np
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.learning import FeatureLayer
    >>> random = np.random.default_rng(0)
    >>> def bar(n=300):
    ...     y, x = random.integers(0, 8, n), np.full(n, random.integers(0, 8))
    ...     t = np.sort(random.integers(0, 200_000, n))
    ...     return hr.Events(t, y * 8 + x, n_channels=64, duration=200_000)
    >>> layer = FeatureLayer((8, 8), 1, n_features=4, n_patches=50, spikes=40.0)
    >>> layer.fit_transform([bar() for _ in range(10)]).shape
    (10, 64)
    >>> layer.fields_.shape
    (4, 1, 5, 5)
    """

    def __init__(
        self,
        plane: tuple[int, int] = (32, 32),
        polarities: int = 2,
        *,
        field: int = 5,
        stride: int = 2,
        n_features: int = 32,
        n_banks: int = 1,
        pool: int = 2,
        n_windows: int = 4,
        windows: str = "events",
        neuron: LIF | None = None,
        plasticity: STDP | None = None,
        weight: Any = None,
        adaptive_threshold: AdaptiveThreshold | None = None,
        inhibition: float = 30.0,
        filters: str = "learned",
        n_patches: int = 2000,
        most_events: int = 400,
        learning_rate: Sequence[float] = (1.0, 0.3),
        spikes: float | None = None,
        n_calibration: int = 48,
        seed: int = 0,
        n_threads: int | None = None,
    ) -> None:
        self.plane = plane
        self.polarities = polarities
        self.field = field
        self.stride = stride
        self.n_features = n_features
        self.n_banks = n_banks
        self.pool = pool
        self.n_windows = n_windows
        self.windows = windows
        self.neuron = neuron
        self.plasticity = plasticity
        self.weight = weight
        self.adaptive_threshold = adaptive_threshold
        self.inhibition = inhibition
        self.filters = filters
        self.n_patches = n_patches
        self.most_events = most_events
        self.learning_rate = learning_rate
        self.spikes = spikes
        self.n_calibration = n_calibration
        self.seed = seed
        self.n_threads = n_threads

    def fit(self, X: Sequence[Any], y: Any = None) -> Self:
        """Learn features on patches of the samples, tile and calibrate them; labels are not seen.

        Parameters
        ----------
        X : sequence of Events
            Samples on the channels of the plane. Not changed; seen one at a time.
        y : ignored
            For scikit-learn.

        Returns
        -------
        FeatureLayer
            Itself.

        Raises
        ------
        ParameterError, ShapeError
            If a setting or a sample is not what it should be.
        CalibrationError
            If the number of spikes cannot be reached.
        """
        plane = self.check_parameters()
        X = CheckedSamples(X)
        column = feature_column(self)
        before, weights = learned_weights(self, column, X, plane)
        self.fields_before_, self.fields_ = self._as_fields(before), self._as_fields(weights)
        picked = [
            X[i] for i in np.unique(np.linspace(0, len(X) - 1, self.n_calibration).astype(int))
        ]
        spikes = self.spikes
        if spikes is None:
            n_events = np.mean([len(one) for one in picked])
            spikes = max(min(SPIKES_PER_EVENT * float(n_events), MOST_SPIKES), 1.0)
        neurons = column.neuron_parameters
        self.bank_gains_ = np.ones(self.n_banks)
        if self.n_banks > 1:
            self.bank_gains_ = self._balance(neurons, picked, spikes / self.n_banks)
        self.network_ = self._tiled(neurons)
        self.calibration_ = self._calibrated(self.network_, picked, spikes)
        self._number_pools()
        return self

    def check_parameters(self) -> Plane:
        """Check the settings, each by itself, and give the plane they speak of."""
        height, width = check_sides("plane", self.plane, 2)
        polarities = check_integer("polarities", self.polarities, 1, 255)
        for name, low in (
            ("stride", 1), ("n_features", 1), ("n_banks", 1), ("pool", 1), ("n_windows", 1),
            ("n_patches", 1), ("most_events", 1), ("n_calibration", 1), ("seed", 0),
        ):  # fmt: skip
            check_integer(name, getattr(self, name), low)
        if check_integer("field", self.field, 1, 255) % 2 == 0:
            raise ParameterError(f"field must be odd; got {self.field}.")
        # An estimator's parameters stay as they were given, and these are what is counted with.
        for name in _COUNTS:
            value = getattr(self, name)
            if any(isinstance(one, float) for one in np.ravel(value).tolist()):
                raise ParameterError(f"{name} must be an integer, not a float; got {value!r}.")
        if self.n_features % self.n_banks:
            raise ParameterError(
                f"n_features must be a multiple of n_banks; got {self.n_features} and "
                f"{self.n_banks}."
            )
        check_threads(self.n_threads)
        check_number("inhibition", self.inhibition, *INHIBITION)
        if self.weight is not None:
            check_parameter("weight", self.weight, *NOT_NEGATIVE, at="synapse")
        if self.spikes is not None:
            check_number("spikes", self.spikes, "greater than 0", lambda n: n > 0.0)
        rates = as_array("learning_rate", self.learning_rate)
        if rates.ndim != 1 or rates.size == 0:
            raise ShapeError(f"learning_rate must have 1 dimension; got shape {rates.shape}.")
        check_array("learning_rate", rates, "at least 0", lambda rate: rate >= 0.0)
        for name, known in (("filters", FILTERS), ("windows", ("events", "time"))):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                raise ParameterError(f"{name} must be one of {', '.join(known)}; got {value!r}.")
        for name, kind in _KINDS.items():
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                raise ParameterError(f"{name} must be a {kind.__name__} or None; got {value!r}.")
        return Plane(height, width, polarities)

    def _as_fields(self, weights: FloatArray) -> FloatArray:
        fields = weights / np.linalg.norm(weights, axis=0)
        shape = (self.n_features, self.polarities, self.field, self.field)
        by_feature: FloatArray = fields.T.reshape(shape)
        return by_feature

    def _tiled(self, neurons: Mapping[str, FloatArray], bank: slice = slice(None)) -> Network:
        """Copy the fields, or those of a bank, to all places of the plane."""
        tiling = self._tiling()
        flat = self.fields_.reshape(self.n_features, -1).T
        flat = flat * (INCOMING / flat.sum(axis=0).mean())
        flat = (flat * np.repeat(self.bank_gains_, self.n_features // self.n_banks))[:, bank]
        n_places = tiling.n_rows * tiling.n_columns
        n_neurons = n_places * flat.shape[1]
        return Network.from_arrays(
            inputs=tiling.synapses(flat),
            recurrent=csr_array((n_neurons, n_neurons)),
            neuron=LIF(**{name: np.tile(neurons[name][bank], n_places) for name in TILED}),
            competition=self.competition,
            dtype="float32",
        )

    def _balance(
        self, neurons: Mapping[str, FloatArray], picked: list[Events], spikes: float
    ) -> FloatArray:
        """Find the gain with which each bank, by itself, spikes as often as it should."""
        size = self.n_features // self.n_banks
        banks = [slice(first, first + size) for first in range(0, self.n_features, size)]
        return np.array(
            [self._calibrated(self._tiled(neurons, bank), picked, spikes).gain for bank in banks]
        )

    def _calibrated(self, network: Network, picked: list[Events], spikes: float) -> Calibration:
        try:
            return network.calibrate(
                picked, spikes=spikes, n_samples=self.n_calibration, n_threads=self.n_threads
            )
        except CalibrationError as error:
            raise CalibrationError(f"spikes: {error}") from error

    def transform(self, X: Iterable[Any]) -> NDArray[np.float32]:
        """Count the spikes of each feature in each pool and window.

        Parameters
        ----------
        X : iterable of Events
            Samples on the channels of the plane; an iterator is read as it goes.

        Returns
        -------
        float32 ndarray of shape (n_samples, n_windows * n_pools * n_features)
            Counts: windows, then pools (row by row), then features.

        Raises
        ------
        ParameterError, ShapeError
            If a sample is not what it should be.
        """
        return self.transform_with_stats(X)[0]

    def transform_with_stats(self, X: Iterable[Any]) -> tuple[NDArray[np.float32], list[RunStats]]:
        """Give the features of `transform`, and what each sample took.

        Parameters
        ----------
        X : iterable of Events
            As for `transform`.

        Returns
        -------
        features : float32 ndarray
        stats : list of RunStats
        """
        counts, stats = self.window_features(X, self.n_windows, windows=self.windows)
        return counts.reshape(len(counts), -1), stats

    def window_features(
        self, X: Iterable[Any], n_windows: int, *, windows: str = "events", features: str = "counts"
    ) -> tuple[NDArray[np.float32], list[RunStats]]:
        """Give the features of other windows than the layer's own.

        Parameters
        ----------
        X : iterable of Events
            As for `transform`.
        n_windows : int
            Windows of a sample.
        windows, features : str
            As for `Network.transform`.

        Returns
        -------
        features : float32 ndarray of shape (n_samples, n_windows, n_pools * n_features)
            Twice as wide for "both".
        stats : list of RunStats
        """
        check_as_fitted(self)
        return self.network_.transform(
            X,
            n_windows,
            windows=windows,
            features=features,
            pools=self._pools,
            n_threads=self.n_threads,
            return_stats=True,
        )

    def feature_maps(self, X: Iterable[Any]) -> Iterator[Events]:
        """Give the spikes of the features, as a network on top of them takes them.

        Parameters
        ----------
        X : iterable of Events
            As for `transform`.

        Returns
        -------
        iterator of Events
            One for each sample. Each feature has a map: the channel of feature `k` at the place of
            row `u` and column `v` is `(k * n_rows + u) * n_columns + v`.
        """
        return (maps for maps, _ in self.runs(X))

    def runs(self, X: Iterable[Any]) -> Iterator[tuple[Events, RunStats]]:
        """Give the feature maps of each sample, and what they took.

        Parameters
        ----------
        X : iterable of Events
            As for `transform`.

        Yields
        ------
        maps : Events
            As `feature_maps` gives them.
        stats : RunStats
        """
        check_as_fitted(self)
        for one in X:
            sample = as_events(one, self.network_.n_inputs)
            run = self.network_.run(sample, n_threads=self.n_threads)
            neuron = run.spikes["neuron"].to_numpy()
            channel = self._tiling().map_channels(neuron, self.n_features)
            t = run.spikes["t"].to_numpy()
            yield Events(t, channel, self.n_map_channels, sample.duration), run.stats

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns: window, row and column of the pool, feature.

        Parameters
        ----------
        input_features : ignored
            For scikit-learn.

        Returns
        -------
        ndarray of str, shape (n_features_out_,)
        """
        check_as_fitted(self)
        units = self.unit_names()
        return np.array(
            [f"window{w}_{unit}" for w in range(self.n_windows) for unit in units], dtype=object
        )
