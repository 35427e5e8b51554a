"""Doctor: what lies in a folder, and how to open it without naming the data set.

Lives here: the list of known data sets, the choice among them, the reading of samples and the
words of a report. Not here: how a data set looks at its folder. Invariant: whatever lies there,
there is an answer, and it says what was read for it.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import replace
from inspect import signature as inspect_signature
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_path, check_truth
from hrsnn_rs.datasets.dvs128_gesture import DVS128Gesture
from hrsnn_rs.datasets.event_folder import EventFolder
from hrsnn_rs.datasets.inspection import Inspection, Problem, relative
from hrsnn_rs.datasets.kth import KTH
from hrsnn_rs.datasets.nmnist import NMNIST
from hrsnn_rs.datasets.shd import SHD
from hrsnn_rs.datasets.ucf11 import UCF11
from hrsnn_rs.datasets.ucf101 import UCF101
from hrsnn_rs.datasets.video_folder import VideoFolder
from hrsnn_rs.datasets.walk import natural, walk
from hrsnn_rs.errors import (
    DataWarning,
    FormatError,
    HRSNNError,
    MissingDependencyError,
    ParameterError,
    ShapeError,
)
from hrsnn_rs.events.columns import kind_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

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
_NAMED = 12
# Samples of each kind of file that are read, besides one of each class.
_READ = 12
_UNKNOWN = (
    "Known are: DVS128 Gesture (userNN_light.aedat, or ibmGestureTrain/userNN_light/<label>.npy), "
    "N-MNIST (Train/<digit>/<n>.bin), SHD (shd_train.h5), KTH (person01_boxing_d1_uncomp.avi), "
    "UCF11 (biking/v_biking_01/v_biking_01_01.mpg), UCF101 (v_Archery_g01_c01.avi), and your own "
    "clips as <class>/<clip>.npz with arrays t (µs), x, y, p, or as videos <class>/<clip>.avi.",
    "Perhaps the archive is not unpacked yet, or the folder lies deeper: give the folder that "
    "holds these names.",
)


def inspect(path: str | os.PathLike[str], *, deep: bool = False, **options: Any) -> Inspection:
    """Say what lies in a folder, and read some of it.

    Parameters
    ----------
    path : str or path-like
        The folder; anything.
    deep : bool, default=False
        Whether to read all samples, and not only some of each kind of file.
    **options
        What the data set takes, as in `open_dataset`; an option that it does not take is told.

    Returns
    -------
    Inspection
        Of the data set that has the most samples there. Where none is recognised, `dataset` is
        "" and the advice says what would be.

    Raises
    ------
    FormatError
        If there is no such folder.
    ParameterError
        If `deep` is neither True nor False, or an option is not what the data set takes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     inspect(folder).problems[0].words
    'the folder is empty'
    """
    check_truth("deep", deep)
    answer = recognise(path)
    return look_into(answer, deep=deep, **options) if answer.dataset else answer


def recognise(path: str | os.PathLike[str]) -> Inspection:
    """Say what lies in a folder by names, sizes and headers alone; see `inspect`."""
    root = Path(check_path("path", path))
    if not root.is_dir():
        raise FormatError(f"{root}: no such folder." if not root.exists() else f"{root}: a file.")
    answers = [answer for one in KNOWN if (answer := one.inspect(root)) is not None]
    if answers:
        return _best(answers, walk(root).problems)
    names = [one.name for one in root.iterdir() if not one.name.startswith(".")]
    archives = [name for name in names if name.endswith((".gz", ".zip", ".tar", ".rar"))]
    words = "nothing here is known" if names else "the folder is empty"
    problems = [Problem("missing", ".", words), *walk(root).problems]
    problems += [
        Problem("note", name, "an archive: unpack it first (`tar xf` or `unzip`)")
        for name in sorted(archives)
    ]
    return Inspection("", "", str(root), {"samples": 0}, {}, tuple(problems), _UNKNOWN)


def _best(answers: list[Inspection], problems: tuple[Problem, ...]) -> Inspection:
    """Choose the data set with the most clips; a named one if at least half have its names."""

    def n_clips(answer: Inspection) -> int:
        # Clips of KTH are no samples before the file that cuts them is there.
        return answer.found.get("recordings", 0) or answer.found.get("samples", 0)

    best = max(answers, key=n_clips)
    named = max((one for one in answers if one.expected), key=n_clips, default=best)
    n_strangers = n_clips(best) - n_clips(named)
    if n_clips(named) >= n_strangers:
        best = named
        n_strangers -= sum(one.kind in ("duplicated", "misplaced") for one in named.problems)
        if n_strangers > 0:
            words = f"clips without a name of {named.dataset}, which are not read: {n_strangers}"
            problems = (Problem("note", ".", words), *problems)
    return replace(best, problems=(*best.problems, *problems))


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
    EventFolder(1 sample, 1 class, subjects unknown)
    """
    return opened(recognise(path), split, encoder, **options)


def options_of(answer: Inspection) -> dict[str, str]:
    """Return the options of the data set that was found, with their types in words of Python."""
    for one in KNOWN:
        if one.__name__ == answer.dataset:
            parameters = [*inspect_signature(one).parameters.values()][3:]
            return {parameter.name: parameter.annotation for parameter in parameters}
    return {}


def opened(
    answer: Inspection,
    split: str | None = None,
    encoder: Callable[[Any], Events] | None = None,
    **options: Any,
) -> Dataset:
    """Open what was recognised; see `open_dataset`."""
    for one in KNOWN:
        if one.__name__ == answer.dataset:
            known = options_of(answer)
            try:
                for name in options:
                    if name not in known:
                        raise ParameterError(f"option must be of {', '.join(known)}; got {name!r}.")
                return one(answer.root, split, encoder, **options)
            except ParameterError as error:
                raise ParameterError(f"{answer.dataset}: {error}") from None
    said = f"{answer.problems[0].words}; see `hrsnn data doctor {answer.root}`"
    raise FormatError(f"{answer.root}: no samples; {said}.")


def look_into(answer: Inspection, *, deep: bool = False, **options: Any) -> Inspection:
    """Open what was recognised and read samples of it; see `inspect`."""
    if not answer.is_sound and not any(answer.found.values()):
        return answer
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            dataset = opened(answer, **options)
    except (FormatError, ShapeError, MissingDependencyError) as error:
        if any(problem.harms and str(error) in problem.words for problem in answer.problems):
            return answer
        problem = Problem("wrong", ".", _below(str(error), answer.root))
        return replace(answer, problems=(*answer.problems, problem))
    found, names, problems = dict(answer.found), dict[str, tuple[str, ...]](), []
    if not answer.expected:
        found |= {
            split: sum(one.split == split for one in dataset.recordings) for split in dataset.splits
        }
        names["classes"] = tuple(dataset.classes)
        found["classes"] = len(dataset.classes)
        if dataset.subjects_known:
            names["subjects"] = tuple(sorted(set(map(str, dataset.subjects)), key=natural))
            found["subjects"] = len(names["subjects"])
    if len(np.unique(dataset.labels)) < 2:
        problems.append(Problem("note", ".", "there is one class: nothing to tell apart"))
    if dataset.split_warning is not None:
        problems.append(Problem("note", ".", dataset.split_warning))
    by_suffix: dict[str, list[int]] = {}
    for sample, path in enumerate(dataset.paths):
        by_suffix.setdefault(path.suffix.lower(), []).append(sample)
    read = {
        suffix: samples if deep else _some_of(samples, dataset.labels)
        for suffix, samples in by_suffix.items()
    }
    told_already = {problem.path for problem in answer.problems if problem.harms}
    chosen = [*chain.from_iterable(read.values())]
    faults, n_unread = _read(dataset, Path(answer.root), chosen, told_already)
    problems += faults
    return replace(
        answer,
        found=found,
        names=names,
        problems=(*answer.problems, *problems),
        read={
            suffix: (len(some) - n_unread[suffix], len(by_suffix[suffix]))
            for suffix, some in read.items()
        },
    )


def _some_of(samples: list[int], labels: NDArray[np.int64]) -> list[int]:
    """Choose some from start to end, and at least one of each class."""
    places = np.linspace(0, len(samples) - 1, min(_READ, len(samples)))
    chosen = [samples[place] for place in np.rint(places).astype(int)]
    classes = {int(labels[sample]) for sample in chosen}
    for sample in samples:
        if int(labels[sample]) not in classes:
            classes.add(int(labels[sample]))
            chosen.append(sample)
    return sorted(chosen)


def _read(
    dataset: Dataset, root: Path, chosen: list[int], told_already: set[str]
) -> tuple[list[Problem], Counter[str]]:
    """Read samples as a whole, and say what is wrong with them and with their sizes.

    Counted are those of each ending that nothing installed can read.
    """
    problems: list[Problem] = []
    n_unread = Counter[str]()
    sizes: dict[tuple[int, int], str] = {}
    for sample in chosen:
        path = dataset.recordings[sample].path
        name = relative(path, root)
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always", DataWarning)
                sizes.setdefault(dataset._look_at(sample), name)
        except MissingDependencyError as error:
            n_unread[path.suffix.lower()] += 1
            problem = Problem("unreadable", ".", str(error))
            problems += [] if problem in problems else [problem]
        except (HRSNNError, OSError) as error:
            if name not in told_already:
                told_already.add(name)
                problems.append(Problem("unreadable", name, _below(str(error), str(path))))
        else:
            problems += [Problem("note", name, _below(str(one.message), str(path))) for one in said]
    if len(sizes) > 1:
        (first, second), (one, other) = list(sizes)[:2], list(sizes.values())[:2]
        fix = (
            "give frame_size=(rows, columns) to scale all"
            if hasattr(dataset, "frame_size")
            else "an encoder takes one size; put each into a folder of its own"
        )
        words = (
            f"has {second[0]} x {second[1]} pixels, and {one} has {first[0]} x {first[1]}: {fix}"
        )
        problems.append(Problem("wrong", other, words))
    return problems, n_unread


def _below(words: str, path: str) -> str:
    """Return an error without the path that it begins with."""
    return words.removeprefix(path).lstrip("/: ")


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

    Raises
    ------
    ParameterError
        If it is no inspection.

    Examples
    --------
    >>> print(told(Inspection("NMNIST", "Train/<digit>/<n>.bin", "d", {"samples": 9},
    ...                       {"samples": 10})))
    Looks like NMNIST: Train/<digit>/<n>.bin
    Open it with: hrsnn_rs.datasets.NMNIST('d')
      samples: 9 of 10
    Not complete: 9 of 10 samples.
    """
    if not isinstance(inspection, Inspection):
        raise ParameterError(f"inspection must be an Inspection; got {kind_of(inspection)}.")
    lines = []
    if inspection.dataset:
        lines.append(f"Looks like {inspection.dataset}: {inspection.layout}")
        lines.append(f"Open it with: hrsnn_rs.datasets.{inspection.dataset}({inspection.root!r})")
        for name, number in inspection.found.items():
            of = f" of {inspection.expected[name]}" if name in inspection.expected else ""
            called = f" ({_listed(inspection.names[name])})" if name in inspection.names else ""
            lines.append(f"  {name}: {number}{of}{called}")
        for suffix, (n_read, n_all) in inspection.read.items():
            lines.append(f"Read {n_read} of {n_all} samples in files {suffix}.")
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
    if any(n_read < n_all for n_read, n_all in inspection.read.values()):
        lines.append("With --deep all samples are read.")
    lines += inspection.advice
    return "\n".join(lines)


def _listed(names: tuple[str, ...]) -> str:
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
