"""A live stream as a file: all that it carries along, and back.

Lives here: the names of arrays and numbers. Not here: the container (`network.model_file`), and the
classifier, which has a file of its own; of it only a fingerprint is kept.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import check_path
from hrsnn_rs.encoding.running_encoder import RunningEncoder
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.learning.fitted_as import check_classifier
from hrsnn_rs.learning.left_out import both_classes
from hrsnn_rs.learning.live_score import LiveScore
from hrsnn_rs.network.model_file import (
    STREAM,
    check_version,
    load_format,
    read_json,
    save_arrays,
    to_state,
)
from hrsnn_rs.network.stream import NetworkStream

if TYPE_CHECKING:
    import os

STREAM_VERSION = 2
_TIMES = ("now", "due", "known")
#: Of the latest score; its label is that of the likeliest class.
_COLUMNS, _NUMBERS = ("decision", "probability"), ("t", "n_events", "n_spikes", "age")


def write_stream(stream: Any, path: str | os.PathLike[str]) -> None:
    """Write a stream; see `LiveStream.save`.

    Parameters
    ----------
    stream : LiveStream
        Not changed.
    path : path
        File to write.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    waiting = stream._waiting
    arrays = {"waiting/t": waiting.t, "waiting/p": waiting.p}
    arrays |= {f"waiting/{name}": getattr(waiting, name).astype(np.uint32) for name in ("x", "y")}
    carried = stream._encoder.carried()
    arrays |= {f"encoder/{name}": value for name, value in carried.items()}
    numbers = []
    for index, network in enumerate(stream._networks):
        of_network, counted = network.state()
        arrays |= {f"network{index}/{name}": value for name, value in of_network.items()}
        numbers.append(counted)
    latest = stream.latest
    if latest is not None:
        arrays |= {f"latest/{name}": getattr(latest, name) for name in _COLUMNS}
    fields = {
        "format_version": STREAM_VERSION,
        "classifier": fingerprint(stream.classifier),
        "every": stream.every,
        "window": stream.window,
        "origin": stream._origin,
        **{name: getattr(stream, f"_{name}") for name in _TIMES},
        "networks": numbers,
        "latest": None if latest is None else {n: getattr(latest, n) for n in _NUMBERS},
    }
    texts = {"format": STREAM, "hrsnn_rs": _hrsnn.__version__, "stream": json.dumps(fields)}
    save_arrays(path, arrays, texts)


def read_stream(kind: Any, path: str | os.PathLike[str], classifier: Any) -> Any:
    """Read a stream; see `LiveStream.load`.

    Parameters
    ----------
    kind : type
        `LiveStream`.
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
        If the file is not a stream of this classifier.
    OSError
        If it cannot be read.
    """
    path = check_path("path", path)
    check_classifier(classifier)
    arrays, texts = load_format(path, STREAM)
    fields = read_json(path, texts, "stream")
    check_version(path, fields, STREAM_VERSION)
    if fields.get("classifier") != fingerprint(classifier):
        raise FormatError(f"{path}: a stream of another classifier than the one given.")
    try:
        every, window = _whole(fields, "every", 1), _whole(fields, "window", 1)
        stream = kind(classifier, every=every / 1000.0, window=window / 1000.0)
        for name in _TIMES:
            setattr(stream, f"_{name}", _whole(fields, name, 0))
        stream._origin = None if fields["origin"] is None else _whole(fields, "origin", 0)
        encoder = classifier.encoder_
        t, x, y, p = (arrays[f"waiting/{name}"] for name in ("t", "x", "y", "p"))
        end = max(stream._known, int(t[-1]) if len(t) else 0) + 1
        stream._waiting = SensorEvents(t, x, y, p, encoder.height, encoder.width, end)
        if stream._now > stream._known or stream._due <= stream._known:
            raise FormatError("the times of the stream do not fit each other.")
        stream._encoder = RunningEncoder(encoder, _under("encoder/", arrays))
        stream._networks = [
            NetworkStream(network, window, (_under(f"network{index}/", arrays), numbers))
            for index, (network, numbers) in enumerate(
                zip(stream._layers(), fields["networks"], strict=True)
            )
        ]
        if any(network.t != stream._now for network in stream._networks):
            raise FormatError("a network's time is not that of the stream.")
        stream._latest = _latest(stream, fields["latest"], _under("latest/", arrays))
    except (FormatError, KeyError, ParameterError, ShapeError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: not a live stream that can go on ({error}).") from None
    return stream


def _latest(stream: Any, numbers: dict[str, Any] | None, columns: dict[str, Any]) -> Any:
    """Read the latest score."""
    if numbers is None:
        return None
    classes = stream.classifier.readout_.classes_
    shapes = [(1,) if len(classes) == 2 else (len(classes),), (len(classes),)]
    for name, shape in zip(_COLUMNS, shapes, strict=True):
        column = columns[name]
        if column.dtype != np.float64 or column.shape != shape or not np.isfinite(column).all():
            raise FormatError(f"latest/{name} must be {shape[0]} numbers.")
    return LiveScore(
        t=_whole(numbers, "t", 0),
        label=classes[int(both_classes(columns["decision"][None]).argmax())],
        decision=columns["decision"],
        probability=columns["probability"],
        n_events=_whole(numbers, "n_events", 0),
        n_spikes=_whole(numbers, "n_spikes", 0),
        age=float(numbers["age"]),
    )


def fingerprint(classifier: Any) -> str:
    """Give a text that tells a fitted classifier from others: all that its scores are made of."""
    digest = hashlib.blake2b(digest_size=16)
    settings = [classifier.n_windows, classifier.windows, classifier.features, classifier.layers_]
    encoder = classifier.encoder_
    words = None if encoder is None else encoder.to_dict()
    described = [type(encoder).__name__, words, settings]
    digest.update(json.dumps(described, sort_keys=True).encode())
    parts = sorted(classifier.readout_.to_arrays().items())
    layer = classifier.layer_
    networks = [] if layer is None else [layer.network_]
    if layer is not None:
        parts.append(("pools", layer._pools))
    if classifier.layers_ != "features":
        networks.append(classifier.network_)
    for network in networks:
        arrays, header = to_state(network._assembly(), network.input_gain)
        parts += sorted(arrays.items())
        digest.update(json.dumps(header, sort_keys=True).encode())
    for name, array in parts:
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _whole(fields: dict[str, Any], name: str, low: int) -> int:
    value = fields[name]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value < 2**62:
        raise FormatError(f"{name} must be a whole number from {low} to 2^62; got {value!r}.")
    return value


def _under(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
