"""A classifier at work on a stream: chunks of events in, class scores every few ms out.

Lives here: the clock of a stream, when scores are due, and what they are made of. Not here: what is
carried from piece to piece (`running_encoder`, `network.stream`), the file (`live_file`), and the
terminal (`cli.live`). Invariant: a score depends on the events before its time alone, and on no bit
of how they came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hrsnn_rs.encoding.running_encoder import RunningEncoder, check_causal
from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.columns import microseconds, whole_numbers
from hrsnn_rs.events.no_copies import NoCopies
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.learning.fitted_as import check_classifier
from hrsnn_rs.learning.left_out import both_classes, softmax
from hrsnn_rs.learning.live_score import LiveScore
from hrsnn_rs.network.stream import NetworkStream

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["LiveStream"]

#: A clock that jumps ahead by more than this (µs) is another clock.
MOST_JUMP = 3_600_000_000
_COLUMNS = ("t", "x", "y", "p")


class LiveStream(NoCopies):
    """A classifier at work on a stream of events; see `HRSNNClassifier.stream`.

    Parameters
    ----------
    classifier : HRSNNClassifier
        Fitted, on events of a sensor, with an encoder that knows the past alone. Must not be
        changed meanwhile; its `n_threads` counts.
    every : float, default=50.0
        ms from score to score.
    window : float, default=None
        How much of the past a score looks at, in ms. `None`: the median length of the training
        samples.

    Raises
    ------
    ParameterError
        If the classifier cannot work on a stream, or a time is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.learning import FeatureLayer, HRSNNClassifier
    >>> random = np.random.default_rng(0)
    >>> def bar(is_upright):
    ...     t, at = np.sort(random.integers(0, 200_000, 400)), random.integers(0, 16, (2, 400))
    ...     at[int(is_upright)] = 5
    ...     return hr.SensorEvents(t, at[1], at[0], t % 2, 16, 16, 200_000)
    >>> labels = [0, 1] * 10
    >>> layer = FeatureLayer((16, 16), n_features=4, n_patches=50, spikes=200.0)
    >>> classifier = HRSNNClassifier(encoder=hr.EventEncoder(16, 16, (16, 16), start="zero"),
    ...                              feature_layer=layer).fit([bar(y) for y in labels], labels)
    >>> clip, stream = bar(1), classifier.stream()
    >>> for start in range(0, 200_000, 10_000):
    ...     now = (clip.t >= start) & (clip.t < start + 10_000)
    ...     chunk = (clip.t[now], clip.x[now], clip.y[now], clip.p[now])
    ...     for score in stream.push(chunk, until=start + 10_000):
    ...         print(score.t, score.label)
    50000 1
    100000 1
    150000 1
    200000 1
    """

    _instead = "save() it, and load() the file"

    def __init__(
        self, classifier: Any, *, every: float = 50.0, window: float | None = None
    ) -> None:
        check_classifier(classifier)
        encoder = classifier.encoder_
        if not isinstance(encoder, SensorEncoder):
            raise ParameterError(
                "encoder must be an EventEncoder or a TrackingEncoder to work on a stream; got "
                f"{encoder!r}."
            )
        check_causal(encoder)
        self._every = microseconds(every, "every")
        if window is not None:
            self._window = microseconds(window, "window")
        elif classifier.duration_ is None:
            raise ParameterError(
                "window must be given (in ms): the model's file does not say how long its training "
                "samples were."
            )
        else:
            self._window = int(classifier.duration_)
        self._classifier = classifier
        self._pools = None
        if classifier.layer_ is not None:
            self._pools = classifier.layer_.network_._checked_pools(classifier.layer_._pools)
        self.reset()

    def _layers(self) -> list[Any]:
        """Networks through which events go, first to last."""
        layer, kind = self.classifier.layer_, self.classifier.layers_
        first = [] if layer is None else [layer.network_]
        return first if kind == "features" else [*first, self.classifier.network_]

    def reset(self) -> None:
        """Begin anew, at rest, with the next event that comes."""
        encoder = self.classifier.encoder_
        self._encoder = RunningEncoder(encoder)
        self._networks = [NetworkStream(network, self.window) for network in self._layers()]
        #: Time of the clock that is 0 of the stream; `None`: it begins with the first event.
        self._origin: int | None = 0 if encoder.start == "zero" else None
        self._now = 0
        self._due = self.every
        #: Events before this have all come, on the clock of the stream.
        self._known = 0
        self._waiting = _no_events(encoder)
        self._is_whole = True
        self._latest: LiveScore | None = None

    @property
    def classifier(self) -> Any:
        """The classifier that is at work."""
        return self._classifier

    @property
    def every(self) -> int:
        """Time from score to score, in µs."""
        return self._every

    @property
    def window(self) -> int:
        """How much of the past a score looks at, in µs."""
        return self._window

    @property
    def latest(self) -> LiveScore | None:
        """The last score that was due."""
        return self._latest

    @property
    def is_whole(self) -> bool:
        """Whether it can go on: no chunk was interrupted."""
        return self._is_whole

    @property
    def t(self) -> int:
        """How far the stream has come, in µs on its clock: all events before this have come."""
        return (self._origin or 0) + self._now

    @property
    def age(self) -> float | None:
        """Time of the stream, in ms, since the latest score was due; `None` before the first."""
        return None if self.latest is None else (self.t - self.latest.t) / 1000.0

    def push(self, events: Any, *, until: int | None = None) -> list[LiveScore]:
        """Take the next events of the stream.

        Parameters
        ----------
        events : SensorEvents, structured ndarray, or tuple of array_like
            The next events, as a camera sends them: SensorEvents (whose duration says nothing), an
            array with the fields t, x, y and p, or `(t, x, y, p)`; times in µs. May be empty. Not
            changed.
        until : int, default=None
            The stream has come to this time (µs on its clock): whatever comes next is not before
            it. `None`: whatever comes next may still be at the time of the last event.

        Returns
        -------
        list of LiveScore
            The scores that have become due, in order; mostly none or one.

        Raises
        ------
        ParameterError, ShapeError
            If events lie outside the sensor, are not in order, go back behind what has come, or
            jump ahead by more than an hour; nothing has changed then.
        KeyboardInterrupt
            On Ctrl-C. What was under way is lost: `reset`, or load what was saved before.
        """
        if not self._is_whole:
            raise ParameterError(
                "stream must not have been interrupted within a chunk; reset() it, or load what "
                "was saved."
            )
        chunk = self._checked(events)
        known = self._checked_time(chunk, until)
        if known is None:
            return []
        self._is_whole = False
        if len(chunk):
            if self._origin is None:
                self._origin = int(chunk.t[0])
            self._waiting = _joined(self._waiting, chunk, self._origin)
        self._known = known - (self._origin or 0)
        scores = []
        while self._due <= self._known:
            self._advance(self._due)
            self._latest = self._score(self._known)
            scores.append(self._latest)
            self._due += self.every
        self._advance(self._known)
        self._is_whole = True
        return scores

    def score(self) -> LiveScore:
        """Give the score of this very moment, whether or not one is due.

        Returns
        -------
        LiveScore
            Of the time `t`, with an age of 0.

        Raises
        ------
        ParameterError
            If no time has passed yet.
        """
        if not self._is_whole or self._now == 0:
            raise ParameterError("stream must be whole and have come beyond its start for a score.")
        return self._score(self._now)

    def window_features(self) -> NDArray[np.float32]:
        """Give the counts that a score of this very moment reads out.

        Returns
        -------
        float32 ndarray of shape (n_windows, n_units)
            Of the last `window`, or of all since the start if that is less: then they are those of
            `HRSNNClassifier.window_features` for a clip that ends here.
        """
        model = self.classifier
        kind = model.layers_
        settings = {"windows": model.windows, "features": model.features}
        parts = []
        if kind in ("features", "both"):
            parts.append(
                self._networks[0].features(
                    self.window, model.n_windows, pools=self._pools, **settings
                )
            )
        if kind != "features":
            parts.append(self._networks[-1].features(self.window, model.n_windows, **settings))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def save(self, path: str | PathLike[str]) -> None:
        """Write all that the stream carries along to a safetensors file; the model is not in it.

        Parameters
        ----------
        path : path
            File to write; replaced if it is there.

        Raises
        ------
        ParameterError
            If the stream was interrupted within a chunk.
        OSError
            If the file cannot be written.
        """
        from hrsnn_rs.learning.live_file import write_stream

        if not self._is_whole:
            raise ParameterError("stream must not have been interrupted within a chunk.")
        write_stream(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str], classifier: Any) -> Self:
        """Read a stream that `save` wrote: it gives the same bits as the one that was saved.

        Parameters
        ----------
        path : path
            File to read.
        classifier : HRSNNClassifier
            The one that was at work.

        Returns
        -------
        LiveStream

        Raises
        ------
        FormatError
            If the file is damaged, something else, or of another classifier.
        OSError
            If it cannot be read.
        """
        from hrsnn_rs.learning.live_file import read_stream

        stream: Self = read_stream(cls, path, classifier)
        return stream

    def _checked(self, events: Any) -> SensorEvents:
        """Give a chunk as events of the sensor."""
        encoder = self.classifier.encoder_
        height, width = encoder.height, encoder.width
        if isinstance(events, SensorEvents):
            encoder._check(events)
            return events
        if isinstance(events, np.ndarray) and events.dtype.names is not None:
            if not len(events):
                return _no_events(encoder)
            return SensorEvents.from_structured(events, height, width)
        if not isinstance(events, tuple) or len(events) != len(_COLUMNS):
            raise ParameterError(
                "events must be SensorEvents, a structured array or a tuple (t, x, y, p); got "
                f"{type(events).__name__}."
            )
        if all(np.size(column) == 0 for column in events):
            return _no_events(encoder)
        t, x, y, p = events
        return SensorEvents(t, x, y, p, height, width)

    def _checked_time(self, chunk: SensorEvents, until: int | None) -> int | None:
        """Say until when all events have come, on the stream's clock; `None` before the first."""
        origin = self._origin
        if until is not None:
            until = int(whole_numbers([until], "until", at="place")[0])
            if len(chunk) and chunk.t[-1] >= until:
                raise ParameterError(
                    f"until must be after the last event, at {chunk.t[-1]} µs; got {until}."
                )
        if origin is None:
            if not len(chunk):
                return None
            origin = int(chunk.t[0])
        before = origin + self._known
        if len(chunk) and chunk.t[0] < before:
            raise ParameterError(
                f"t must not go back behind what has come, {before} µs; got {chunk.t[0]} at "
                "event 0."
            )
        known = before
        if len(chunk):
            known = int(chunk.t[-1])
        if until is not None:
            if until < known:
                raise ParameterError(
                    f"until must be at least {known} µs, what has come; got {until}."
                )
            known = until
        if known - before > MOST_JUMP and before == 0 and self._origin == 0:
            raise ParameterError(
                f"t must begin within an hour of 0, where the encoder's clock begins "
                f'(start="zero"); got {known} µs. A camera whose clock begins elsewhere needs a '
                'classifier with an encoder of start="first_event".'
            )
        if known - before > MOST_JUMP:
            raise ParameterError(
                f"t must not jump ahead by more than an hour; got {known} after {before} µs. "
                "reset() begins anew with another clock."
            )
        return known

    def _advance(self, until: int) -> None:
        """Bring encoder and layers to a time of the stream."""
        if until == self._now:
            return
        n = int(np.searchsorted(self._waiting.t, until))
        piece, self._waiting = _parted(self._waiting, n, until)
        t, channel = self._encoder.encode(piece, until)
        layer, threads = self.classifier.layer_, self.classifier.n_threads
        for number, network in enumerate(self._networks):
            if number:
                t, neuron = self._networks[0].spikes(self._now)
                channel = layer._tiling().map_channels(neuron, layer.n_features)
            network.feed(t, channel, until, threads)
        self._now = until

    def _score(self, known: int) -> LiveScore:
        readout = self.classifier.readout_
        decision = np.atleast_2d(readout.decision_function(self.window_features()[None]))
        columns = both_classes(decision)
        return LiveScore(
            t=self.t,
            label=readout.classes_[int(columns.argmax())],
            decision=decision[0],
            probability=softmax(columns / readout.temperature_)[0],
            n_events=self._networks[0].n_input_events,
            n_spikes=sum(network.n_spikes for network in self._networks),
            age=(known - self._now) / 1000.0,
        )

    def __repr__(self) -> str:
        return (
            f"LiveStream(t={self.t} µs, every={self.every / 1000:g} ms, "
            f"window={self.window / 1000:g} ms)"
        )


def _no_events(encoder: Any) -> SensorEvents:
    nothing = np.zeros(0, np.int64)
    return SensorEvents(nothing, nothing, nothing, nothing, encoder.height, encoder.width, 1)


def _joined(waiting: SensorEvents, chunk: SensorEvents, origin: int) -> SensorEvents:
    """Put a chunk behind what waits, on the stream's own time."""
    t = np.concatenate([waiting.t, chunk.t - origin])
    x, y, p = (
        np.concatenate([getattr(waiting, name), getattr(chunk, name)]) for name in ("x", "y", "p")
    )
    return SensorEvents.of_checked(t, x, y, p, chunk.height, chunk.width, int(t[-1]) + 1)


def _parted(waiting: SensorEvents, n: int, until: int) -> tuple[SensorEvents, SensorEvents]:
    """Take the first `n` events away, as a piece that ends at `until`."""

    def part(inside: slice, end: int) -> SensorEvents:
        return SensorEvents.of_checked(
            waiting.t[inside],
            waiting.x[inside],
            waiting.y[inside],
            waiting.p[inside],
            waiting.height,
            waiting.width,
            end,
        )

    return part(slice(n), until), part(slice(n, None), waiting.duration)
