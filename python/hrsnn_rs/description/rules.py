"""Rules of connectivity as dictionaries, and back: for files of what was described.

Not here: graphs that were given as a matrix, which are arrays and no rule.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_choice, check_mapping
from hrsnn_rs.description.connectivity import (
    Connectivity,
    DistanceConnectivity,
    FixedInDegreeConnectivity,
    OneToOneConnectivity,
    RandomConnectivity,
    SmallWorldConnectivity,
)
from hrsnn_rs.description.law import Distribution
from hrsnn_rs.description.local_connectivity import LocalConnectivity, LocalRecurrence
from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RULES", "rule_from_dict", "rule_to_dict"]

RULES: tuple[type[Connectivity], ...] = (
    DistanceConnectivity,
    FixedInDegreeConnectivity,
    LocalConnectivity,
    LocalRecurrence,
    OneToOneConnectivity,
    RandomConnectivity,
    SmallWorldConnectivity,
)
"""Rules that a dictionary can hold."""

_KINDS = {rule.__name__: rule for rule in RULES}


def rule_to_dict(rule: Connectivity) -> dict[str, Any]:
    """Give what `rule_from_dict` takes; JSON can hold it (arrays become lists).

    Parameters
    ----------
    rule : Connectivity
        Of `RULES`. Not changed.

    Returns
    -------
    dict
        `kind`, and the arguments by name.

    Raises
    ------
    ParameterError
        If it is another one.

    Examples
    --------
    >>> from hrsnn_rs import OneToOneConnectivity
    >>> from hrsnn_rs.description.rules import rule_to_dict
    >>> rule_to_dict(OneToOneConnectivity(weight=2.0))["weight"]
    2.0
    """
    if type(rule) not in RULES:
        raise ParameterError(f"rule must be one of {', '.join(_KINDS)}; got {rule!r}.")
    content: dict[str, Any] = {"kind": type(rule).__name__}
    for field in fields(rule):  # type: ignore[arg-type]
        content[field.name] = _plain(getattr(rule, field.name))
    return content


def rule_from_dict(content: Mapping[str, Any]) -> Connectivity:
    """Make the rule that `rule_to_dict` described.

    Parameters
    ----------
    content : mapping
        As from `rule_to_dict`; what is left out takes its default.

    Returns
    -------
    Connectivity
        The same rule.

    Raises
    ------
    ParameterError
        If the kind or an argument is unknown, or refused.

    Examples
    --------
    >>> from hrsnn_rs.description.rules import rule_from_dict
    >>> rule_from_dict({"kind": "RandomConnectivity", "p": 0.5}).p
    0.5
    """
    said = dict(check_mapping("content", content))
    kind = said.pop("kind", None)
    check_choice("kind", kind, _KINDS)
    known = [field.name for field in fields(_KINDS[kind])]  # type: ignore[arg-type]
    arguments: dict[str, Any] = {}
    for name, value in said.items():
        if name not in known:
            raise ParameterError(f"{kind} has the arguments {', '.join(known)}; got {name!r}.")
        # Sides of a sensor or a grid, which are no array.
        is_sides = isinstance(value, list) and name in ("sensor", "grid")
        is_law = isinstance(value, dict) and "kind" in value
        arguments[name] = (
            tuple(value) if is_sides else Distribution.from_dict(value) if is_law else value
        )
    return _KINDS[kind](**arguments)


def _plain(value: Any) -> Any:
    if isinstance(value, Distribution):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return list(value)
    return value.item() if isinstance(value, np.generic) else value
