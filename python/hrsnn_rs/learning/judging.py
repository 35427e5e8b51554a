"""How good the counts of a system are: readouts fitted on training clips, asked about the others.

Lives here: what is said of each clip that was tested, and how folds become one row. Not here: how
counts come about (`systems`). Invariant: labels of clips that are tested are looked at after all is
fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median_low
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from hrsnn_rs.learning.metrics import direction_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hrsnn_rs.learning.clips import Clips
    from hrsnn_rs.learning.readout import Readout
    from hrsnn_rs.learning.systems import Features

_COSTS = (
    "n_neurons", "n_synapses", "spikes_per_sample", "synaptic_operations", "rate", "gain",
    "suprathreshold", "weight_updates", "tau_m",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Judged:
    """What one fold says.

    Parameters
    ----------
    predictions : list of dict
        One for each clip that was tested.
    costs : dict
        What the fold cost and how it was set, by the names of `Features`.
    n_training : int
        Clips trained on.
    duration : int
        Of the clips that were tested, together, in µs.
    alpha : float
        Penalty of the readout.
    """

    predictions: list[dict[str, Any]]
    costs: dict[str, Any]
    n_training: int
    duration: int
    alpha: float


def judge(
    clips: Clips,
    training: NDArray[np.bool_],
    features: Features,
    readout: Readout,
    *,
    memory: bool,
    places: NDArray[np.intp],
) -> Judged:
    """Fit readouts on the training clips of a fold, and ask about the others.

    Parameters
    ----------
    clips : Clips
        Encoded clips. Not changed.
    training : bool ndarray of shape (n_clips,)
        Which clips to fit to.
    features : Features
        Counts of all clips.
    readout : Readout
        Cloned for each task.
    memory : bool
        Whether to do the memory task.
    places : ndarray of shape (n_clips,)
        Place of each clip in its data set.

    Returns
    -------
    Judged
        What was said, and what it cost.
    """
    readout = features.readout or readout
    fitted = clone(readout).fit(
        features.counts[training], clips.labels[training], groups=clips.groups[training]
    )
    tested = np.flatnonzero(~training)
    predicted = fitted.predict(features.counts[tested])
    directions = _memory(clips, training, features, clone(readout)) if memory else None
    said = [
        {
            "clip": int(places[clip]),
            "person": str(clips.groups[clip]) if clips.subjects_known else None,
            "label": str(clips.classes[int(clips.labels[clip])]),
            "predicted": str(clips.classes[int(predicted[place])]),
            "memory": None if directions is None else float(directions[place]),
        }
        for place, clip in enumerate(tested)
    ]
    costs = {name: getattr(features, name) for name in _COSTS}
    duration = sum(clips.events[clip].duration for clip in tested)
    return Judged(said, costs, int(training.sum()), duration, fitted.alpha_)


def joined(folds: Sequence[Judged]) -> dict[str, Any]:
    """Make one row of the folds of a system and seed.

    Parameters
    ----------
    folds : sequence of Judged
        At least one.

    Returns
    -------
    dict
        Accuracy, memory and costs per clip over all clips that were tested; weight updates of all
        folds together; the worst share of suprathreshold synapses; means over folds of what each
        fold has one of.
    """
    said = sorted((one for fold in folds for one in fold.predictions), key=lambda one: one["clip"])
    persons = {one["person"] for one in said}
    directions = [one["memory"] for one in said]
    n_tested = [len(fold.predictions) for fold in folds]
    durations = [fold.duration for fold in folds]

    def mean(name: str, weights: Sequence[int] | None = None) -> float | None:
        values = [fold.costs[name] for fold in folds]
        return None if None in values else float(np.average(values, weights=weights))

    shares = [fold.costs["suprathreshold"] for fold in folds]
    chosen = [fold.costs["tau_m"] for fold in folds]
    return {
        "n_folds": len(folds),
        "n_training": round(sum(fold.n_training for fold in folds) / len(folds)),
        "n_validation": len(said),
        "n_persons": None if None in persons else len(persons),
        "n_neurons": folds[0].costs["n_neurons"],
        "n_synapses": folds[0].costs["n_synapses"],
        "accuracy": float(np.mean([one["label"] == one["predicted"] for one in said])),
        "memory": None if None in directions else float(np.mean(directions)),
        "spikes_per_sample": mean("spikes_per_sample", n_tested),
        "rate": mean("rate", durations),
        "synaptic_operations": mean("synaptic_operations", n_tested),
        "weight_updates": sum(fold.costs["weight_updates"] for fold in folds),
        "gain": mean("gain"),
        "suprathreshold": None if None in shares else max(shares),
        "alpha": median_low(fold.alpha for fold in folds),
        "tau_m": None if None in chosen else chosen,
        "predictions": said,
    }


def _memory(
    clips: Clips, training: NDArray[np.bool_], features: Features, readout: Readout
) -> NDArray[np.float64]:
    """Ask a readout of one window for gesture and direction; score the direction of each clip.

    Of a gesture without a training clip nobody can know the direction: that is half right.
    """
    tested = np.flatnonzero(~training)
    known = np.isin(clips.labels[tested], clips.labels[training])
    scores = np.full(len(tested), 0.5)
    if not known.any():
        return scores
    # Counts add up, so the windows of the forward clip together are its one window.
    forwards = features.counts.sum(axis=1, keepdims=True)
    backwards = features.reversed_counts
    assert backwards is not None
    both = (np.flatnonzero(training), tested[known])
    samples = [np.concatenate([forwards[side], backwards[side]]) for side in both]
    labels = [np.concatenate([2 * clips.labels[side], 2 * clips.labels[side] + 1]) for side in both]
    groups = np.concatenate([clips.groups[training], clips.groups[training]])
    readout.fit(samples[0], labels[0], groups=groups)
    found = direction_scores(readout.decision_function(samples[1]), readout.classes_, labels[1])
    scores[known] = found.reshape(2, -1).mean(axis=0)
    return scores
