"""Early recognition: what a classifier says when it has seen a part of each clip.

Lives here: where clips are cut, and the table of accuracies. Not here: streams, whose scores these
are while their window holds all of a clip (`live`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hrsnn_rs.arguments import as_array, check_array
from hrsnn_rs.encoding.sensor_encoder import SensorEncoder, beginning
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import kind_of
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.learning.estimator_input import check_samples, taken_apart
from hrsnn_rs.learning.fitted_as import check_classifier
from hrsnn_rs.learning.labels import codes_among

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["SHARES", "early_recognition"]

#: Shares of a clip that are looked at.
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def early_recognition(
    classifier: Any,
    samples: Any,
    y: ArrayLike | None = None,
    *,
    shares: Sequence[float] = SHARES,
) -> pl.DataFrame:
    """Measure the accuracy against the share of each clip that was seen.

    A clip of which a share is seen is one that ends there: its windows are those of what was seen.
    A stream whose window is as long as the clip gives the same scores (`HRSNNClassifier.stream`).

    Parameters
    ----------
    classifier : HRSNNClassifier
        Fitted on events of a sensor. Not changed.
    samples : data set, or iterable of SensorEvents
        Clips; with their labels where they are a data set or pairs.
    y : array of shape (n_samples,), default=None
        True labels. `None` means those of the data set or of the pairs.
    shares : sequence of float, default=0.1, 0.2, ... 1.0
        Above 0 and at most 1, increasing.

    Returns
    -------
    polars.DataFrame
        A row for each share: `share`, `seen` (mean time seen, ms), `n_samples`, `accuracy`.

    Raises
    ------
    ParameterError, ShapeError
        If the classifier or a sample is of another kind, a share out of its range, or labels are
        missing or of another number.

    Examples
    --------
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.learning import FeatureLayer, HRSNNClassifier, early_recognition
    >>> clips = hr.make_gestures(2, 1, duration=400_000)
    >>> layer = FeatureLayer(n_features=4, n_patches=50, spikes=100.0)
    >>> classifier = HRSNNClassifier(feature_layer=layer).fit(clips)
    >>> early_recognition(classifier, clips, shares=[0.5, 1.0])["share"].to_list()
    [0.5, 1.0]
    """
    check_classifier(classifier)
    encoder = classifier.encoder_
    if not isinstance(encoder, SensorEncoder):
        raise ParameterError(f"classifier must have an encoder of sensor events; got {encoder!r}.")
    values = as_array("shares", shares)
    if values.ndim != 1 or values.size == 0:
        raise ShapeError(f"shares must have 1 dimension and an element; got {values.shape}.")
    chosen = check_array(
        "shares", values, "above 0 and at most 1", lambda s: (s > 0.0) & (s <= 1.0)
    )
    if (np.diff(chosen) <= 0.0).any():
        raise ParameterError(f"shares must increase; got {chosen.tolist()}.")
    check_samples("samples", samples)
    clips, own_labels, _ = taken_apart(samples)
    y = own_labels if y is None else y
    if y is None:
        raise ParameterError("y must be given; only a data set or pairs bring their own.")
    truth = codes_among(classifier.classes_, "y", y)
    seen: list[float] = []
    predicted = classifier.predict(_beginnings(clips, encoder.start, chosen, seen))
    if len(seen) != len(truth) * len(chosen):
        raise ShapeError(
            f"samples and y must be equally many; got {len(seen) // len(chosen)} and {len(truth)}."
        )
    codes = codes_among(classifier.classes_, "predicted", predicted)
    is_right = codes.reshape(len(truth), len(chosen)) == truth[:, None]
    return pl.DataFrame(
        {
            "share": chosen,
            "seen": np.reshape(seen, is_right.shape).mean(axis=0),
            "n_samples": np.full(len(chosen), len(truth)),
            "accuracy": is_right.mean(axis=0),
        }
    )


def _beginnings(
    clips: Iterable[Any], start: str, shares: NDArray[np.float64], seen: list[float]
) -> Iterator[SensorEvents]:
    """Give the beginnings of each clip, and note how long each is, in ms."""
    for index, clip in enumerate(clips):
        if not isinstance(clip, SensorEvents):
            raise ParameterError(
                f"samples[{index}] must be SensorEvents to be cut; got {kind_of(clip)}."
            )
        first = beginning(start, clip.t)
        length = clip.duration - first
        for share in shares:
            end = first + max(math.ceil(share * length), 1)
            n = int(np.searchsorted(clip.t, end))
            seen.append((end - first) / 1000.0)
            yield SensorEvents(
                clip.t[:n], clip.x[:n], clip.y[:n], clip.p[:n], clip.height, clip.width, end
            )
