"""The layers and a readout as a scikit-learn estimator: events and labels in, classes out.

The layers are calibrated and trained on the samples without their labels (`layered`); only the
linear readout sees labels. Encoding, simulation and the readout themselves live elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning.classifier_file import READ_OUT, read_classifier, write_classifier
from hrsnn_rs.learning.estimator_input import is_table, taken_apart
from hrsnn_rs.learning.fitted_as import check_as_fitted, remember_fit
from hrsnn_rs.learning.labels import (
    check_two_classes,
    checked_groups,
    checked_weights,
    encode,
    weights_of_classes,
)
from hrsnn_rs.learning.layered import LayeredFeatures
from hrsnn_rs.learning.live import LiveStream
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.settings import check_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.description.connectivity import Connectivity
    from hrsnn_rs.description.parameters import LIF, STDP
    from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
    from hrsnn_rs.encoding.time_series import SeriesEncoder
    from hrsnn_rs.learning.feature_layer import FeatureLayer
    from hrsnn_rs.learning.feature_table import FeatureTable
    from hrsnn_rs.network.network import Network


class HRSNNClassifier(LayeredFeatures, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Spiking layers that learn without labels, and a linear readout.

    Parameters
    ----------
    network : Network, default=None
        Recurrent network to start from; it is copied, never changed. `None` means
        `presets.default_network`.
    encoder : EventEncoder, TrackingEncoder, LevelCrossing or GaussianFields, default=None
        From sensor events, or from time series, to input channels. `None` means
        `default_encoder` of the first sample's sensor: 32x32 pixels and two polarities, which
        follow who moves where a data set is one of videos. Samples that are `Events` already need
        none.
    readout : Readout, default=None
        Readout to fit; it is cloned. `None` means `Readout()`, whose parameters can be set all the
        same: `set_params(readout__alpha=10.0)`.
    feature_layer : FeatureLayer, default=None
        Layer to start from; it is cloned, and its windows and threads are those given here. `None`
        means `default_layer` of the encoder.
    layers : {"auto", "features", "recurrent", "stacked", "both"}, default="auto"
        "features": a feature layer, whose pooled counts are read out. "recurrent": the network,
        straight on the input channels. "stacked": the network on top of a feature layer;
        "both": the same, with the counts of both read out. "auto" means features for events of a
        sensor, and the network for everything else, unless one or both of them are given; a warning
        names parameters of the network that were set for nothing.
    n_neurons : int, default=None
        Neurons of the default network, of which `None` makes 1000, or 100 for a table.
    neuron : LIF, default=None
        Neurons of the default network; laws can be set and searched by `neuron__tau_m` and the
        like. `None` means `presets.default_neuron()`.
    plasticity : STDP, default=None
        Rule of the default network, as `plasticity__a_plus`. `None` means
        `presets.default_plasticity()`.
    inputs, recurrent : Connectivity, default=None
        Who reaches whom in the default network, as `inputs__k`, `recurrent__weight`; any rule but
        an `ExplicitConnectivity`. `None` means `presets.default_inputs()` and
        `presets.default_recurrent()`, which take the plane of the samples.
    n_windows : int, default=4
        Windows in which the spikes of a sample are counted.
    windows : {"events", "time"}, default="events"
        Windows of equal shares of the sample's input events, or of equal time.
    features : {"counts", "lowpass", "both"}, default="counts"
        What `Network.transform` gives for each window and neuron.
    epochs : int, default=1
        Passes of the network's training over the samples; 0 leaves all weights as drawn, those of
        features too.
    batch : int, default=1
        Samples that learn side by side, an approximation where above 1; see `Network.train`.
    rate : float or None, default=3.0
        Mean rate in Hz to which the network's input gain is calibrated; a feature layer has its
        own `spikes`. `None` leaves the gain.
    n_calibration : int, default=64
        Samples, evenly spaced among the training samples, that calibration looks at.
    seed : int, default=0
        Seed of the default layers. What is given has a seed of its own.
    n_threads : int, default=None
        Threads of each call; the result does not depend on them. `None` means all cores.
    progress : bool, default=False
        Whether training shows a progress bar.
    checkpoint : str or path, default=None
        Folder from which a training that was stopped goes on; see `Network.train`.
    checkpoint_every : int, default=None
        Samples between two checkpoints; `None` means every 30 s.
    dt : float, default=None
        Length in ms of a step, for samples that are arrays of counts: (time, channels), or
        (time, polarity, y, x) as tonic's `ToFrame` gives them; several as one array or a list.
    sensor_size : tuple of int, default=None
        (width, height, polarities), for samples that are structured arrays, as tonic has them.
    class_weight : mapping of label to float, "balanced" or None, default=None
        As in `Readout`; `None` leaves it to `readout`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels, of the type that was given.
    layers_ : str
        What `layers` came to be.
    layer_ : FeatureLayer or None
        The fitted feature layer.
    network_ : Network
        The calibrated, trained network: the recurrent one, or else that of the feature layer.
    encoder_ : EventEncoder, TrackingEncoder, LevelCrossing, GaussianFields, TableEncoder or None
        The encoder that is used; `None` when samples are taken as they are.
    readout_ : Readout
        The fitted readout.
    calibration_ : Calibration or None
        Gain and rate that calibration of `network_` reached; `None` where `rate` is.
    duration_ : int or None
        Median length of the training samples in µs; `None` where the file of a model does not know.
    groups_ : list
        Sorted groups of the training samples; empty when none were given.
    n_features_in_ : int
        Input channels of the network, or columns of the table.

    Notes
    -----
    A two-dimensional array of numbers (or a frame, or a list of rows) is taken as a table: each
    column is coded by the rates of a few input channels (`tables.TableEncoder`).

    A data set of `hrsnn_rs.datasets` can stand for samples wherever they are asked for, and for its
    labels and subjects where none are given; nothing is read before its turn. Cross-validation by
    persons is `cross_val_score(classifier, data, data.labels, groups=data.groups,
    cv=GroupKFold(5))`; without `groups`, scikit-learn has persons on both sides.

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
        dt: float | None = None,
        sensor_size: tuple[int, int, int] | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        feature_layer: FeatureLayer | None = None,
        layers: str = "auto",
        n_neurons: int | None = None,
        neuron: LIF | None = None,
        plasticity: STDP | None = None,
        inputs: Connectivity | None = None,
        recurrent: Connectivity | None = None,
    ) -> None:
        self.network = network
        self.encoder = encoder
        self.readout = readout
        self.feature_layer = feature_layer
        self.layers = layers
        self.n_neurons = n_neurons
        self.neuron = neuron
        self.plasticity = plasticity
        self.inputs = inputs
        self.recurrent = recurrent
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
        self.dt = dt
        self.sensor_size = sensor_size
        self.class_weight = class_weight

    def fit(
        self,
        samples: Any,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Calibrate, train without labels, and fit the readout.

        Parameters
        ----------
        samples : data set, or iterable of Events, of SensorEvents, or of what `Network.run` accepts
            Training samples, or pairs (sample, label); or a table of shape (n_samples, n_columns).
            Not changed.
        y : array of shape (n_samples,), default=None
            Labels, as for `Readout.fit`; only the readout sees them. `None` means those of the data
            set or of the pairs.
        groups : array of shape (n_samples,), default=None
            Who made each sample: the readout's penalty is then judged on left-out groups, and
            the model remembers whom it has seen. `None` means the subjects of a data set that
            knows them.
        sample_weight : array of shape (n_samples,), default=None
            Weight of each sample in the readout. The network, which learns without labels, learns
            from each alike.

        Returns
        -------
        HRSNNClassifier
            Itself.

        Raises
        ------
        ParameterError
            If a setting, a sample, a label, a group or a weight has a value that is not allowed;
            all but samples are looked at before the work begins.
        ShapeError
            If samples, labels and groups are not equally many.
        CalibrationError
            If the rate cannot be reached.
        """
        readout = self._checked_readout()
        samples, own_labels, own_groups = taken_apart(samples)
        rows = self._training_rows(samples) if is_table(samples) else None
        y = own_labels if y is None else y
        if y is None:
            raise ParameterError(
                "HRSNNClassifier requires y to be passed, but the target y is None; only a data "
                "set and pairs (sample, label) bring their own."
            )
        labels = encode("y", y)
        n_samples = len(labels.codes)
        if hasattr(samples, "__len__"):
            _check_equally_many(len(samples), n_samples)
        names = checked_groups(own_groups if groups is None else groups, n_samples)
        weights = checked_weights(sample_weight, n_samples)
        taken = weights_of_classes(readout.class_weight, labels, weights) > 0
        check_two_classes(len(np.unique(labels.codes[taken])))
        events = self._training_events(samples, rows)
        _check_equally_many(len(events), n_samples)

        self._learn(events)
        if readout.scaling == "auto" and self.layer_ is not None:
            readout.set_params(scaling="common")
        known = None if names is None else names.values[names.codes]
        self.readout_ = readout.fit(
            self._counted(events)[0],
            labels.values[labels.codes],
            known,
            weights,
        )
        self.classes_ = self.readout_.classes_
        self.groups_ = [] if names is None else names.values.tolist()
        self._remember(events)
        remember_fit(self, READ_OUT)
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
        table = self._table(samples)
        return self.readout_.decision_function(table)

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
        table = self._table(samples)
        return self.readout_.predict(table)

    def predict_proba(self, samples: Any) -> NDArray[np.float64]:
        """Give the probability of each class, calibrated on left-out training samples.

        Parameters
        ----------
        samples : iterable, or table of shape (n_samples, n_columns)
            As for `fit`. Not changed; an iterator is streamed.

        Returns
        -------
        float64 ndarray of shape (n_samples, n_classes)
            As `Readout.predict_proba`; the columns are in the order of `classes_`.

        Raises
        ------
        ParameterError, ShapeError
            As `decision_function`.
        """
        table = self._table(samples)
        return self.readout_.predict_proba(table)

    def score(
        self, samples: Any, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """Give the share of samples that are named rightly.

        Parameters
        ----------
        samples : data set, iterable, or table of shape (n_samples, n_columns)
            As for `fit`. Not changed; an iterator is streamed.
        y : array of shape (n_samples,), default=None
            True labels. `None` means those of the data set or of the pairs.
        sample_weight : array of shape (n_samples,), default=None
            Weight of each sample. `None` means 1.

        Returns
        -------
        float
            Between 0 and 1.

        Raises
        ------
        ParameterError, ShapeError
            As `decision_function`, or if there are no labels.
        """
        check_as_fitted(self)
        samples, own_labels, _ = taken_apart(samples)
        y = own_labels if y is None else y
        if y is None:
            raise ParameterError("y must be given; only a data set or pairs bring their own.")
        return self.readout_.score(self._table(samples), y, sample_weight)

    def stream(self, *, every: float = 50.0, window: float | None = None) -> LiveStream:
        """Begin to work on a stream of events as a camera sends them.

        The encoder must know the past alone: an `EventEncoder` without `centre` and `quantum`, or a
        causal `TrackingEncoder`.

        Parameters
        ----------
        every : float, default=50.0
            ms from score to score.
        window : float, default=None
            How much of the past a score looks at, in ms; it is cut into `n_windows`. `None`: the
            median length of the training samples.

        Returns
        -------
        LiveStream
            At rest; `push` gives it chunks of events.

        Raises
        ------
        ParameterError
            If the encoder waits for later events (the message says how to train another), samples
            were not events of a sensor, or a time is not above 0.
        """
        return LiveStream(self, every=every, window=window)

    def save(self, path: str | PathLike[str], metadata: Mapping[str, Any] | None = None) -> None:
        """Write the estimator, all that it was given and has learned, to one safetensors file.

        Parameters
        ----------
        path : path
            File to write; replaced if it is there.
        metadata : mapping, default=None
            More that JSON can hold, kept under "notes" (`notes_` after `load`).

        Raises
        ------
        ParameterError
            If `metadata` is not what JSON can hold, a parameter has been set to nonsense since the
            fit, or `n_windows`, `windows` or `features` to anything else.
        OSError
            If the file cannot be written.
        """
        check_as_fitted(self)
        check_settings(self)
        write_classifier(self, path, metadata)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a file that `save` wrote: the same estimator, which predicts and fits the same bits.

        Parameters
        ----------
        path : path
            File to read.

        Returns
        -------
        HRSNNClassifier
            Fitted, with the parameters that the constructor was given.

        Raises
        ------
        FormatError
            If the file is not a model of this class.
        OSError
            If the file cannot be read.
        """
        classifier: Self = read_classifier(cls, path)
        return classifier

    def _table(self, samples: Any) -> FeatureTable:
        check_as_fitted(self)
        return self._counted(self._encoded(samples))[0]

    def _checked_readout(self) -> Readout:
        """Refuse what would be found out late, or not at all; give the readout to fit."""
        self._check_layers()
        readout: Readout = Readout() if self.readout is None else clone(self.readout)
        if self.class_weight is not None:
            readout.set_params(class_weight=self.class_weight)
        return readout


def _check_equally_many(n_samples: int, n_labels: int) -> None:
    if n_samples != n_labels or n_samples == 0:
        raise ShapeError(
            f"samples and y must be equally many, at least 1; got {n_samples} and {n_labels}."
        )
