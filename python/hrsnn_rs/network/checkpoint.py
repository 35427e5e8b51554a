"""Checkpoints: a folder from which a training that was stopped goes on.

Lives here: which files the folder holds, when one is due, how the newest good one is found, and
whether it belongs to the training that asks. Not here: training itself (`running`), and what a
file holds of a network (`model_file`). Invariants: a checkpoint is of a moment between two
batches of samples; at any moment the folder holds the newest one that was ever finished.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hrsnn_rs.arguments import check_integer, check_path
from hrsnn_rs.errors import CheckpointWarning, FormatError, ParameterError
from hrsnn_rs.network.model_file import read_model, to_state, write_model
from hrsnn_rs.network.results import RunStats
from hrsnn_rs.network.saving import held

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from hrsnn_rs.events.drive import PoissonDrive
    from hrsnn_rs.events.events import Events
    from hrsnn_rs.network.assembly import Assembly

__all__ = ["Checkpoints", "Progress", "chained", "digest", "drive_digest", "hashed"]

#: Seconds between two checkpoints where no number of samples is asked for.
EVERY_SECONDS = 30.0
#: Writing may take this share of the time of a training at most.
MOST_OF_TIME = 0.05
#: Files that are kept.
KEPT = 2

_KEY = "training"
#: Held by the training that is at work in a folder.
_LOCK = "checkpoint.lock"


def hashed(*parts: bytes | memoryview) -> str:
    """Give a number in hexadecimal that changes with any bit of a row of bytes.

    Parameters
    ----------
    *parts : bytes or memoryview
        The bytes, in this order.

    Returns
    -------
    str
        32 hexadecimal digits.

    Examples
    --------
    >>> hashed(b"ab", b"c") == hashed(b"abc") != hashed(b"abd")
    True
    """
    whole = hashlib.blake2b(digest_size=16)
    for part in parts:
        whole.update(part)
    return whole.hexdigest()


def digest(assembly: Assembly, gain: float) -> str:
    """Give a number in hexadecimal that changes with any bit of a network's state.

    Parameters
    ----------
    assembly : Assembly
        With the weights and thresholds as they are now.
    gain : float
        Product of the gains of all calibrations.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    arrays, header = to_state(assembly, gain)
    parts: list[bytes | memoryview] = [json.dumps(header, sort_keys=True).encode()]
    for name, values in sorted(arrays.items()):
        parts.append(f"{name} {values.dtype.str} {values.shape}".encode())
        parts.append(np.ascontiguousarray(values).data)
    return hashed(*parts)


def drive_digest(drive: PoissonDrive | None) -> str:
    """Give a number in hexadecimal that changes with any event of a drive; empty for none.

    Parameters
    ----------
    drive : PoissonDrive or None
        The drive.

    Returns
    -------
    str
        32 hexadecimal digits, or nothing.

    Examples
    --------
    >>> from hrsnn_rs.events import PoissonDrive
    >>> drive_digest(None), len(drive_digest(PoissonDrive([1.0])))
    ('', 32)
    """
    if drive is None:
        return ""
    edges = b"" if drive.edges is None else drive.edges.tobytes()
    numbers = f"{drive.rates.shape} {drive.seed} {drive.sample}"
    return hashed(numbers.encode(), drive.rates.tobytes(), edges)


def chained(before: str, sample: Events) -> str:
    """Give the digest of a row of samples: of those `before`, and of one more.

    Parameters
    ----------
    before : str
        Digest of the samples before; empty where there are none.
    sample : Events
        The next one.

    Returns
    -------
    str
        32 hexadecimal digits.

    Examples
    --------
    >>> from hrsnn_rs.events import Events
    >>> one, other = Events([1], [0], n_channels=2), Events([1], [1], n_channels=2)
    >>> chained(chained("", one), other) == chained(chained("", other), one)
    False
    """
    counts = f"{len(sample)} {sample.n_channels} {sample.duration}"
    return hashed(before.encode(), counts.encode(), sample.t.data, sample.channel.data)


@dataclass(frozen=True)
class Progress:
    """How far a training has come, and which training it is.

    Parameters
    ----------
    start : str
        Digest of the network before the first sample.
    epochs : int
        Passes that were asked for.
    n_samples : int or None
        Samples of a pass, where they can be counted beforehand.
    batch : int, default=1
        Samples that learn side by side.
    learning_rate : str, default=""
        Digest of the learning rates.
    drive : str, default=""
        Digest of the drive; empty where there is none.
    n_done : int, default=0
        Samples learned from, over all passes.
    epoch, position : int, default=0
        The current pass, and the samples of it that are done.
    samples : str, default=""
        Digest of these samples.
    finished : bool, default=False
        Whether nothing is left to do.
    stats : RunStats, default=RunStats.total([])
        Sums over all samples that are done.

    Examples
    --------
    >>> Progress("ab", epochs=2, n_samples=10).position
    0
    """

    start: str
    epochs: int
    n_samples: int | None
    batch: int = 1
    learning_rate: str = ""
    drive: str = ""
    n_done: int = 0
    epoch: int = 0
    position: int = 0
    samples: str = ""
    finished: bool = False
    stats: RunStats = RunStats.total([])  # noqa: RUF009 - immutable

    def after(self, sample: Events) -> Progress:
        """Give the progress once `sample` is learned from too; `stats` stay."""
        return replace(
            self,
            n_done=self.n_done + 1,
            position=self.position + 1,
            samples=chained(self.samples, sample),
        )

    def check_same_training(self, other: Progress, folder: Path) -> None:
        """Refuse to go on where the folder is of a training with other arguments.

        Raises
        ------
        ParameterError
            Names what differs.
        """
        for name, what in (
            ("epochs", "epochs"),
            ("n_samples", "the number of samples"),
            ("batch", "batch"),
            ("learning_rate", "the digest of learning_rate"),
            ("drive", "the digest of drive"),
        ):
            # Empty is the digest of nothing.
            mine, asked = (
                "none" if value == "" else value
                for value in (getattr(self, name), getattr(other, name))
            )
            if mine != asked:
                raise ParameterError(
                    f"checkpoint must be a folder of this training; {folder} is of one in which"
                    f" {what} is {mine}, not {asked}. Choose another folder,"
                    " or empty this one."
                )


@dataclass(frozen=True)
class _Found:
    """A checkpoint that was read."""

    path: Path
    assembly: Assembly
    gain: float
    progress: Progress


class Checkpoints:
    """The folder of one training.

    Parameters
    ----------
    folder : str or path
        Made where it does not exist.
    every : int, default=None
        Samples between two checkpoints; `None`: every 30 s, and more rarely where writing
        would take more than a twentieth of the time.

    Raises
    ------
    ParameterError
        If an argument is of the wrong kind.
    OSError
        If the folder cannot be made.
    """

    def __init__(self, folder: str | os.PathLike[str], every: int | None = None) -> None:
        folder = check_path("checkpoint", folder)
        self._every = None if every is None else check_integer("checkpoint_every", every, 1)
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._kept: list[Path] = []
        self._written: tuple[float, float, int] | None = None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other trainings out of the folder for the length of a block, where the system can.

        Raises
        ------
        ParameterError
            If one is at work there.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(held(self.folder / _LOCK))
            except BlockingIOError:
                raise ParameterError(
                    "checkpoint must be a folder of one training at a time; another training is "
                    f"at work in {self.folder}."
                ) from None
            yield

    def newest(self) -> _Found | None:
        """Read the newest checkpoint that is whole.

        Returns
        -------
        _Found or None
            None if the folder holds no checkpoint.

        Raises
        ------
        FormatError
            If it holds some, and none is whole.
        OSError
            If one cannot be read.

        Warns
        -----
        CheckpointWarning
            For each that is damaged.
        """
        damaged = []
        for path in sorted(self.folder.glob("checkpoint-*.safetensors"), reverse=True):
            try:
                found = _read(path)
            except FormatError as error:
                damaged.append(str(error))
                continue
            for text in damaged:
                warnings.warn(
                    f"{text} Training goes on from {path.name}.", CheckpointWarning, stacklevel=4
                )
            self._kept = [path]
            self._wrote(0.0, found.progress.n_done)
            return found
        if damaged:
            raise FormatError(
                f"checkpoint must hold a readable checkpoint; {' '.join(damaged)}"
                f" To begin anew, empty {self.folder}."
            )
        return None

    def write(self, assembly: Assembly, gain: float, progress: Progress) -> None:
        """Write a checkpoint, and then remove all but it and the one before.

        Raises
        ------
        OSError
            If the system refuses; the checkpoints that are there stay.
        """
        begin = time.monotonic()
        path = self.folder / f"checkpoint-{progress.n_done:012d}.safetensors"
        write_model(path, assembly, gain, None, {_KEY: asdict(progress)})
        self._kept = [*(kept for kept in self._kept if kept != path), path][-KEPT:]
        for other in self.folder.glob("checkpoint-*"):
            # Older ones, and parts that killed processes left.
            if other not in self._kept and other.suffix in {".safetensors", ".part"}:
                other.unlink(missing_ok=True)
        self._wrote(time.monotonic() - begin, progress.n_done)

    def _wrote(self, seconds: float, n_done: int) -> None:
        self._written = (time.monotonic(), seconds, n_done)

    @property
    def n_written(self) -> int:
        """Samples that the newest checkpoint knows of; -1 where there is none."""
        return -1 if self._written is None else self._written[2]

    def due(self, n_done: int) -> bool:
        """Say whether it is time for another one."""
        if self._written is None:
            return True
        when, seconds, n_before = self._written
        if self._every is not None:
            return n_done - n_before >= self._every
        return time.monotonic() - when >= max(EVERY_SECONDS, seconds / MOST_OF_TIME)


def _read(path: Path) -> _Found:
    assembly, gain, _, metadata = read_model(path)
    try:
        fields = dict(metadata[_KEY])
        stats = RunStats(**fields.pop("stats"))
        return _Found(path, assembly, gain, Progress(**fields, stats=stats))
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: no checkpoint of a training ({error!r}).") from None
