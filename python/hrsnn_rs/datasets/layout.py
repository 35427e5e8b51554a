"""Layout: which split, class and person the place of a file in a folder of clips stands for.

Lives here: `[<split>/]<class>/[<person>/]<clip>`, and the one rule that says who is in a clip. Not
here: how a file is read. Invariant: nothing is guessed in silence. Where a folder could mean two
things it is refused with what to do, and persons whom nothing names are unknown.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from hrsnn_rs.arguments import check_integer, check_path
from hrsnn_rs.datasets.base import Recording
from hrsnn_rs.datasets.inspection import Inspection, Problem, duplicates, relative
from hrsnn_rs.datasets.walk import is_utf8, natural, shown, walk
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.recordings.event_files import READERS
from hrsnn_rs.recordings.video import VIDEO_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

__all__ = ["Layout", "Rule", "checked_has_splits", "inspect_layout", "read_layout"]

_SPLITS = tuple(
    "train training val valid validation dev eval evaluation test testing".split()  # noqa: SIM905 - names
)
_UNKNOWN = (
    "nothing says who is in a clip: put the clips of each person into <class>/<person>/, or give "
    "subject=, index_file= or clips_per_subject= (hrsnn ... --option subject=...)"
)
_SHOWN = 5


class Rule(NamedTuple):
    """What says who is in a clip; at most one of them, and the folders of persons if none.

    Attributes
    ----------
    subject : Pattern or None
        Its one group, searched for in the name of the file, is the person.
    index_file : Path or None
        Table with the columns `path` and `subject`.
    clips_per_subject : int or None
        How many consecutive numbers of a class belong to one person.
    """

    subject: re.Pattern[str] | None = None
    index_file: Path | None = None
    clips_per_subject: int | None = None

    @classmethod
    def checked(cls, subject: Any, index_file: Any, clips_per_subject: Any) -> Rule:
        """Check what a user gave; ParameterError names the argument."""
        given = {
            "subject": subject,
            "index_file": index_file,
            "clips_per_subject": clips_per_subject,
        }
        names = [name for name, value in given.items() if value is not None]
        pattern = None if subject is None else _checked_pattern(subject)
        table = None if index_file is None else Path(check_path("index_file", index_file))
        number = clips_per_subject
        if number is not None:
            number = check_integer("clips_per_subject", number, 1)
        if len(names) > 1:
            raise ParameterError(f"{' and '.join(names)} must not be given together.")
        return cls(pattern, table, number)


class Layout(NamedTuple):
    """What the places of all clips stand for.

    Attributes
    ----------
    classes : tuple of str
        In natural order.
    splits : tuple of str
        Names of the folders above the classes, training first; empty where there are none.
    recordings : list of Recording
        By class, then in natural order. Groups count the subjects; where those are unknown, they
        count the clips of a class.
    subjects : tuple of str or None
        Names of the persons; `None` where nothing says who is in a clip.
    """

    classes: tuple[str, ...]
    splits: tuple[str, ...]
    recordings: list[Recording]
    subjects: tuple[str, ...] | None

    def warning(self, split: str | None) -> str | None:
        """Say why a result on a split may flatter."""
        if self.subjects is None:
            return _UNKNOWN
        here, there = (
            {one.group for one in self.recordings if (one.split == split) is same}
            for same in (True, False)
        )
        if split is None or not here & there:
            return None
        return f"{len(here & there)} of {len(here)} persons of this split are in others too"


class _Clip(NamedTuple):
    path: Path
    split: str
    class_name: str
    between: tuple[str, ...]


def checked_has_splits(has_splits: Any) -> None:
    """Refuse what is neither a bool nor `None`."""
    if has_splits is not None and not isinstance(has_splits, bool):
        raise ParameterError(f"has_splits must be True, False or None; got {has_splits!r:.80}.")


def read_layout(
    root: Path, suffixes: Collection[str], rule: Rule, has_splits: bool | None
) -> Layout:
    """Say what the place of each clip below a folder stands for.

    Parameters
    ----------
    root : Path
        The folder.
    suffixes : collection of str
        Endings of clips, in lower case.
    rule : Rule
        What says who is in a clip.
    has_splits : bool or None
        Whether the uppermost folders are splits; `None` means where all have the name of one.

    Returns
    -------
    Layout
        Without a clip, all of it is empty.

    Raises
    ------
    FormatError
        If a folder could mean two things, or cannot be looked into.
    ParameterError
        If the rule names nobody for a clip.
    """
    found = walk(root)
    for problem in found.problems:
        if problem.kind == "unreadable":
            raise FormatError(f"{root / problem.path}: {problem.words}.")
    files = [path for path in found.files if path.suffix.lower() in suffixes]
    clips = _clips(root, files, has_splits)
    if has_splits is not False:
        _refuse_splits_below(root, clips)
    if len({clip.class_name for clip in clips}) == 1 and all(clip.between for clip in clips):
        folder = root / clips[0].split / clips[0].class_name
        raise FormatError(
            f"{folder}: the only folder of a class, and holds folders. If these are the classes, "
            "open it and not the one above; there must be two classes where persons have folders."
        )
    names = _names(root, clips, rule)
    _refuse_foreign_names(root, clips, names)
    classes = tuple(sorted({clip.class_name for clip in clips}, key=natural))
    splits = {clip.split for clip in clips} - {""}
    subjects = None if names is None else tuple(sorted(set(names), key=natural))
    order = {name: place for place, name in enumerate(subjects or ())}
    labels = {name: label for label, name in enumerate(classes)}
    counted = dict.fromkeys(classes, 0)
    recordings = []
    for place, clip in enumerate(clips):
        group = counted[clip.class_name] if names is None else order[names[place]]
        counted[clip.class_name] += 1
        recordings.append(Recording(clip.path, labels[clip.class_name], group, clip.split))
    recordings.sort(key=lambda one: one.label)
    return Layout(classes, tuple(sorted(splits, key=_split_place)), recordings, subjects)


def inspect_layout(
    dataset: str,
    root: Path,
    suffixes: Collection[str],
    faults: Callable[[Sequence[Path]], Sequence[Problem]],
) -> Inspection | None:
    """Say what is wrong with the files of a folder of clips, whatever its folders mean.

    Parameters
    ----------
    dataset : str
        Name of the class that opens it.
    root : Path
        The folder.
    suffixes : collection of str
        Endings of clips, in lower case.
    faults : callable
        Gives what a quick look at the files finds.

    Returns
    -------
    Inspection or None
        `None` if there is no clip.
    """
    found = walk(root)
    files = [path for path in found.files if path.suffix.lower() in suffixes]
    if not files:
        return None
    problems = _without_clips(root, files, found.files, found.folders)
    clips = [path for path in files if path.parent != root]
    problems += faults(clips)
    problems += [
        Problem(
            "misplaced",
            path.name,
            "lies in no folder of a class and is not read: move it into <class>/",
        )
        for path in files
        if path.parent == root
    ]
    for path, other in duplicates([path for path in clips if path.exists()]):
        words = f"has the very bytes of {relative(other, root)}: a split may leak"
        problems.append(Problem("duplicated", relative(path, root), words))
    layout = "[<split>/]<class>/[<person>/]<clip>"
    return Inspection(dataset, layout, str(root), {"samples": len(clips)}, problems=tuple(problems))


def _is_split(name: str) -> bool:
    return name.lower() in _SPLITS


def _split_place(name: str) -> tuple[int, Any]:
    place = _SPLITS.index(name.lower()) if _is_split(name) else len(_SPLITS)
    return place, natural(name)


def _clips(root: Path, files: list[Path], has_splits: bool | None) -> list[_Clip]:
    """Take the folders of each clip apart; those beside the folders of classes are left out."""
    places = [(path, path.relative_to(root).parts[:-1]) for path in files]
    places = [(path, folders) for path, folders in places if folders]
    tops = sorted({folders[0] for _, folders in places}, key=natural)
    named = [name for name in tops if _is_split(name)]
    if has_splits is None:
        has_splits = bool(named)
        if 0 < len(named) < len(tops):
            others = ", ".join([name for name in tops if name not in named][:_SHOWN])
            raise FormatError(
                f"{root / named[0]}: has the name of a split and lies beside {others}. Put all "
                "clips into folders of splits, as train/<class>/<clip>, or give has_splits=False "
                f"if {named[0]} is a class."
            )
    if not has_splits:
        return [_Clip(path, "", folders[0], folders[1:]) for path, folders in places]
    for path, folders in places:
        if len(folders) == 1:
            raise FormatError(
                f"{path}: lies in the folder of a split and in none of a class. Move it to "
                f"{folders[0]}/<class>/, or give has_splits=False if {folders[0]} is a class."
            )
    return [_Clip(path, folders[0], folders[1], folders[2:]) for path, folders in places]


def _refuse_splits_below(root: Path, clips: list[_Clip]) -> None:
    for clip in clips:
        for name in clip.between:
            if _is_split(name):
                raise FormatError(
                    f"{clip.path.parent}: has the name of a split below a class. Put splits above, "
                    f"as {name}/{clip.class_name}/, or give has_splits=False if it is no split."
                )


def _refuse_foreign_names(root: Path, clips: list[_Clip], names: list[str] | None) -> None:
    """Refuse what no table of labels can hold: names whose bytes are not UTF-8."""
    for place, clip in enumerate(clips):
        folder = root / clip.split
        for path, name in ((folder, clip.split), (folder / clip.class_name, clip.class_name)):
            if not is_utf8(name):
                raise FormatError(
                    f"{shown(path)}: the name of this folder is not UTF-8, and a label must be. "
                    "Rename it."
                )
        if names is not None and not is_utf8(names[place]):
            raise FormatError(
                f"{shown(clip.path)}: the person in it has a name that is not UTF-8 "
                f"({shown(names[place])}), and a label must be. Rename what names the person."
            )


def _names(root: Path, clips: list[_Clip], rule: Rule) -> list[str] | None:
    """Return the name of the person in each clip; `None` if nothing says it."""
    if rule.subject is not None:
        return [_matched(rule.subject, clip.path) for clip in clips]
    if rule.index_file is not None:
        return _listed(root, [clip.path for clip in clips], rule.index_file)
    if rule.clips_per_subject is not None:
        return [str(_number(clip.path) // rule.clips_per_subject) for clip in clips]
    for clip in clips:
        if len(clip.between) > 1:
            folder = clip.path.parent
            raise FormatError(
                f"{folder}: {len(clip.between)} folders lie between the class {clip.class_name!r} "
                "and the clip, and only one, of a person, is understood. Open a folder further "
                "down, or give subject= or index_file=."
            )
    named = [clip.between[0] for clip in clips if clip.between]
    return named if len(named) == len(clips) else None


def _checked_pattern(subject: Any) -> re.Pattern[str]:
    if isinstance(subject, str):
        try:
            pattern = re.compile(subject)
        except (re.error, OverflowError, RecursionError):
            pattern = None
        if pattern is not None and pattern.groups == 1:
            return pattern
    raise ParameterError(
        "subject must be a regular expression with one group, such as r'^([a-z]+)_'; "
        f"got {subject!r:.80}."
    )


def _matched(pattern: re.Pattern[str], path: Path) -> str:
    match = pattern.search(path.stem)
    if match is None or not match[1]:
        raise ParameterError(f"subject: {pattern.pattern!r} finds nobody in the name of {path}.")
    return match[1]


def _number(path: Path) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", path.stem):
        raise ParameterError(
            f"clips_per_subject must be left out where clips are not called by numbers; got {path}."
        )
    return int(path.stem)


def _listed(root: Path, paths: list[Path], index_file: Path) -> list[str]:
    """Return what the column `subject` of a table says of each path."""
    try:
        if index_file.suffix.lower() == ".parquet":
            table = pl.read_parquet(index_file)
        else:
            table = pl.read_csv(index_file, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        said = str(error).strip().splitlines() or [""]
        raise FormatError(f"index_file: {index_file} cannot be read: {said[0]}") from None
    if not {"path", "subject"} <= set(table.columns):
        columns = ", ".join(table.columns)
        raise FormatError(
            f"index_file: {index_file} must have the columns path and subject; it has {columns}."
        )
    known: dict[str, str | None] = {}
    for name, person in table.select(pl.col("path", "subject").cast(pl.String)).iter_rows():
        if known.setdefault(str(name).replace("\\", "/"), person) != person:
            raise FormatError(f"index_file: {index_file} names two subjects of {name}.")
    names = []
    for path in paths:
        name = known.get(relative(path, root))
        if not name:
            raise FormatError(
                f"index_file: {index_file} says nothing about {relative(path, root)}."
            )
        names.append(name)
    return names


def _without_clips(
    root: Path, clips: Sequence[Path], files: Sequence[Path], folders: Sequence[Path]
) -> list[Problem]:
    """Complain about folders that hold nothing, and about what could be a class and is not read."""
    filled, used = ({one for path in some for one in path.parents} for some in (files, clips))
    problems = [
        Problem(
            "missing",
            relative(folder, root),
            "a class or person without samples: fill or remove it",
        )
        for folder in folders
        if folder not in filled and (folder.parent == root or folder.parent in filled)
    ]
    tops = {path.relative_to(root).parts[0] for path in clips if path.parent != root}
    levels = [root]
    if tops and all(map(_is_split, tops)):
        levels = [root / name for name in sorted(tops, key=natural)]
        classes = {
            split: {folder.name for folder in folders if folder.parent == split and folder in used}
            for split in levels
        }
        for split in levels:
            for name in sorted(set().union(*classes.values()) - classes[split], key=natural):
                words = "a class that other splits have: fill it, or remove it there"
                problems.append(Problem("missing", relative(split / name, root), words))
    for folder in folders:
        if folder.parent in levels and folder in filled and folder not in used:
            below = {path.suffix.lower() for path in files if folder in path.parents}
            kinds = ", ".join(sorted(below - {""})) or "without an ending"
            is_class = bool(below & (VIDEO_SUFFIXES | READERS.keys()))
            words = f"holds no clips of the kind that the others hold, but files {kinds}: not read"
            kind = "misplaced" if is_class else "note"
            problems.append(Problem(kind, relative(folder, root), words))
    return problems
