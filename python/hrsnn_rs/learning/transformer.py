"""The layers as a scikit-learn transformer: events in, counts out.

Lives here: the estimator that any classifier of scikit-learn can stand on. Not here: what the
layers do (`layered`), and labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from hrsnn_rs.learning.estimator_input import is_table, taken_apart
from hrsnn_rs.learning.layered import LayeredFeatures

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from hrsnn_rs.description.connectivity import Connectivity
    from hrsnn_rs.description.parameters import LIF, STDP
    from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
    from hrsnn_rs.encoding.time_series import SeriesEncoder
    from hrsnn_rs.learning.feature_layer import FeatureLayer
    from hrsnn_rs.network.network import Network


class HRSNNTransformer(LayeredFeatures, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Spiking layers that learn without labels: from samples to counts of spikes.

    Parameters
    ----------
    network, encoder, feature_layer, layers, n_neurons, neuron, plasticity, inputs, recurrent
        As in `HRSNNClassifier`.
    n_windows, windows, features, epochs, batch, rate, n_calibration, seed
        As in `HRSNNClassifier`.
    n_threads, progress, checkpoint, checkpoint_every, dt, sensor_size
        As in `HRSNNClassifier`.

    Attributes
    ----------
    layers_, layer_, network_, encoder_, calibration_, n_features_in_
        As in `HRSNNClassifier`.
    n_units : int
        Numbers that a window of a sample becomes.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.learning import FeatureLayer, HRSNNTransformer
    >>> clips = make_gestures(n_subjects=2, n_repeats=1, size=32, duration=200_000)
    >>> layer = FeatureLayer(n_features=4, n_patches=50, spikes=50.0, pool=8)
    >>> layers = HRSNNTransformer(feature_layer=layer, n_windows=2)
    >>> layers.fit(clips).transform(clips).shape
    (22, 32)
    >>> layers.get_feature_names_out()[0]
    'window0_row0_column0_feature0'
    """

    def __init__(
        self,
        network: Network | None = None,
        encoder: SensorEncoder | SeriesEncoder | None = None,
        feature_layer: FeatureLayer | None = None,
        layers: str = "auto",
        n_neurons: int | None = None,
        neuron: LIF | None = None,
        plasticity: STDP | None = None,
        inputs: Connectivity | None = None,
        recurrent: Connectivity | None = None,
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
    ) -> None:
        self.network = network
        self.encoder = encoder
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

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that counts are float32 whatever comes in."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def fit(self, samples: Any, y: Any = None) -> Self:
        """Calibrate and train the layers.

        Parameters
        ----------
        samples : data set, iterable of samples, or table of shape (n_samples, n_columns)
            As for `HRSNNClassifier.fit`. Not changed.
        y : ignored
            For scikit-learn.

        Returns
        -------
        HRSNNTransformer
            Itself.

        Raises
        ------
        ParameterError, ShapeError
            If a setting or a sample has a value that is not allowed.
        CalibrationError
            If the rate cannot be reached.
        """
        self._check_layers()
        samples, _, _ = taken_apart(samples)
        rows = self._training_rows(samples) if is_table(samples) else None
        events = self._training_events(samples, rows)
        self._learn(events)
        self._remember(events)
        return self

    def transform(self, samples: Any) -> NDArray[Any]:
        """Give the counts of each sample.

        Parameters
        ----------
        samples : iterable of samples, or table of shape (n_samples, n_columns)
            As for `fit`. Not changed; an iterator is streamed.

        Returns
        -------
        float32 ndarray of shape (n_samples, n_windows * n_units)
            Window by window.

        Raises
        ------
        ParameterError, ShapeError
            If a sample has a value or a number of channels that is not allowed.
        """
        counts = self.window_features(samples)
        return counts.reshape(len(counts), -1)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns: window; then row and column of a pool and feature, or neuron.

        Parameters
        ----------
        input_features : ignored
            For scikit-learn.

        Returns
        -------
        ndarray of str, shape (n_windows * n_units,)
        """
        check_is_fitted(self)
        return np.array(
            [f"window{w}_{unit}" for w in range(self.n_windows) for unit in self._unit_names()],
            dtype=object,
        )
