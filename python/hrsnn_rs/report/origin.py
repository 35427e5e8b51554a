"""Where and with what a page was made: machine, versions, date.

What cannot be found out is left out.
"""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["origin"]

_PACKAGES = ("numpy", "polars", "scikit-learn", "matplotlib")


def origin() -> dict[str, str]:
    """Tell of this machine, what runs on it, and what time it is.

    Returns
    -------
    dict
        Words by what they are of.

    Examples
    --------
    >>> sorted(origin())
    ['date', 'machine', 'versions']
    """
    now = datetime.datetime.now(datetime.UTC)
    versions = [f"Python {platform.python_version()}"]
    for name in _PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    cores = f"{os.cpu_count() or 'unknown'} cores"
    machine = (_processor(), cores, f"{platform.system()} {platform.release()}")
    return {
        "date": f"{now:%Y-%m-%d %H:%M} UTC",
        "machine": ", ".join(filter(None, machine)),
        "versions": ", ".join(versions),
    }


def _processor() -> str:
    """Name the processor; Linux keeps its name in a file."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
