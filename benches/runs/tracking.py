"""Accuracy of event counts, with and without tracking: ten actions of nine persons.

    HRSNN_DATA=/path/to/data python benches/runs/tracking.py

`HRSNN_DATA` has a folder `weizmann` with a folder for each action, whose files are named
`<person>_<action>.avi`. An `EventCamera` sees each clip; its events become channels, are counted
over 4 x 4 pixels in four windows of equally many events, and a ridge readout names the action of
each person from the others. Its regularisation, and the zoom where it says so, are chosen on
those others alone, one left out at a time. Speeds are those of the encoders alone, on one core.
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

FIXED, ZOOM = [{"zoom": None, "extent": 100.0}], [{"zoom": 5.0}]
# Of several settings, that which does best on the other persons is taken, for each person anew.
CHOSEN = [{"zoom": zoom} for zoom in (3.5, 4.0, 4.5, 5.0, 5.5, 6.0)]
CENTRED = {"smoothing": "centred"}
RUNNING = {"mirror": True}
FIRST_THIRD = {"mirror": True, "mirror_from": "first_third"}
WHOLE = {"smoothing": "centred", "mirror": True, "mirror_from": "whole"}
SYSTEMS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "causal, 100 pixels": (FIXED, {}),
    "centred, 100 pixels": (FIXED, CENTRED),
    "causal, zoom 5": (ZOOM, {}),
    "centred, zoom 5": (ZOOM, CENTRED),
    "causal, 100 pixels, mirror (running)": (FIXED, RUNNING),
    "causal, zoom 5, mirror (running)": (ZOOM, RUNNING),
    "causal, zoom 5, mirror (first third)": (ZOOM, FIRST_THIRD),
    "centred, zoom 5, mirror (whole)": (ZOOM, WHOLE),
    "causal, zoom chosen": (CHOSEN, {}),
    "centred, zoom chosen": (CHOSEN, CENTRED),
    "causal, zoom chosen, mirror (running)": (CHOSEN, RUNNING),
    "causal, zoom chosen, mirror (first third)": (CHOSEN, FIRST_THIRD),
    "centred, zoom chosen, mirror (whole)": (CHOSEN, WHOLE),
}
N_WINDOWS, POOL, SIZE = 4, 4, 32


def clips(folder: Path) -> tuple[list[SensorEvents], NDArray[Any], NDArray[Any]]:
    events, actions, persons = [], [], []
    for path in sorted(folder.glob("*/*.avi")):
        with Video(path) as video:
            camera = EventCamera(video.height, video.width)
            events.append(record_frames(camera, video))
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


def turned(features: NDArray[Any]) -> NDArray[Any]:
    """Turn features into as many axes as there are clips: the same to a ridge, and quicker."""
    u, s, _ = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    return u * s


def hits(
    candidates: list[NDArray[Any]], actions: NDArray[Any], persons: NDArray[Any]
) -> NDArray[np.float64]:
    """Accuracy on each person, with what does best on the others."""
    accuracies = []
    for train, test in LeaveOneGroupOut().split(actions, actions, persons):
        best, accuracy = -1.0, 0.0
        for features in candidates:
            search = GridSearchCV(
                RidgeClassifier(solver="cholesky"),
                {"alpha": np.logspace(-1, 4, 11)},
                cv=LeaveOneGroupOut(),
            )
            search.fit(features[train], actions[train], groups=persons[train])
            if search.best_score_ > best:
                best = search.best_score_
                accuracy = search.score(features[test], actions[test])
        accuracies.append(accuracy)
    return np.array(accuracies)


def main() -> None:
    events, actions, persons = clips(Path(os.environ["HRSNN_DATA"]) / "weizmann")
    n_events = sum(map(len, events))
    size = (events[0].height, events[0].width)
    systems: dict[str, list[SensorEncoder]] = {"fixed field": [EventEncoder(*size)]}
    for name, (settings, common) in SYSTEMS.items():
        systems[name] = [TrackingEncoder(*size, **one, **common) for one in settings]
    print(f"{len(events)} clips, {n_events} events; accuracy, standard error over persons")
    for name, encoders in systems.items():
        start = time.process_time()
        for clip in events:
            encoders[0](clip)
        speed = n_events / (time.process_time() - start) / 1e6
        candidates = [
            turned(np.stack([counts(encoder, clip) for clip in events])) for encoder in encoders
        ]
        each = hits(candidates, actions, persons)
        error = each.std(ddof=1) / np.sqrt(each.size)
        print(f"{name:42s} {each.mean():.3f} ± {error:.3f}  {speed:5.1f} M events/s", flush=True)


if __name__ == "__main__":
    main()
