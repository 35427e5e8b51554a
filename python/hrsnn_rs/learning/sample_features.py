"""Samples of any form through the encoder and the network of an estimator: into window counts.

Lives here: which encoder is taken, and what a message says about a sample. Not here: what a sample
is (`estimator_input`), fitting. Invariant: what is encoded for training is encoded alike after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.encoding.tables import TableEncoder
from hrsnn_rs.encoding.time_series import GaussianFields, LevelCrossing, SeriesEncoder
from hrsnn_rs.encoding.tracking import TrackingEncoder
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.learning.estimator_input import (
    as_sample,
    encode_one,
    fingerprint,
    is_table,
    peek,
    taken_apart,
)
from hrsnn_rs.network.presets import SENSOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
    from hrsnn_rs.events.events import Events
    from hrsnn_rs.network.network import Network

ENCODERS = (EventEncoder, TrackingEncoder, LevelCrossing, GaussianFields)
"""Kinds of encoder that the constructor takes; a file can hold each of them."""


class SampleFeatures:
    """What `HRSNNClassifier` does with samples; its parameters are described there."""

    network: Network | None
    encoder: SensorEncoder | SeriesEncoder | None
    dt: float | None
    sensor_size: tuple[int, int, int] | None
    n_windows: int
    windows: str
    features: str
    n_threads: int | None
    network_: Network
    encoder_: SensorEncoder | SeriesEncoder | TableEncoder | None
    n_features_in_: int
    _seen: frozenset[int]

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

    def _training_rows(self, table: Any) -> NDArray[np.float64]:
        if self.dt is not None or self.sensor_size is not None:
            name = "sensor_size" if self.dt is None else "dt"
            raise ParameterError(
                f"{name} must be None where samples are a table; one array (time, channels) is "
                "one sample: put it into a list."
            )
        rows: NDArray[np.float64] = _checked_by_sklearn(
            lambda: validate_data(self, table, dtype=np.float64)
        )
        return rows

    def _training_events(self, samples: Any, rows: NDArray[np.float64] | None) -> list[Events]:
        """Set the encoder and encode all samples."""
        if rows is not None:
            code = self.encoder_ = TableEncoder.of_rows(rows)
            return [code.encode(row) for row in rows]
        first, everything = peek(samples)
        first = self._as_sample(0, first)
        self.encoder_ = self.encoder
        if self.encoder is None and isinstance(first, SensorEvents):
            pixels = first.height * first.width
            if self.network is None or self.network.n_inputs != 2 * pixels:
                self.encoder_ = EventEncoder(first.height, first.width, size=SENSOR)
        n_channels = None if self.network is None else self.network.n_inputs
        encoded = list(self._each_encoded(everything, n_channels))
        self.n_features_in_ = encoded[0].n_channels
        return encoded

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
        _, everything = peek(taken_apart(samples)[0])
        return self._each_encoded(everything, self.network_.n_inputs)

    def _each_encoded(self, samples: Iterable[Any], n_channels: int | None) -> Iterator[Events]:
        for index, given in enumerate(samples):
            sample = self._as_sample(index, given)
            try:
                yield encode_one(sample, self.encoder_, n_channels)
            except (ParameterError, ShapeError) as error:
                raise type(error)(f"samples[{index}]: {error}") from error

    def _as_sample(self, index: int, given: Any) -> Any:
        if isinstance(self.encoder, SeriesEncoder):
            return given
        try:
            return as_sample(given, self.dt, self.sensor_size)
        except (ParameterError, ShapeError) as error:
            raise type(error)(f"samples[{index}]: {error}") from error

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
        raise kind(f"samples: {words}") from error
