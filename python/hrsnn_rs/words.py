"""Numbers in words, as messages, tables and pages have them."""

from __future__ import annotations

import numpy as np

__all__ = ["counted", "place_of"]


def counted(n: int, what: str) -> str:
    """Write a number of things.

    Parameters
    ----------
    n : int
        How many.
    what : str
        One of them.

    Returns
    -------
    str
        With "s" behind, or "es" behind an "s", but for one.

    Examples
    --------
    >>> from hrsnn_rs.words import counted
    >>> counted(1, "clip"), counted(2, "class")
    ('1 clip', '2 classes')
    """
    many = "es" if what.endswith("s") else "s"
    return f"{n:,} {what}{many * (n != 1)}"


def place_of(index: int, shape: tuple[int, ...], at: str = "index") -> str:
    """Say where in an array an element stands.

    Parameters
    ----------
    index : int
        Of the element, row by row.
    shape : tuple of int
        Of the array.
    at : str, default="index"
        What the elements of one dimension are.

    Returns
    -------
    str
        For a message.

    Examples
    --------
    >>> from hrsnn_rs.words import place_of
    >>> place_of(4, (5,), "neuron"), place_of(4, (2, 3))
    ('neuron 4', '(row, column) (1, 1)')
    """
    if len(shape) < 2:
        return f"{at} {index}"
    place = tuple(int(one) for one in np.unravel_index(index, shape))
    return f"(row, column) {place}" if len(shape) == 2 else f"index {place}"
