"""What is at work on a stream: there is one of it, for the core moves on with what comes.

Lives here: the one refusal to copy or pickle such a thing. Not here: files of what it carries.
Invariant: there are never two objects around one state of the core.
"""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

__all__ = ["NoCopies"]


class NoCopies:
    """Cannot be copied or pickled; TypeError says what to do instead.

    Examples
    --------
    >>> import copy
    >>> from hrsnn_rs.events.no_copies import NoCopies
    >>> class Clock(NoCopies):
    ...     _instead = "make another"
    >>> copy.copy(Clock())
    Traceback (most recent call last):
    TypeError: a Clock can be neither copied nor pickled: make another.
    """

    _instead: ClassVar[str]

    def __copy__(self) -> NoReturn:
        self._refuse()

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        self._refuse()

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} can be neither copied nor pickled: {self._instead}."
        )
