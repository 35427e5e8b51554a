"""Folds: several divisions of the same clips, so that each clip is tested and none is known.

Lives here: leaving groups out in turn, the official split, and one division for each seed. Not
here: what a single division may leak (`splits`). Invariant: with one seed no clip is tested twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hrsnn_rs.arguments import MOST_SEED, as_array, check_choice, check_integer, check_truth
from hrsnn_rs.datasets.splits import WAYS, checked_groups, leak, split_for
from hrsnn_rs.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_FOLDS = 25
"""Folds of "groups": each group alone up to this number, several together beyond."""

_NAMED = ("groups", "official", "one")
_TEST = "test"
_DEAL = 106


class Folds(NamedTuple):
    """Which clips are trained on in each fold, and what a row of results says about them.

    Attributes
    ----------
    training : tuple of ndarray of bool, shape (n_clips,)
        For each fold, True where a clip is trained on; the others are tested on.
    words : str
        What is tested.
    warning : str or None
        Why the result may flatter; `None` if no group is on both sides of a fold.
    """

    training: tuple[NDArray[np.bool_], ...]
    words: str
    warning: str | None


def usual_folds(
    groups: NDArray[Any], parts: NDArray[Any] | None = None, *, subjects_known: bool = True
) -> str:
    """Name the folds that are taken where none are asked for.

    Parameters
    ----------
    groups : array of shape (n_clips,)
        Group of each clip.
    parts : array of str, shape (n_clips,), default=None
        Official part of each clip; "" where there is none.
    subjects_known : bool, default=True
        Whether the groups are subjects.

    Returns
    -------
    {"groups", "official", "one"}
        "groups" where subjects are known and are several; else the official split if there is
        one; else one split for each seed.

    Raises
    ------
    ParameterError
        If a group is missing, or a part is no string.
    ShapeError
        If parts are not as many as groups.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.datasets import usual_folds
    >>> usual_folds(np.array(["ann", "bob", "cy"]))
    'groups'
    """
    groups = checked_groups(groups)
    parts = _checked_parts(parts, len(groups))
    if check_truth("subjects_known", subjects_known) and len(np.unique(groups)) > 1:
        return "groups"
    return "one" if parts is None or not _is_official(parts) else "official"


def folds_for(
    groups: NDArray[Any],
    seed: int,
    folds: str | int = "groups",
    *,
    by: str = "group",
    parts: NDArray[Any] | None = None,
    subjects_known: bool = True,
) -> Folds:
    """Divide clips into folds for one seed.

    Parameters
    ----------
    groups : array of shape (n_clips,)
        Group of each clip.
    seed : int
        Seed, not negative.
    folds : {"groups", "official", "one"} or int, default="groups"
        "groups": each group is left out in turn; of more than 25 groups, 25 folds of whole
        groups. A number, at least 2: that many folds of whole groups. Groups that share a fold
        are dealt anew with each seed. "official": tested on the part "test", trained on all other
        parts. "one": one division by `split_for`, another one with each seed.
    by : {"group", "clip"}, default="group"
        For `split_for`; "clip" needs "one".
    parts : array of str, shape (n_clips,), default=None
        Official part of each clip. For "official" each clip must be of one.
    subjects_known : bool, default=True
        Whether the groups are subjects.

    Returns
    -------
    Folds
        Training clips of each fold, words, warning.

    Raises
    ------
    ParameterError
        If `folds` is unknown, there are too few groups for it, one is missing, or there is no
        official split.
    ShapeError
        If parts are not as many as groups.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.datasets import folds_for
    >>> folds = folds_for(np.array([7, 7, 8, 9]), seed=0)
    >>> folds.words, [one.tolist().index(False) for one in folds.training]
    ('each of 3 groups left out in turn', [0, 2, 3])
    """
    check_choice("by", by, WAYS)
    if isinstance(folds, str) and folds not in _NAMED:
        raise ParameterError(
            f"folds must be 'groups', 'official', 'one' or a number; got {folds!r}."
        )
    is_one = isinstance(folds, str) and folds == "one"
    if by == "clip" and not is_one:
        raise ParameterError(f"folds must be 'one' to split by clip; got {folds!r}.")
    groups = checked_groups(groups)
    seed = check_integer("seed", seed, high=MOST_SEED)
    check_truth("subjects_known", subjects_known)
    parts = _checked_parts(parts, len(groups))
    if is_one:
        one = split_for(groups, seed, by, subjects_known=subjects_known)
        return Folds((one.training,), one.words, one.warning)
    if isinstance(folds, str) and folds == "official":
        training, words = _official(parts)
        return Folds((training,), words, leak(groups, training, subjects_known=subjects_known))
    names, codes = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise ParameterError(f"folds must have at least 2 groups to leave out; got {len(names)}.")
    if isinstance(folds, str):
        n_folds = min(len(names), MOST_FOLDS)
    else:
        n_folds = check_integer("folds", folds, 2, len(names))
    fold_of = np.arange(len(names))
    words = f"each of {len(names)} groups left out in turn"
    if n_folds < len(names):
        draw = np.random.Generator(np.random.Philox(key=[seed, _DEAL]))
        fold_of = np.argsort(draw.random(len(names)), kind="stable").argsort() % n_folds
        words = f"{len(names)} groups left out in {n_folds} folds"
    training_of = tuple(fold_of[codes] != fold for fold in range(n_folds))
    return Folds(training_of, words, leak(groups, training_of[0], subjects_known=subjects_known))


def _checked_parts(parts: Any, n_clips: int) -> NDArray[Any] | None:
    """Return the part of each clip as an array; `None` stays `None`."""
    if parts is None:
        return None
    array = as_array("parts", parts)
    if array.shape != (n_clips,):
        raise ShapeError(f"parts must have shape ({n_clips},); got {array.shape}.")
    for clip, part in enumerate(array.tolist()):
        if not isinstance(part, str):
            raise ParameterError(f"parts must be strings; got {part!r} at clip {clip}.")
    return array


def _is_official(parts: NDArray[Any]) -> bool:
    """Say whether there is a part to test on, and another."""
    named = {str(part).lower() for part in np.unique(parts)} - {""}
    return _TEST in named and len(named) > 1


def _official(parts: NDArray[Any] | None) -> tuple[NDArray[np.bool_], str]:
    """Give the training clips of the official split, and words."""
    if parts is None or not _is_official(parts):
        known = [] if parts is None else sorted(set(parts[parts != ""].tolist()))
        raise ParameterError(
            f"folds must not be 'official' without clips of the part {_TEST!r} and of another; "
            f"got {', '.join(map(repr, known)) or 'none'}."
        )
    for clip in np.flatnonzero(parts == ""):
        raise ParameterError(f"parts must name the part of each clip; got '' at clip {clip}.")
    training = np.array([str(part).lower() != _TEST for part in parts])
    others = ", ".join(sorted(set(parts[training].tolist())))
    return training, f"official split: {_TEST}, trained on {others}"
