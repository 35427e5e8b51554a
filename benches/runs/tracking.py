"""Accuracy of event counts, with and without tracking: ten actions of nine persons.

    HRSNN_DATA=/path/to/data python benches/runs/tracking.py

`HRSNN_DATA` has a folder `weizmann` with a folder for each action, whose files are named
`<person>_<action>.avi`. An `EventCamera` sees each clip; its events become channels, are counted
over 4 x 4 pixels in four windows of equally many events, and a ridge readout names the action of
each person from the others. Its regularisation is chosen on those others alone, one left out at a
time. Speeds are those of the encoders alone, on one core.
"""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from hrsnn_rs import EventCamera, EventEncoder, SensorEvents, TrackingEncoder
from hrsnn_rs.encoding import SensorEncoder
from hrsnn_rs.recordings.frame_stream import record_frames
from hrsnn_rs.recordings.video import Video
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut

SYSTEMS: dict[str, dict[str, Any] | None] = {
    "fixed field": None,
    "tracked, causal": {"zoom": None, "extent": 100.0},
    "tracked, centred": {"zoom": None, "extent": 100.0, "smoothing": "centred"},
    "causal, zoom": {},
    "centred, zoom": {"smoothing": "centred"},
    "causal, mirror (running)": {"zoom": None, "extent": 100.0, "mirror": True},
    "causal, zoom, mirror (running)": {"mirror": True},
    "causal, zoom, mirror (first third)": {"mirror": True, "mirror_from": "first_third"},
    "centred, zoom, mirror (whole)": {
        "smoothing": "centred",
        "mirror": True,
        "mirror_from": "whole",
    },
    "causal, zoom 4, mirror (running)": {"zoom": 4.0, "mirror": True},
    "causal, zoom 4, mirror (first third)": {
        "zoom": 4.0,
        "mirror": True,
        "mirror_from": "first_third",
    },
}
N_WINDOWS, POOL, SIZE = 4, 4, 32


def clips(folder: Path) -> tuple[list[SensorEvents], NDArray[Any], NDArray[Any]]:
    events, actions, persons = [], [], []
    for path in sorted(folder.glob("*/*.avi")):
        with Video(path) as video:
            camera = EventCamera(video.height, video.width)
            events.append(record_frames(camera, video, video.frame_rate))
        actions.append(path.parent.name)
        persons.append(path.stem.partition("_")[0])
    return events, np.array(actions), np.array(persons)


def counts(encoder: SensorEncoder, events: SensorEvents) -> NDArray[np.float64]:
    encoded = encoder(events)
    window = np.arange(len(encoded)) * N_WINDOWS // max(len(encoded), 1)
    p, y, x = np.unravel_index(encoded.channel, (2, SIZE, SIZE))
    found = np.zeros((N_WINDOWS, 2, SIZE // POOL, SIZE // POOL))
    np.add.at(found, (window, p, y // POOL, x // POOL), 1)
    return np.log1p(found.ravel())


def hits(
    features: NDArray[Any], actions: NDArray[Any], persons: NDArray[Any]
) -> NDArray[np.float64]:
    """Accuracy on each person."""
    search = GridSearchCV(
        RidgeClassifier(solver="cholesky"),
        {"alpha": np.logspace(-1, 4, 6)},
        cv=LeaveOneGroupOut(),
    )
    accuracies = []
    for train, test in LeaveOneGroupOut().split(features, actions, persons):
        search.fit(features[train], actions[train], groups=persons[train])
        accuracies.append(search.score(features[test], actions[test]))
    return np.array(accuracies)


def main() -> None:
    events, actions, persons = clips(Path(os.environ["HRSNN_DATA"]) / "weizmann")
    n_events = sum(map(len, events))
    print(f"{len(events)} clips, {n_events} events; accuracy, standard error over persons")
    for name, settings in SYSTEMS.items():
        size = (events[0].height, events[0].width)
        encoder: SensorEncoder = (
            EventEncoder(*size) if settings is None else TrackingEncoder(*size, **settings)
        )
        start = time.process_time()
        for clip in events:
            encoder(clip)
        speed = n_events / (time.process_time() - start) / 1e6
        each = hits(np.stack([counts(encoder, clip) for clip in events]), actions, persons)
        error = each.std(ddof=1) / np.sqrt(each.size)
        print(f"{name:38s} {each.mean():.3f} ± {error:.3f}  {speed:5.1f} M events/s", flush=True)


if __name__ == "__main__":
    main()
