"""Samples of any form through the encoder of an estimator.

Lives here: which encoder is taken, and what a message says about a sample. Not here: what a sample
is (`estimator_input`), what sees the encoded samples (`layered`). Invariant: what is encoded for
training is encoded alike after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.encoding.tables import TableEncoder
from hrsnn_rs.encoding.time_series import GaussianFields, LevelCrossing, SeriesEncoder
from hrsnn_rs.encoding.tracking import TrackingEncoder
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.events.store import EventStore
from hrsnn_rs.learning.estimator_input import (
    as_sample,
    encode_one,
    fingerprint,
    is_table,
    peek,
    taken_apart,
)
from hrsnn_rs.learning.number_table import checked_table
from hrsnn_rs.learning.recipes import default_encoder
from hrsnn_rs.network.presets import SENSOR
from hrsnn_rs.network.training import short_enough

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
    from hrsnn_rs.events.events import Events
    from hrsnn_rs.learning.feature_layer import FeatureLayer
    from hrsnn_rs.network.network import Network

ENCODERS = (EventEncoder, TrackingEncoder, LevelCrossing, GaussianFields)
"""Kinds of encoder that the constructor takes; a file can hold each of them."""


class EncodedSamples:
    """What an estimator does with samples before anything learns; see `HRSNNClassifier`."""

    network: Network | None
    encoder: SensorEncoder | SeriesEncoder | None
    feature_layer: FeatureLayer | None
    dt: float | None
    sensor_size: tuple[int, int, int] | None
    network_: Network
    layer_: FeatureLayer | None
    encoder_: SensorEncoder | SeriesEncoder | TableEncoder | None
    n_features_in_: int
    _is_video: bool
    _seen: frozenset[int]

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
        return checked_table(self, "samples", table, reset=True)

    def _training_events(self, samples: Any, rows: NDArray[np.float64] | None) -> EventStore:
        """Set the encoder and encode all samples."""
        if rows is not None:
            code = self.encoder_ = TableEncoder.of_rows(rows)
            return EventStore(code.encode(row) for row in rows)
        self._is_video = getattr(samples, "is_video", False)
        first, everything = peek(samples)
        first = self._as_sample(0, first)
        n_channels = None
        if self.feature_layer is not None:
            n_channels = self.feature_layer.n_channels
        elif self.network is not None:
            n_channels = self.network.n_inputs
        self.encoder_ = self.encoder
        if self.encoder is None and isinstance(first, SensorEvents):
            size = (first.height, first.width)
            if n_channels is None:
                self.encoder_ = default_encoder(*size, is_video=self._is_video)
            elif n_channels != 2 * size[0] * size[1]:
                self.encoder_ = EventEncoder(*size, size=SENSOR)
        passing = self._each_encoded(everything, n_channels)
        if isinstance(samples, EventStore):
            # What lies in a store already is looked at, and stays there.
            for _ in passing:
                pass
            encoded = samples
        else:
            encoded = EventStore(passing)
        self.n_features_in_ = encoded[0].n_channels
        return encoded

    def _encoded(self, samples: Any) -> Iterator[Events]:
        """Stream samples through the fitted encoder."""
        code = self.encoder_
        if isinstance(code, TableEncoder):
            rows = checked_table(self, "samples", samples)
            return (code.encode(row) for row in rows)
        if is_table(samples):
            raise ShapeError("samples must be events, as in fit; got a table of numbers.")
        _, everything = peek(taken_apart(samples)[0])
        return self._each_encoded(everything, self.n_features_in_)

    def _each_encoded(self, samples: Iterable[Any], n_channels: int | None) -> Iterator[Events]:
        for index, given in enumerate(samples):
            sample = self._as_sample(index, given)
            try:
                yield short_enough(encode_one(sample, self.encoder_, n_channels))
            except (ParameterError, ShapeError) as error:
                raise type(error)(f"samples[{index}]: {error}") from error

    def _as_sample(self, index: int, given: Any) -> Any:
        if isinstance(self.encoder, SeriesEncoder):
            return given
        try:
            return as_sample(given, self.dt, self.sensor_size)
        except (ParameterError, ShapeError) as error:
            raise type(error)(f"samples[{index}]: {error}") from error
