"""UCF101: 101 actions from YouTube, with three official splits.

Lives here: names, lists and what is checked about them. Not here: decoding and encoders.
Invariant: the official lists alone say what is for training and what for testing; a group on
both sides is a warning.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_rs.arguments import check_integer, check_path
from hrsnn_rs.datasets.base import Recording
from hrsnn_rs.datasets.inspection import Inspection, Problem
from hrsnn_rs.datasets.video_dataset import VideoDataset, quick_faults, video_files
from hrsnn_rs.datasets.walk import files_below
from hrsnn_rs.errors import FormatError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from hrsnn_rs.events.events import Events
    from hrsnn_rs.recordings.cache import EventCache

__all__ = ["UCF101"]

_CLASSES = tuple(
    """ApplyEyeMakeup ApplyLipstick Archery BabyCrawling BalanceBeam BandMarching BaseballPitch
    Basketball BasketballDunk BenchPress Biking Billiards BlowDryHair BlowingCandles
    BodyWeightSquats Bowling BoxingPunchingBag BoxingSpeedBag BreastStroke BrushingTeeth
    CleanAndJerk CliffDiving CricketBowling CricketShot CuttingInKitchen Diving Drumming Fencing
    FieldHockeyPenalty FloorGymnastics FrisbeeCatch FrontCrawl GolfSwing Haircut Hammering
    HammerThrow HandstandPushups HandstandWalking HeadMassage HighJump HorseRace HorseRiding
    HulaHoop IceDancing JavelinThrow JugglingBalls JumpingJack JumpRope Kayaking Knitting LongJump
    Lunges MilitaryParade Mixing MoppingFloor Nunchucks ParallelBars PizzaTossing PlayingCello
    PlayingDaf PlayingDhol PlayingFlute PlayingGuitar PlayingPiano PlayingSitar PlayingTabla
    PlayingViolin PoleVault PommelHorse PullUps Punch PushUps Rafting RockClimbingIndoor
    RopeClimbing Rowing SalsaSpin ShavingBeard Shotput SkateBoarding Skiing Skijet SkyDiving
    SoccerJuggling SoccerPenalty StillRings SumoWrestling Surfing Swing TableTennisShot TaiChi
    TennisSwing ThrowDiscus TrampolineJumping Typing UnevenBars VolleyballSpiking WalkingWithDog
    WallPushups WritingOnBoard YoYo""".split()  # noqa: SIM905 - one to a line would be a hundred lines
)
# The clips of one class are spelt v_HandStandPushups: case tells nothing.
_LABELS = {name.lower(): label for label, name in enumerate(_CLASSES)}
_NAME = re.compile(r"v_([a-z]+)_g(\d\d)_c(\d\d)", re.IGNORECASE)
_HOME = "https://www.crcv.ucf.edu/data/UCF101.php"
_LISTS = "UCF101TrainTestSplits-RecognitionTask.zip"

_Key = tuple[int, int, int]


class UCF101(VideoDataset):
    """UCF101 [1]_: 13,320 clips of 101 classes, and three official splits.

    `v_ApplyEyeMakeup_g01_c01.avi` and so on, side by side or in folders of classes, with
    `trainlist01.txt` … `testlist03.txt` below or beside. Some of the clips are enough.

    Parameters
    ----------
    root : str or path-like
        The folder.
    split : {"train", "test"}, default=None
        Part by the official list of `fold`. `None` means all clips, and needs no list.
    encoder : callable, default=None
        `EventEncoder`, `TemporalContrast` or `FrameDifference`. `None`: samples are what an
        event camera sees.
    fold : {1, 2, 3}, default=1
        Which of the three splits.
    frame_size : tuple of int, default=(240, 320)
        (rows, columns) that frames of another size are scaled to. `None` means as they are.
    damaged : {"raise", "warn"}, default="raise"
        What to do with short or damaged files.
    cache : EventCache, str, path-like or bool, default=None
        Where to keep what samples became, see `Dataset`; `True` means the usual place.

    Raises
    ------
    FormatError
        If there is no clip, or no list for a split; on reading, if a clip is short or damaged.
    ParameterError
        If `fold` is out of range.

    References
    ----------
    .. [1] Soomro, Zamir & Shah (2012), UCF101, CRCV-TR-12-01.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("v_YoYo_g03_c01.avi", "v_YoYo_g09_c02.avi"):
    ...         _ = (Path(folder) / name).write_bytes(b"")
    ...     _ = (Path(folder) / "trainlist01.txt").write_text("YoYo/v_YoYo_g09_c02.avi 101")
    ...     _ = (Path(folder) / "testlist01.txt").write_text("YoYo/v_YoYo_g03_c01.avi")
    ...     UCF101(folder, "test").index.select("class_name", "subject", "split").rows()
    [('YoYo', 3, 'test')]
    """

    splits = ("train", "test")

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        encoder: Callable[[Any], Events] | None = None,
        *,
        fold: int = 1,
        frame_size: tuple[int, int] | None = (240, 320),
        damaged: str = "raise",
        cache: EventCache | str | os.PathLike[str] | bool | None = None,
    ) -> None:
        self.checked_split(split)
        self.fold = check_integer("fold", fold, 1, 3)
        folder = Path(check_path("root", root))
        clips = _clips(folder)
        if not clips:
            raise FormatError(f"{root}: no clips; expected v_ApplyEyeMakeup_g01_c01.avi and so on.")
        parts, problem = _parts(folder, self.fold)
        if split is not None and problem is not None:
            raise FormatError(f"{root}: {problem}")
        super().__init__(
            root,
            split,
            encoder,
            classes=_CLASSES,
            recordings=[
                Recording(paths[0], key[0], key[1], parts.get(key, ""))
                for key, paths in sorted(clips.items())
            ],
            frame_size=frame_size,
            damaged=damaged,
            cache=cache,
        )
        train, test = ({key[:2] for key in clips if parts.get(key) == part} for part in self.splits)
        if split is not None and train & test:
            label, group = min(train & test)
            self.split_warning = (
                f"group {group} of {_CLASSES[label]} is on both sides of the lists of fold {fold}"
            )

    @classmethod
    def inspect(cls, path: str | os.PathLike[str]) -> Inspection | None:
        """Look for clips by their names; see `Dataset.inspect`."""
        root = Path(check_path("path", path))
        clips = _clips(root) if root.is_dir() else {}
        if not clips:
            return None
        problems: list[Problem] = []
        found = {"recordings": len(clips), "samples": len(clips)}
        found["classes"] = len({key[0] for key in clips})
        found["lists"] = 0
        advice = []
        listed: set[_Key] = set()
        for fold in (1, 2, 3):
            parts, problem = _parts(root, fold)
            listed |= set(parts)
            if problem is None:
                found["lists"] += 2
            else:
                name = f"trainlist0{fold}.txt, testlist0{fold}.txt"
                problems.append(Problem("missing", name, f"without them fold {fold} has no parts"))
        if found["lists"] < 6:
            advice.append(f"Download {_LISTS} from {_HOME} and unpack it into {root}.")
        for label, name in enumerate(_CLASSES):
            n_absent = len({key for key in listed if key[0] == label} - set(clips))
            if n_absent or not any(key[0] == label for key in clips):
                words = f"{n_absent or 'all'} of its clips are not here"
                problems.append(Problem("missing", name, words))
        for key, paths in clips.items():
            folder = paths[0].parent.name.lower()
            if folder in _LABELS and _LABELS[folder] != key[0]:
                words = f"shows {_CLASSES[key[0]]} by its name, which is believed; move it there"
                problems.append(Problem("misplaced", _below(paths[0], root), words))
            for copy in paths[1:]:
                words = f"is there twice, and {_below(paths[0], root)} is read: delete one"
                problems.append(Problem("duplicated", _below(copy, root), words))
        problems += quick_faults([paths[0] for paths in clips.values()], root)
        if len(clips) < 13_320:
            advice.append(f"Download UCF101.rar from {_HOME} and unpack it into {root}.")
        expected = {"recordings": 13_320, "samples": 13_320, "classes": 101, "lists": 6}
        layout = "clips v_Class_gNN_cNN.avi"
        return Inspection(
            "UCF101", layout, str(root), found, expected, tuple(problems), tuple(advice)
        )


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _key(stem: str) -> _Key | None:
    match = _NAME.fullmatch(stem)
    if match is None or match[1].lower() not in _LABELS:
        return None
    return _LABELS[match[1].lower()], int(match[2]), int(match[3])


def _clips(root: Path) -> dict[_Key, list[Path]]:
    """Return the files of each (label, group, number), the least deep first."""
    clips: dict[_Key, list[Path]] = {}
    for path in video_files(root):
        key = _key(path.stem)
        if key is not None:
            clips.setdefault(key, []).append(path)
    for paths in (several for several in clips.values() if len(several) > 1):
        paths.sort(key=lambda path: (len(path.parts), path))
    return clips


def _parts(root: Path, fold: int) -> tuple[dict[_Key, str], str | None]:
    """Return the part of each clip that the lists of a fold name, or what is wrong with them."""
    parts: dict[_Key, str] = {}
    for part in ("train", "test"):
        name = f"{part}list{fold:02}.txt"
        path = _list_file(root, name)
        if path is None:
            return {}, f"no {name}; unpack {_LISTS} from {_HOME} there."
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            return {}, f"{path} cannot be read: {error}"
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            # In trainlists a number of the class stands behind the name.
            key = _key(re.split(r"[/\\]", line.split()[0])[-1].rpartition(".")[0])
            if key is None:
                return {}, f"{path}, line {number} names no clip: {line.strip()!r}."
            if parts.setdefault(key, part) != part:
                return {}, f"{path}, line {number} names a clip for training: {line.strip()!r}."
    return parts, None


def _list_file(root: Path, name: str) -> Path | None:
    """Find a list in the folder, in one next to it or, last, anywhere below."""
    top = root.absolute()
    for folder in (top, top / "ucfTrainTestlist", top.parent, top.parent / "ucfTrainTestlist"):
        if (folder / name).is_file():
            return folder / name
    return next((path for path in files_below(root) if path.name.lower() == name), None)
