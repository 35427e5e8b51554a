"""What a classifier says of one moment of a stream.

Lives here: the names of what is said. Not here: when and from what (`live`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LiveScore"]


@dataclass(frozen=True, eq=False)
class LiveScore:
    """What a classifier thinks at one moment of a stream.

    Attributes
    ----------
    t : int
        The moment, in µs on the clock of the stream: all events before it count, no other does.
    label : object
        The likeliest class, of the type that `fit` was given.
    decision : float64 ndarray of shape (n_classes,), or (1,) for two classes
        As `HRSNNClassifier.decision_function` gives it for one sample.
    probability : float64 ndarray of shape (n_classes,)
        As `HRSNNClassifier.predict_proba` gives it; in the order of `classes_`.
    n_events : int
        Events that the encoder has passed on since the start.
    n_spikes : int
        Spikes of all layers since the start.
    age : float
        ms that the stream had gone on when the score came: how much of the chunk lay after `t`.
        Of all attributes this one alone depends on how the stream was cut.
    """

    t: int
    label: Any
    decision: NDArray[np.float64]
    probability: NDArray[np.float64]
    n_events: int
    n_spikes: int
    age: float
