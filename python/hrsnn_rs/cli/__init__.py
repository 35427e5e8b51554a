"""The command `hrsnn`: arguments in, words or JSON out.

Not here: work of any kind; it is done by the other wings, all of which it may know.
"""

from hrsnn_rs.cli.command import main

__all__ = [
    "main",
]
