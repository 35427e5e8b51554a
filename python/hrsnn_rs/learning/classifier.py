"""The network as a scikit-learn estimator: events and labels in, classes out.

Fitting is four steps that see different things: the gain is calibrated and the recurrent
layer trained on the samples without their labels; features are window counts; only the
linear readout sees labels. Encoding, simulation and the readout themselves live elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from hrsnn_rs.arguments import as_array, check_integer, check_truth
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
from hrsnn_rs.encoding.tables import TableEncoder
from hrsnn_rs.encoding.time_series import GaussianFields, LevelCrossing, SeriesEncoder
from hrsnn_rs.encoding.tracking import TrackingEncoder
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.learning.estimator_input import encode_one, fingerprint, is_table, peek
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.network.network import Network
from hrsnn_rs.network.presets import SENSOR, default_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.events.events import Events
    from hrsnn_rs.network.results import Calibration

_KIND = "HRSNNClassifier"
_ENCODERS: dict[str, type[SensorEncoder | SeriesEncoder | TableEncoder]] = {
    kind.__name__: kind
    for kind in (EventEncoder, GaussianFields, LevelCrossing, TableEncoder, TrackingEncoder)
}
_N_NEURONS = 1000
_N_NEURONS_TABLE = 100


class HRSNNClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Recurrent spiking network that learns without labels, and a linear readout.

    Parameters
    ----------
    network : Network, default=None
        Network to start from; it is copied, never changed. `None` means
        `presets.default_network`, of 1000 neurons, or 100 for a table.
    encoder : EventEncoder, TrackingEncoder, LevelCrossing or GaussianFields, default=None
        From sensor events, or from time series, to input channels. `None` means 32x32 pixels and
        two polarities of the first sample's sensor; samples that are `Events` already need none.
    readout : Readout, default=None
        Readout to fit; it is cloned. `None` means `Readout()`.
    n_windows : int, default=4
        Windows in which the spikes of a sample are counted.
    windows : {"events", "time"}, default="events"
        Windows of equal shares of the sample's input events, or of equal time.
    features : {"counts", "lowpass", "both"}, default="counts"
        What `Network.transform` gives for each window and neuron.
    epochs : int, default=1
        Passes of unsupervised training over the samples; 0 leaves the weights as drawn.
    batch : int, default=1
        Samples that learn side by side, an approximation where above 1; see `Network.train`.
    rate : float or None, default=3.0
        Mean rate in Hz to which the input gain is calibrated. `None` leaves the gain.
    n_calibration : int, default=64
        Samples, evenly spaced among the training samples, that calibration looks at.
    seed : int, default=0
        Seed of the default network. A given network has a seed of its own.
    n_threads : int, default=None
        Threads of each call; the result does not depend on them. `None` means all cores.
    progress : bool, default=False
        Whether training shows a progress bar.
    checkpoint : str or path, default=None
        Folder from which a training that was stopped goes on; see `Network.train`.
    checkpoint_every : int, default=None
        Samples between two checkpoints; `None` means every 30 s.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    network_ : Network
        The calibrated, trained network.
    encoder_ : EventEncoder, TrackingEncoder, LevelCrossing, GaussianFields, TableEncoder or None
        The encoder that is used; `None` when samples are taken as they are.
    readout_ : Readout
        The fitted readout.
    calibration_ : Calibration or None
        Gain and rate that calibration reached.
    groups_ : list
        Sorted groups of the training samples; empty when none were given.
    n_features_in_ : int
        Input channels of the network, or columns of the table.

    Notes
    -----
    A two-dimensional array of numbers (or a frame, or a list of rows) is taken as a table: each
    column is coded by the rates of a few input channels (`tables.TableEncoder`).

    Examples
    --------
    >>> import numpy as np
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.learning import HRSNNClassifier
    >>> from hrsnn_rs.network import default_network
    >>> random = np.random.default_rng(0)
    >>> def clip(label):
    ...     t = np.sort(random.integers(0, 500_000, 300))
    ...     return hr.Events(t, random.integers(8 * label, 8 * label + 12, 300), n_channels=20,
    ...                      duration=500_000)
    >>> labels = [0, 1] * 10
    >>> samples = [clip(label) for label in labels]
    >>> network = default_network(20, sensor=None, n_neurons=60, seed=3)
    >>> classifier = HRSNNClassifier(network=network, n_windows=2, rate=10.0)
    >>> classifier.fit(samples[:14], labels[:14]).score(samples[14:], labels[14:])
    1.0
    >>> classifier.seen(samples).sum()
    np.int64(14)
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "model.safetensors")
    ...     classifier.save(path)
    ...     HRSNNClassifier.load(path).score(samples[14:], labels[14:])
    1.0
    """

    encoder_: SensorEncoder | SeriesEncoder | TableEncoder | None
    calibration_: Calibration | None

    def __init__(
        self,
        network: Network | None = None,
        encoder: SensorEncoder | SeriesEncoder | None = None,
        readout: Readout | None = None,
        n_windows: int = 4,
        windows: str = "events",
        features: str = "counts",
        epochs: int = 1,
        batch: int = 1,
        rate: float | None = 3.0,
        n_calibration: int = 64,
        seed: int = 0,
        n_threads: int | None = None,
        progress: bool = False,
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: int | None = None,
    ) -> None:
        self.network = network
        self.encoder = encoder
        self.readout = readout
        self.n_windows = n_windows
        self.windows = windows
        self.features = features
        self.epochs = epochs
        self.batch = batch
        self.rate = rate
        self.n_calibration = n_calibration
        self.seed = seed
        self.n_threads = n_threads
        self.progress = progress
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every

    def fit(self, samples: Any, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Calibrate, train without labels, and fit the readout.

        Parameters
        ----------
        samples : iterable of Events, of SensorEvents, or of what `Network.run` accepts
            Training samples; or a table of shape (n_samples, n_columns). Not changed.
        y : array of shape (n_samples,)
            Labels: integers or strings. Only the readout sees them.
        groups : array of shape (n_samples,), default=None
            Who made each sample: the readout's penalty is then judged on left-out groups, and
            the model remembers whom it has seen.

        Returns
        -------
        HRSNNClassifier
            Itself.

        Raises
        ------
        ParameterError
            If a setting or a sample has a value that is not allowed.
        ShapeError
            If samples, labels and groups are not equally many.
        CalibrationError
            If the rate cannot be reached.
        """
        self._check_settings()
        events, labels = self._training_samples(samples, y)
        names = None if groups is None else as_array("groups", groups)
        if names is not None and names.shape != labels.shape:
            raise ShapeError(f"groups must have shape {labels.shape}; got {names.shape}.")
        if len(np.unique(labels)) < 2:
            raise ParameterError("y must hold at least two classes; got 1 class.")
        network = self._network_for(events[0])
        self.calibration_ = None
        if self.rate is not None:
            self.calibration_ = network.calibrate(
                events, rate=self.rate, n_samples=self.n_calibration, n_threads=self.n_threads
            )
        if self.epochs:
            network.train(
                events,
                epochs=self.epochs,
                batch=self.batch,
                progress=self.progress,
                n_threads=self.n_threads,
                checkpoint=self.checkpoint,
                checkpoint_every=self.checkpoint_every,
            )
        self.network_ = network
        counts = self._features(events)
        readout = Readout() if self.readout is None else clone(self.readout)
        self.readout_ = readout.fit(counts, labels, groups=names)
        self.classes_ = self.readout_.classes_
        self.groups_ = [] if names is None else np.unique(names).tolist()
        self._seen = frozenset(fingerprint(sample) for sample in events)
        return self

    def decision_function(self, samples: Any) -> NDArray[np.float64]:
        """Give the distance of each sample from each class's boundary.

        Parameters
        ----------
        samples : iterable, or table of shape (n_samples, n_columns)
            As for `fit`. Not changed; an iterator is streamed.

        Returns
        -------
        float64 ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            Larger is likelier; the columns are in the order of `classes_`.

        Raises
        ------
        ParameterError, ShapeError
            If a sample has a value or a number of channels that is not allowed.
        """
        counts = self.window_features(samples)
        return self.readout_.decision_function(counts)

    def predict(self, samples: Any) -> NDArray[Any]:
        """Name the class of each sample.

        Parameters
        ----------
        samples : iterable, or table of shape (n_samples, n_columns)
            As for `fit`. Not changed; an iterator is streamed.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.

        Raises
        ------
        ParameterError, ShapeError
            As `decision_function`.
        """
        counts = self.window_features(samples)
        return self.readout_.predict(counts)

    def window_features(self, samples: Any) -> NDArray[Any]:
        """Give the features that the readout sees.

        Parameters
        ----------
        samples : iterable, or table of shape (n_samples, n_columns)
            As for `fit`. Not changed; an iterator is streamed.

        Returns
        -------
        ndarray of shape (n_samples, n_windows, n_neurons)
            Counts of spikes (twice as wide for `features="both"`).

        Raises
        ------
        ParameterError, ShapeError
            As `decision_function`.
        """
        check_is_fitted(self)
        return self._features(self._encoded(samples))

    def seen(self, samples: Any) -> NDArray[np.bool_]:
        """Say of each sample whether it was among the training samples, bit by bit.

        Parameters
        ----------
        samples : iterable, or table of shape (n_samples, n_columns)
            As for `fit`. Not changed.

        Returns
        -------
        bool ndarray of shape (n_samples,)
            True where the encoded events are those of a training sample.
        """
        check_is_fitted(self)
        return np.array([fingerprint(one) in self._seen for one in self._encoded(samples)], bool)

    def save(self, path: str | PathLike[str], metadata: Mapping[str, Any] | None = None) -> None:
        """Write network, encoder and readout to one safetensors file.

        Parameters
        ----------
        path : path
            File to write; replaced if it is there.
        metadata : mapping, default=None
            More that JSON can hold, kept under "notes" (`notes_` after `load`).

        Raises
        ------
        ParameterError
            If labels or groups are neither integers nor strings.
        OSError
            If the file cannot be written.
        """
        check_is_fitted(self)
        arrays = {f"readout.{name}": array for name, array in self.readout_.to_arrays().items()}
        arrays["training.fingerprints"] = np.array(sorted(self._seen), dtype=np.int64)
        encoder = self.encoder_
        fields = {
            "kind": _KIND,
            "encoder": None if encoder is None else encoder.to_dict(),
            "encoder_kind": None if encoder is None else type(encoder).__name__,
            "parameters": {
                name: getattr(self, name)
                for name in (
                    "n_windows",
                    "windows",
                    "features",
                    "epochs",
                    "batch",
                    "rate",
                    "seed",
                )
            },
            "n_features_in": self.n_features_in_,
            "groups": self.groups_,
            "notes": dict(metadata or {}),
        }
        self.network_.save(path, extra=arrays, metadata=fields)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a file that `save` wrote; predictions are the same bits.

        Parameters
        ----------
        path : path
            File to read.

        Returns
        -------
        HRSNNClassifier
            Fitted; `network_`, `encoder_` and `readout_` are those of the file.

        Raises
        ------
        FormatError
            If the file is not a model of this class.
        OSError
            If the file cannot be read.
        """
        network, arrays, fields = Network.load_with_extra(path)
        try:
            if fields["kind"] != _KIND:
                raise KeyError("kind")
            classifier = cls(**fields["parameters"])
            kind = fields["encoder_kind"]
            classifier.encoder_ = (
                None if kind is None else _ENCODERS[kind].from_dict(fields["encoder"])
            )
            classifier.n_features_in_ = int(fields["n_features_in"])
            classifier.groups_ = list(fields["groups"])
            classifier.notes_ = dict(fields["notes"])
            classifier._seen = frozenset(arrays["training.fingerprints"].tolist())
            prefix = "readout."
            classifier.readout_ = Readout.from_arrays(
                {
                    name.removeprefix(prefix): array
                    for name, array in arrays.items()
                    if name.startswith(prefix)
                }
            )
            width = network.n_neurons * (2 if classifier.features == "both" else 1)
            if classifier.readout_.n_features_in_ != classifier.n_windows * width:
                raise ValueError("the readout does not fit the network")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise FormatError(f"{path} is not a classifier's model file: {error!r}.") from error
        classifier.classes_ = classifier.readout_.classes_
        classifier.network_ = network
        classifier.calibration_ = None
        return classifier

    def _check_settings(self) -> None:
        """Refuse what would be found out late, or not at all."""
        check_integer("epochs", self.epochs)
        check_integer("batch", self.batch, 1)
        check_integer("n_calibration", self.n_calibration, 1)
        check_integer("seed", self.seed)
        check_truth("progress", self.progress)
        for name, kind in (
            ("network", Network),
            ("encoder", SensorEncoder | SeriesEncoder),
            ("readout", Readout),
        ):
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                what = getattr(kind, "__name__", "encoder of samples")
                raise ParameterError(f"{name} must be a {what} or None; got {value!r}.")

    def _training_samples(self, samples: Any, y: ArrayLike) -> tuple[list[Events], NDArray[Any]]:
        """Decide what `samples` are, set the encoder, and encode them all."""
        if is_table(samples):
            rows, labels = _checked_by_sklearn(
                lambda: validate_data(self, samples, y, dtype=np.float64)
            )
            code = self.encoder_ = TableEncoder.of_rows(rows)
            encoded = [code.encode(row) for row in rows]
        else:
            labels = _checked_by_sklearn(lambda: column_or_1d(y, warn=True))
            first, everything = peek(samples)
            self.encoder_ = self.encoder
            if self.encoder is None and isinstance(first, SensorEvents):
                pixels = first.height * first.width
                if self.network is None or self.network.n_inputs != 2 * pixels:
                    self.encoder_ = EventEncoder(first.height, first.width, size=SENSOR)
            n_channels = None if self.network is None else self.network.n_inputs
            encoded = list(self._each_encoded(everything, n_channels))
            self.n_features_in_ = encoded[0].n_channels if encoded else 0
        if labels.dtype.kind not in "iuUS":
            _checked_by_sklearn(lambda: check_classification_targets(labels))
        if len(encoded) != len(labels) or not encoded:
            raise ShapeError(
                f"samples and y must be equally many, at least 1; got {len(encoded)} "
                f"and {len(labels)}."
            )
        return encoded, labels

    def _encoded(self, samples: Any) -> Iterator[Events]:
        """Stream samples through the fitted encoder."""
        code = self.encoder_
        if isinstance(code, TableEncoder):
            rows = _checked_by_sklearn(
                lambda: validate_data(self, samples, reset=False, dtype=np.float64)
            )
            return (code.encode(row) for row in rows)
        if is_table(samples):
            raise ShapeError("samples must be events, as in fit; got a table of numbers.")
        return self._each_encoded(samples, self.network_.n_inputs)

    def _each_encoded(self, samples: Iterable[Any], n_channels: int | None) -> Iterator[Events]:
        for index, sample in enumerate(samples):
            try:
                yield encode_one(sample, self.encoder_, n_channels)
            except (ParameterError, ShapeError) as error:
                raise type(error)(f"samples[{index}]: {error}") from error

    def _network_for(self, first: Events) -> Network:
        """Copy the given network, or make the default one for such samples."""
        if self.network is not None:
            return self.network.copy()
        sensor = self.encoder_.sensor if isinstance(self.encoder_, SensorEncoder) else None
        is_table = isinstance(self.encoder_, TableEncoder)
        return default_network(
            first.n_channels,
            sensor=sensor,
            n_neurons=_N_NEURONS_TABLE if is_table else _N_NEURONS,
            seed=self.seed,
        )

    def _features(self, events: Iterable[Events]) -> NDArray[Any]:
        features: NDArray[Any] = self.network_.transform(
            events,
            n_windows=self.n_windows,
            windows=self.windows,
            features=self.features,
            n_threads=self.n_threads,
        )
        return features


def _checked_by_sklearn(check: Callable[[], Any]) -> Any:
    """Run a check of scikit-learn and raise our errors with its words."""
    try:
        return check()
    except ValueError as error:
        words = str(error)
        kind = ParameterError if "NaN" in words or "infinity" in words else ShapeError
        raise kind(f"samples or y: {words}") from error
