"""Checks of single arguments that are no numbers: words, lists, functions, objects of a class.

Not here: numbers, arrays, laws and paths (`numbers`). Each returns the converted value or names
what is wrong.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hrsnn_rs.arguments.numbers import refuse_masked
from hrsnn_rs.errors import ParameterError

__all__ = [
    "check_callable",
    "check_choice",
    "check_kind",
    "check_list",
    "check_progress",
    "check_text",
]


def check_choice(name: str, value: object, known: Iterable[str]) -> str:
    """Return `value` if it is one of some words.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : object
        What the caller handed over.
    known : iterable of str
        The words, in the order in which the message has them.

    Returns
    -------
    str
        The word.

    Raises
    ------
    ParameterError
        If it is no such word.

    Examples
    --------
    >>> check_choice("by", "clip", ("group", "clip"))
    'clip'
    """
    words = tuple(known)
    if not isinstance(value, str) or value not in words:
        raise ParameterError(f"{name} must be one of {', '.join(words)}; got {value!r}.")
    return value


def check_text(name: str, value: object) -> str:
    """Return `value` if it is a string, else raise ParameterError that names the argument."""
    if not isinstance(value, str):
        raise ParameterError(f"{name} must be a string; got {value!r}.")
    return value


def check_kind(name: str, value: object, *kinds: type) -> Any:
    """Return `value` if it is of one of some classes.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : object
        What the caller handed over.
    *kinds : type
        Classes; `NoneType` is told as None.

    Returns
    -------
    object
        The value.

    Raises
    ------
    ParameterError
        If it is of none of them.

    Examples
    --------
    >>> check_kind("name", 3, str, type(None))
    Traceback (most recent call last):
    hrsnn_rs.errors.ParameterError: name must be of type str or None; got 3.
    """
    if not isinstance(value, kinds):
        names = ("None" if kind is type(None) else kind.__name__ for kind in kinds)
        raise ParameterError(f"{name} must be of type {' or '.join(names)}; got {value!r}.")
    return value


def check_list(name: str, value: object, *, least: int = 0) -> list[Any]:
    """Return what can be iterated as a list; text, bytes and mappings are none.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : object
        What the caller handed over; an iterator is read to its end.
    least : int, default=0
        How many values it must hold.

    Returns
    -------
    list
        The values.

    Raises
    ------
    ParameterError
        If it is no list of values, a value is masked, or there are too few.

    Examples
    --------
    >>> check_list("seeds", range(3))
    [0, 1, 2]
    """
    is_single = isinstance(value, np.ndarray) and value.ndim == 0
    if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping) or is_single:
        raise ParameterError(f"{name} must be a list of values; got {value!r}.")
    refuse_masked(name, value)
    values = list(value)
    if len(values) < least:
        words = "one" if least == 1 else least
        raise ParameterError(f"{name} must hold at least {words}; got {len(values) or 'none'}.")
    return values


def check_callable(name: str, value: object, *given: object, **named: object) -> Any:
    """Return `value` if it can be called with such arguments; it is not called.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    value : object
        What the caller handed over.
    *given, **named
        What it is going to be called with, or something of that kind. Nothing: it is only asked
        whether it can be called.

    Returns
    -------
    callable
        The value.

    Raises
    ------
    ParameterError
        If it cannot be called, or takes other arguments.

    Examples
    --------
    >>> check_callable("progress", len, 0, 3, "encoding")
    Traceback (most recent call last):
    hrsnn_rs.errors.ParameterError: progress must be a function that can be called as
        progress(0, 3, 'encoding'); got <built-in function len>: too many positional arguments.
    """
    if not callable(value):
        raise ParameterError(f"{name} must be a function; got {value!r}.")
    if not (given or named):
        return value
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):  # Some that are compiled do not say what they take.
        return value
    try:
        signature.bind(*given, **named)
    except TypeError as error:
        words = [repr(one) for one in given] + [f"{key}={one!r}" for key, one in named.items()]
        raise ParameterError(
            f"{name} must be a function that can be called as {name}({', '.join(words)}); got "
            f"{value!r}: {error}."
        ) from None
    return value


def check_progress(progress: object) -> None:
    """Refuse what cannot be told of progress.

    Parameters
    ----------
    progress : callable or None
        Called with steps done, steps in all, and a word.

    Raises
    ------
    ParameterError
        If it is neither.

    Examples
    --------
    >>> check_progress(None)
    """
    if progress is not None:
        check_callable("progress", progress, 0, 1, "step")
