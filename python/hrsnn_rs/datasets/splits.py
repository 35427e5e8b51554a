"""Splits: which clips a result is measured on, and whether anything of them was learned from.

Lives here: validation on whole groups, the leaking alternative, and the sentence that says so.
Not here: data sets. Invariant: a split that can leak never comes without a warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Purpose of the random stream that draws single clips, and their share.
_CLIPS = 105
_SHARE = 5


class Split(NamedTuple):
    """Which clips are trained on, and what a row of results says about it.

    Attributes
    ----------
    training : ndarray of bool, shape (n_clips,)
        True where a clip is trained on; the others are validated on.
    words : str
        What the others are.
    warning : str or None
        Why the result may flatter; `None` if no group is on both sides.
    """

    training: NDArray[np.bool_]
    words: str
    warning: str | None


def leak(groups: ArrayLike, training: ArrayLike, *, subjects_known: bool = True) -> str | None:
    """Say whether a division of clips can leak from one side to the other.

    Parameters
    ----------
    groups : array_like, shape (n_clips,)
        Group of each clip.
    training : array_like of bool, shape (n_clips,)
        True where a clip is trained on.
    subjects_known : bool, default=True
        Whether the groups are subjects.

    Returns
    -------
    str or None
        A sentence; `None` if no subject is on both sides.

    Examples
    --------
    >>> leak([0, 0, 1], [True, False, False])
    'the split leaks: 1 of 2 subjects to test on are also trained on'
    """
    groups, training = np.asarray(groups), np.asarray(training, bool)
    tested = np.unique(groups[~training])
    shared = np.intersect1d(tested, groups[training])
    if shared.size:
        number = f"{shared.size} of {tested.size} subjects to test on"
        return f"the split leaks: {number} are also trained on"
    if not subjects_known:
        return "the split may leak: it is not recorded who is in a clip"
    return None


def validation_groups(groups: NDArray[Any], seed: int) -> list[Any]:
    """Name the two groups that a seed is validated on.

    Parameters
    ----------
    groups : array of shape (n_clips,)
        Group of each clip; at least three different ones.
    seed : int
        Seed, not negative.

    Returns
    -------
    list
        Numbers 2 * seed and 2 * seed + 1 of the sorted groups, going round: seeds in a row
        cover all groups.

    Raises
    ------
    ParameterError
        If there are fewer than three groups or the seed is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.datasets import validation_groups
    >>> validation_groups(np.array([3, 1, 2, 0, 4, 5]), seed=1)
    [2, 3]
    """
    names = np.unique(groups)
    if len(names) < 3:
        raise ParameterError(f"groups must hold at least 3 different ones; got {len(names)}.")
    if seed < 0:
        raise ParameterError(f"seeds must not be negative; got {seed}.")
    return [names[(2 * seed + place) % len(names)].item() for place in (0, 1)]


def split_for(
    groups: NDArray[Any], seed: int, by: str = "group", *, subjects_known: bool = True
) -> Split:
    """Divide clips for one seed.

    Parameters
    ----------
    groups : array of shape (n_clips,)
        Group of each clip.
    seed : int
        Seed, not negative.
    by : {"group", "clip"}, default="group"
        "group": validation on the two groups of `validation_groups`. "clip": on every fifth clip,
        drawn with `seed`, whoever made it; this leaks.
    subjects_known : bool, default=True
        Whether the groups are subjects.

    Returns
    -------
    Split
        Training clips, words, warning.

    Raises
    ------
    ParameterError
        If `by` is unknown, the seed is negative, or there are too few groups or clips.

    Examples
    --------
    >>> import numpy as np
    >>> split_for(np.arange(10) // 2, seed=0, by="clip").words
    'validation on 2 random clips'
    """
    if by == "group":
        held_out = validation_groups(groups, seed)
        training = ~np.isin(groups, held_out)
        words = "validation on groups " + ", ".join(map(str, held_out))
    elif by == "clip":
        if seed < 0:
            raise ParameterError(f"seeds must not be negative; got {seed}.")
        n_tested = len(groups) // _SHARE
        if n_tested == 0:
            raise ParameterError(f"split by clip needs at least {_SHARE} clips; got {len(groups)}.")
        draw = np.random.Generator(np.random.Philox(key=[seed, _CLIPS]))
        training = np.ones(len(groups), bool)
        training[np.argsort(draw.random(len(groups)), kind="stable")[:n_tested]] = False
        words = f"validation on {n_tested} random clips"
    else:
        raise ParameterError(f"split must be 'group' or 'clip'; got {by!r}.")
    return Split(training, words, leak(groups, training, subjects_known=subjects_known))
