"""An encoder at work on a stream, piece by piece.

Lives here: what an encoder carries from one piece to the next, and which encoders can do that. Not
here: what encoders do with a recording (`events_to_channels`, `tracking`). Invariant: however a
stream is cut, its channels are those of one recording of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.encoding.tracking import TrackingEncoder
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.columns import microseconds
from hrsnn_rs.events.no_copies import NoCopies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
    from hrsnn_rs.events.sensor import SensorEvents

__all__ = ["RunningEncoder", "check_causal"]

_TRACK = ("times", "numbers", "alive")
_DEAD = ("t", "channel")


def check_causal(encoder: SensorEncoder) -> None:
    """Refuse an encoder that waits for what comes later.

    Parameters
    ----------
    encoder : SensorEncoder
        That of a classifier.

    Raises
    ------
    ParameterError
        If it cannot encode a stream; the message says with which one to train instead.

    Examples
    --------
    >>> from hrsnn_rs import TrackingEncoder
    >>> from hrsnn_rs.encoding.running_encoder import check_causal
    >>> check_causal(TrackingEncoder(64, 64))
    """
    advice = "Train with one that knows the past alone:"
    if isinstance(encoder, TrackingEncoder):
        if encoder.smoothing != "causal":
            raise ParameterError(
                "encoder must not wait for later events in a stream; got smoothing="
                f"{encoder.smoothing!r}. {advice} TrackingEncoder(smoothing='causal')."
            )
        if encoder.mirror and encoder.mirror_from != "running":
            raise ParameterError(
                "encoder must not wait for later events in a stream; got mirror_from="
                f"{encoder.mirror_from!r}. {advice} TrackingEncoder(mirror_from='running')."
            )
    elif isinstance(encoder, EventEncoder):
        if encoder.centre:
            raise ParameterError(
                "encoder must not wait for later events in a stream; got centre=True. "
                f"{advice} TrackingEncoder(smoothing='causal', zoom=None)."
            )
        if encoder.quantum is not None:
            raise ParameterError(
                "encoder must not round times down in a stream, for their time is past by then; "
                f"got quantum={encoder.quantum}. Train with quantum=None."
            )
    else:
        raise ParameterError(
            f"encoder must be an EventEncoder or a TrackingEncoder in a stream; got {encoder!r}."
        )


class RunningEncoder(NoCopies):
    """An encoder at work on a stream whose time begins at 0.

    Parameters
    ----------
    encoder : EventEncoder or TrackingEncoder
        Causal; its `start` has no meaning here.
    carried : mapping of str to ndarray, default=None
        What an equal one carried along; `None`: nothing, at the beginning.

    Raises
    ------
    ParameterError
        If the encoder waits for what comes later, or `carried` is not what it should be.

    Examples
    --------
    >>> from hrsnn_rs import EventEncoder, SensorEvents
    >>> from hrsnn_rs.encoding.running_encoder import RunningEncoder
    >>> running = RunningEncoder(EventEncoder(4, 4, size=(4, 4), dead_time=1.0))
    >>> piece = SensorEvents([10], [1], [0], [0], height=4, width=4)
    >>> running.encode(piece, 500)[0], running.encode(SensorEvents([600], [1], [0], [0], 4, 4), 900)
    (array([10]), (array([], dtype=int64), array([], dtype=uint32)))
    """

    _instead = "make another of what carried() gives"

    def __init__(
        self, encoder: SensorEncoder, carried: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        check_causal(encoder)
        self._follower: _hrsnn.Follower | None = None
        if isinstance(encoder, TrackingEncoder):
            parts = [] if carried is None else [carried[name] for name in _TRACK]
            self._follower = _hrsnn.Follower(encoder._tracker(), *parts)
            return
        assert isinstance(encoder, EventEncoder)
        dead_time = encoder.dead_time or 0.0
        self._dead_us = microseconds(dead_time, "dead_time", low=0)
        self._plain = replace(encoder, start="zero", dead_time=None)
        #: Kept events whose channels may be dead, by time.
        self._t, self._channel = np.zeros(0, np.int64), np.zeros(0, np.uint32)
        if carried is not None:
            self._t, self._channel = carried["t"], carried["channel"]
            # Checks times and channels.
            _hrsnn.dead_time(self._t, self._channel, encoder.n_channels, self._dead_us)

    def encode(
        self, events: SensorEvents, until: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Encode the next piece.

        Parameters
        ----------
        events : SensorEvents
            All events from the end of the piece before to `until`.
        until : int
            End of the piece in µs.

        Returns
        -------
        t : int64 ndarray
        channel : uint32 ndarray
        """
        if self._follower is not None:
            t, channel, _, _ = self._follower.encode(events.t, events.x, events.y, events.p, until)
            return t, channel
        encoded = self._plain(events)
        t, channel = encoded.t, encoded.channel
        if not self._dead_us or not t.size:
            return t, channel
        n_before = self._t.size
        t, channel = np.concatenate([self._t, t]), np.concatenate([self._channel, channel])
        # Those kept before are kept again, and cast their shadow.
        keep = _hrsnn.dead_time(t, channel, self._plain.n_channels, self._dead_us)
        t, channel = t[keep], channel[keep]
        first = int(np.searchsorted(t, t[-1] - self._dead_us, side="right")) if t.size else 0
        self._t, self._channel = t[first:], channel[first:]
        return t[n_before:], channel[n_before:]

    def carried(self) -> dict[str, NDArray[Any]]:
        """Give what the next pieces need to know of those before.

        Returns
        -------
        dict of str to ndarray
        """
        if self._follower is not None:
            return dict(zip(_TRACK, self._follower.carried(), strict=True))
        return dict(zip(_DEAD, (self._t, self._channel), strict=True))
