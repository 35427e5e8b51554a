"""The commands `hrsnn data`: look at folders of recordings.

Lives here: their arguments and output. Not here: the looking, which `doctor` does. Results go to
stdout; exit code 0 is fine, 1 an error or a folder that is not.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from hrsnn_rs.cli.options import (
    GESTURES,
    above_zero,
    add_option,
    count,
    open_data,
    positive,
    typed_options,
)
from hrsnn_rs.cli.terminal import aligned, print_json, print_row, writable
from hrsnn_rs.datasets.doctor import look_into, opened, recognise, told
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.made_up.camera import EventCamera
from hrsnn_rs.network.saving import home_of, replace_file
from hrsnn_rs.plotting import clip_frames, clip_gif
from hrsnn_rs.recordings import Video, read_events
from hrsnn_rs.recordings.cache import EventCache
from hrsnn_rs.recordings.frame_stream import record_frames
from hrsnn_rs.recordings.video import VIDEO_SUFFIXES
from hrsnn_rs.words import counted

if TYPE_CHECKING:
    import argparse


_PICTURES = (".gif", ".png", ".svg", ".pdf")
DESCRIPTION = "Look at folders of recordings, and say what is missing."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the commands and their arguments."""
    actions = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    doctor = actions.add_parser(
        "doctor",
        help="say what a folder holds and what is wrong with it",
        description="Say which data set a folder holds, how many of how many files are there, "
        "which are missing, truncated, misplaced or duplicated, and what to download from where. "
        "Some samples of each kind of file are read. Nothing is changed. Exit code "
        "0: all is well; 1: something is wrong or missing.",
    )
    doctor.add_argument("path", metavar="PATH", help="folder to look at")
    doctor.add_argument("--deep", action="store_true", help="read all samples, not only some")
    add_option(doctor)
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=_doctor)

    index = actions.add_parser(
        "index",
        help="write a table of a folder's samples",
        description="Write a Parquet table with one row per sample: path, label, class, subject, "
        "official part, bytes, and with --count the number of events and the duration.",
    )
    index.add_argument("path", metavar="PATH", help="folder of a data set")
    index.add_argument("--output", "-o", metavar="FILE", help="table to write (index.parquet)")
    index.add_argument("--split", metavar="S", help="official part alone, such as train")
    add_option(index)
    index.add_argument("--count", action="store_true", help="read every file and count its events")
    index.add_argument("--json", action="store_true", help="print JSON")
    index.set_defaults(run=_index)

    show = actions.add_parser(
        "show",
        help="write a clip as a GIF, or as a row of pictures",
        description="Write one clip to look at: .gif moves, .png, .svg and .pdf have pictures side "
        "by side. ON events are red, OFF events green. Videos "
        "are shown as the events they become.",
    )
    show.add_argument(
        "clip",
        metavar="CLIP",
        help="recording (.npz, .aedat ...), folder of a data set, `gestures`",
    )
    show.add_argument("--output", "-o", metavar="FILE", help="picture to write (clip.gif)")
    show.add_argument("--sample", type=count, metavar="N", help="which one of a folder (0)")
    show.add_argument(
        "--every", type=above_zero, metavar="MS", help="ms of the clip in a picture of a GIF (40)"
    )
    show.add_argument(
        "--slower", type=above_zero, metavar="N", help="make a GIF last N times as long (1)"
    )
    show.add_argument(
        "--frames", type=positive, metavar="N", help="pictures side by side, where it is no GIF (6)"
    )
    show.add_argument("--split", metavar="S", help="official part, such as train (all)")
    add_option(show)
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run=_show)

    cache = actions.add_parser(
        "cache",
        help="list or delete what --cache has kept",
        description="List or delete the decoded clips that --cache has kept. Without FOLDER, those "
        "in the folder named by HRSNN_CACHE, else in the usual place of this system.",
    )
    cache.add_argument("folder", nargs="?", metavar="FOLDER", help="folder of a cache")
    what = cache.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list what is there (the default)")
    what.add_argument("--clear", action="store_true", help="delete all of it")
    cache.add_argument("--json", action="store_true", help="print JSON")
    cache.set_defaults(run=_cache)


def _doctor(arguments: argparse.Namespace) -> int:
    """Print what was found; 1 if anything is wrong."""
    found = recognise(arguments.path)
    options = typed_options(found, arguments.option)
    if found.dataset:
        found = look_into(found, deep=arguments.deep, **options)
    print(json.dumps(found.to_dict(), allow_nan=False) if arguments.json else told(found))
    return 0 if found.is_sound and found.is_complete and found.dataset else 1


def _show(arguments: argparse.Namespace) -> int:
    """Draw one clip."""
    output = Path(arguments.output or "clip.gif")
    ending = output.suffix.lower()
    if ending not in _PICTURES:
        raise ParameterError(f"--output must end in {', '.join(_PICTURES)}; got {output}.")
    writable("--output", output)
    is_gif = ending == ".gif"
    for name in ("frames",) if is_gif else ("every", "slower"):
        if getattr(arguments, name) is not None:
            kind = "a GIF" if is_gif else "what is no GIF"
            raise ParameterError(f"--{name} must be left out for {kind}; got {output}.")
    events, label = _clip(arguments)
    if is_gif:
        n = clip_gif(output, events, every=arguments.every or 40.0, slower=arguments.slower or 1.0)
    else:
        n = arguments.frames or 6
        clip_frames(events, n, label or "").savefig(output, dpi=120)
    row = {
        "picture": str(output),
        "class": label,
        "n_pictures": n,
        "n_events": len(events),
        "duration": events.duration,
        "sensor": f"{events.height} x {events.width}",
        "bytes": output.stat().st_size,
    }
    print_row(row, arguments.json)
    return 0


def _clip(arguments: argparse.Namespace) -> tuple[SensorEvents, str | None]:
    """Read one clip; of a data set also the name of its class."""
    if arguments.clip != GESTURES and not Path(arguments.clip).is_dir():
        for name in ("sample", "split", "option"):
            if getattr(arguments, name):
                raise ParameterError(f"--{name} must be left out for a file; got {arguments.clip}.")
        if Path(arguments.clip).suffix.lower() in VIDEO_SUFFIXES:
            with Video(arguments.clip) as video:
                # As the data sets of videos have it.
                camera = EventCamera(video.height, video.width, noise_rate=0.0)
                return record_frames(camera, video), None
        return read_events(arguments.clip), None
    arguments.data, arguments.cache = arguments.clip, None
    samples = open_data(arguments)
    number = arguments.sample or 0
    if number >= len(samples):
        raise ParameterError(f"--sample must be below {len(samples)}; got {number}.")
    events, label = samples[number]
    if not isinstance(events, SensorEvents):
        raise ParameterError(
            f"CLIP must be of a camera; {samples.kind} has channels, and no pixels."
        )
    return events, samples.classes[label]


def _cache(arguments: argparse.Namespace) -> int:
    """List the entries of a cache, or delete them."""
    cache = EventCache(arguments.folder)
    if arguments.clear:
        n_entries, n_bytes = cache.clear()
        print_row(
            {"cache": str(cache.path), "deleted": n_entries, "bytes": n_bytes}, arguments.json
        )
        return 0
    table = cache.list()
    if arguments.json:
        rows = table.with_columns(pl.col("last_used").dt.to_string("iso:strict")).to_dicts()
        print_json({"cache": str(cache.path), "max_bytes": cache.max_bytes, "rows": rows})
        return 0
    words = counted(int(table["entries"].sum()), "clip")
    print(f"{cache.path}: {table['bytes'].sum() / 2**20:,.1f} MB in {words}")
    if table.height:
        print()
        lines = [["data set", "clips", "MB", "last used", "encoder"]]
        for row in table.iter_rows(named=True):
            size, used = f"{row['bytes'] / 2**20:,.1f}", row["last_used"].strftime("%Y-%m-%d %H:%M")
            lines.append([row["dataset"], str(row["entries"]), size, used, row["encoder"]])
        print(aligned(lines))
    return 0


def _index(arguments: argparse.Namespace) -> int:
    """Write the index beside what was asked, or here."""
    output = Path(arguments.output or "index.parquet")
    writable("--output", output)
    answer = recognise(arguments.path)
    samples = opened(answer, arguments.split, **typed_options(answer, arguments.option))
    table = samples.count_events(None if arguments.json else _say) if arguments.count else None
    table = samples.index if table is None else table
    replace_file(home_of("--output", output), table.write_parquet)
    row = {
        "dataset": type(samples).__name__,
        "root": str(samples.root),
        "index": str(output),
        "n_samples": len(samples),
        "n_classes": len(samples.classes),
        "subjects_known": samples.subjects_known,
        "n_subjects": table["subject"].n_unique() if samples.subjects_known else None,
        "n_events": table["n_events"].sum() if arguments.count else None,
        "bytes": table.unique("path")["bytes"].sum(),
    }
    if arguments.json:
        print(json.dumps(row, allow_nan=False))
    else:
        width = max(map(len, row))
        for name, value in row.items():
            print(f"{name.ljust(width)}  {'-' if value is None else value}")
    return 0


def _say(done: int, total: int, word: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{word} {done + 1} of {total}", end="", file=sys.stderr, flush=True)
        if done + 1 == total:
            print(file=sys.stderr)
