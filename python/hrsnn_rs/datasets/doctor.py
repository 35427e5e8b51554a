"""Doctor: what lies in a folder, and how to open it without naming the data set.

Lives here: the list of known data sets, the choice among them and the words of a report. Not
here: how a data set looks at its folder. Invariant: whatever lies there, there is an answer.
"""

from __future__ import annotations

from inspect import signature as inspect_signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_rs.arguments import check_path
from hrsnn_rs.datasets.dvs128_gesture import DVS128Gesture
from hrsnn_rs.datasets.event_folder import EventFolder
from hrsnn_rs.datasets.inspection import Inspection, Problem
from hrsnn_rs.datasets.kth import KTH
from hrsnn_rs.datasets.nmnist import NMNIST
from hrsnn_rs.datasets.shd import SHD
from hrsnn_rs.datasets.ucf11 import UCF11
from hrsnn_rs.datasets.ucf101 import UCF101
from hrsnn_rs.datasets.video_folder import VideoFolder
from hrsnn_rs.errors import FormatError, ParameterError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from hrsnn_rs.datasets.base import Dataset
    from hrsnn_rs.events.events import Events

# Asked in this order; a folder of classes fits much, so it comes last.
KNOWN: tuple[type[Dataset], ...] = (
    DVS128Gesture,
    NMNIST,
    SHD,
    KTH,
    UCF101,
    UCF11,
    EventFolder,
    VideoFolder,
)
"""Data sets that can be recognised."""

_SHOWN = 20
_UNKNOWN = (
    "Known are: DVS128 Gesture (userNN_light.aedat, or ibmGestureTrain/userNN_light/<label>.npy), "
    "N-MNIST (Train/<digit>/<n>.bin), SHD (shd_train.h5), KTH (person01_boxing_d1_uncomp.avi), "
    "UCF11 (biking/v_biking_01/v_biking_01_01.mpg), UCF101 (v_Archery_g01_c01.avi), and your own "
    "clips as <class>/<n>.npz with arrays t (µs), x, y, p, or as videos <class>/<clip>.avi.",
    "Perhaps the archive is not unpacked yet, or the folder lies deeper: give the folder that "
    "holds these names.",
)


def inspect(path: str | os.PathLike[str]) -> Inspection:
    """Say what lies in a folder.

    Parameters
    ----------
    path : str or path-like
        The folder; anything.

    Returns
    -------
    Inspection
        Of the data set that has the most samples there. Where none is recognised, `dataset` is
        "" and the advice says what would be.

    Raises
    ------
    FormatError
        If there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     inspect(folder).problems[0].words
    'the folder is empty'
    """
    root = Path(check_path("path", path))
    if not root.is_dir():
        raise FormatError(f"{root}: no such folder." if not root.exists() else f"{root}: a file.")
    answers = [answer for one in KNOWN if (answer := one.inspect(root)) is not None]
    if answers:
        # Clips of KTH are no samples before the file that cuts them is there.
        return max(
            answers,
            key=lambda answer: max(answer.found.get(name, 0) for name in ("samples", "recordings")),
        )
    names = [one.name for one in root.iterdir() if not one.name.startswith(".")]
    archives = [name for name in names if name.endswith((".gz", ".zip", ".tar", ".rar"))]
    words = "nothing here is known" if names else "the folder is empty"
    problems = [Problem("missing", ".", words)]
    problems += [
        Problem("note", name, "an archive: unpack it first (`tar xf` or `unzip`)")
        for name in sorted(archives)
    ]
    return Inspection("", "", str(root), {"samples": 0}, {}, tuple(problems), _UNKNOWN)


def open_dataset(
    path: str | os.PathLike[str],
    split: str | None = None,
    encoder: Callable[[Any], Events] | None = None,
    **options: Any,
) -> Dataset:
    """Open a folder as the data set that it is.

    Parameters
    ----------
    path : str or path-like
        The folder.
    split : str, default=None
        Official part, if the data set has any. `None` means all.
    encoder : callable, default=None
        As in the data set.
    **options
        What else the data set takes, such as `cache=True` or, for UCF101, `fold=2`.

    Returns
    -------
    Dataset
        Of one of the classes in `KNOWN`.

    Raises
    ------
    FormatError
        If nothing there is known, or it cannot be opened.
    ParameterError
        If the data set has no such part or option.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "wave").mkdir()
    ...     np.savez(Path(folder) / "wave" / "0.npz", t=[1], x=[2], y=[3], p=[1])
    ...     open_dataset(folder)
    EventFolder(1 samples, 1 classes, 1 subjects)
    """
    answer = inspect(path)
    for one in KNOWN:
        if one.__name__ == answer.dataset:
            try:
                known = [*inspect_signature(one).parameters][3:]
                for name in options:
                    if name not in known:
                        raise ParameterError(f"option must be of {', '.join(known)}; got {name!r}.")
                return one(answer.root, split, encoder, **options)
            except ParameterError as error:
                raise ParameterError(f"{answer.dataset}: {error}") from None
    said = f"{answer.problems[0].words}; see `hrsnn data doctor {path}`"
    raise FormatError(f"{answer.root}: no samples; {said}.")


def told(inspection: Inspection) -> str:
    """Put an inspection in words.

    Parameters
    ----------
    inspection : Inspection
        What was found.

    Returns
    -------
    str
        Lines for people: what it is, how many of how many, what is wrong, what to do.

    Examples
    --------
    >>> print(told(Inspection("NMNIST", "Train/<digit>/<n>.bin", "d", {"samples": 9},
    ...                       {"samples": 10})))
    Looks like NMNIST: Train/<digit>/<n>.bin
    Open it with: hrsnn_rs.datasets.NMNIST('d')
      samples: 9 of 10
    Not complete: 9 of 10 samples.
    """
    lines = []
    if inspection.dataset:
        lines.append(f"Looks like {inspection.dataset}: {inspection.layout}")
        lines.append(f"Open it with: hrsnn_rs.datasets.{inspection.dataset}({inspection.root!r})")
        for name, number in inspection.found.items():
            of = f" of {inspection.expected[name]}" if name in inspection.expected else ""
            lines.append(f"  {name}: {number}{of}")
    else:
        lines.append(f"No data set that is known lies in {inspection.root}.")
    by_kind: dict[str, list[Problem]] = {}
    for problem in inspection.problems:
        by_kind.setdefault(problem.kind, []).append(problem)
    for kind, problems in by_kind.items():
        lines.append(f"{kind}: {len(problems)}")
        lines += [f"  {problem.path}: {problem.words}" for problem in problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            lines.append(f"  and {len(problems) - _SHOWN} more (--json has all)")
    missing = [
        f"{inspection.found.get(name, 0)} of {number} {name}"
        for name, number in inspection.expected.items()
        if inspection.found.get(name, 0) != number
    ]
    if missing:
        lines.append(f"Not complete: {', '.join(missing)}.")
    elif inspection.is_sound and inspection.dataset:
        lines.append("All is well." if inspection.expected else "Nothing wrong was found.")
    lines += inspection.advice
    return "\n".join(lines)
