"""What this process may still take of the memory, asked before anything large is allocated.

Lives here: the limits of machine, control group and process. Not here: what a network takes
(`network.memory`). Invariant: a request that cannot be granted ends in an exception while the
process is still well.
"""

from __future__ import annotations

import os
import sys

from hrsnn_rs.errors import OutOfMemoryError

__all__ = ["available_memory", "check_memory"]

_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available_memory() -> int | None:
    """Say how much this process may still take, as far as the system tells.

    Returns
    -------
    int or None
        Bytes: the least of the machine's memory, that of its control group, and what is left
        of a limit on the process (`ulimit -v`). None where nothing is known.

    Examples
    --------
    >>> available_memory() is None or available_memory() > 0
    True
    """
    known = [amount for amount in (_machine(), _control_group(), _left_of_limit()) if amount]
    return min(known, default=None)


def check_memory(name: str, n_bytes: float) -> None:
    """Refuse a request that is larger than the memory.

    Parameters
    ----------
    name : str
        What it is for, for the message.
    n_bytes : float
        How much it takes.

    Raises
    ------
    OutOfMemoryError
        If there is not so much.

    Examples
    --------
    >>> check_memory("features", 1000)
    """
    available = available_memory()
    if available is not None and n_bytes > available:
        raise OutOfMemoryError(
            f"{name} must be small enough for the memory: it takes some"
            f" {n_bytes / 1e9:.3g} GB, and there are {available / 1e9:.3g} GB."
        )


def _machine() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _control_group() -> int | None:
    for path in _CGROUPS:
        try:
            return int(_text_of(path))
        except (OSError, ValueError):  # no such file, or the word "max"
            continue
    return None


def _left_of_limit() -> int | None:
    """Bytes left below a limit on the address space; at least 1."""
    if sys.platform != "linux":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        pages = int(_text_of("/proc/self/statm").split()[0])
    except OSError:
        return limit
    return max(limit - pages * resource.getpagesize(), 1)


def _text_of(path: str) -> str:
    from pathlib import Path

    return Path(path).read_text(encoding="utf-8")
