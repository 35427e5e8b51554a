"""Experiments: one row per system and seed, with what it said of every clip it was tested on.

What the rows say together stands in `comparison`. In each fold networks are drawn, calibrated and
trained anew, on groups (persons) that are not tested: neither gain, nor weights, nor readout, nor
the best time constant know them. All systems of a seed share clips, folds, readout and seed.
"""

from __future__ import annotations

import subprocess
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import (
    check_callable,
    check_choice,
    check_integer,
    check_list,
    check_number,
    check_progress,
)
from hrsnn_rs.datasets.folds import folds_for, usual_folds
from hrsnn_rs.datasets.splits import WAYS
from hrsnn_rs.errors import CalibrationWarning, DataWarning, ParameterError
from hrsnn_rs.learning.clips import Clips, check_encoder
from hrsnn_rs.learning.counting_checks import check_counting, check_learning, check_readout
from hrsnn_rs.learning.feature_systems import FEATURE_SYSTEMS, layer_for
from hrsnn_rs.learning.fold_work import FoldWork, network_made
from hrsnn_rs.learning.judging import joined
from hrsnn_rs.learning.parallel import SharedCalls
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.rows_file import RowsFile, check_output
from hrsnn_rs.learning.systems import CONTROLS
from hrsnn_rs.network.calibration import WARN
from hrsnn_rs.network.checkpoint import digest
from hrsnn_rs.network.network import VARIANTS

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from hrsnn_rs.datasets.folds import Folds
    from hrsnn_rs.datasets.samples import EventSamples
    from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
    from hrsnn_rs.network.network import Network

ROW_SCHEMA: dict[str, Any] = {
    "system": pl.String,
    "variant": pl.String,
    "seed": pl.Int64,
    "dataset": pl.String,
    "kind": pl.String,
    "homogeneous": pl.String,
    "split": pl.String,
    "split_warning": pl.String,
    "subjects_known": pl.Boolean,
    "n_folds": pl.Int64,
    "n_training": pl.Int64,
    "n_validation": pl.Int64,
    "n_persons": pl.Int64,
    "n_neurons": pl.Int64,
    "n_synapses": pl.Int64,
    "accuracy": pl.Float64,
    "memory": pl.Float64,
    "spikes_per_sample": pl.Float64,
    "rate": pl.Float64,
    "synaptic_operations": pl.Float64,
    "weight_updates": pl.Int64,
    "gain": pl.Float64,
    "suprathreshold": pl.Float64,
    "alpha": pl.Float64,
    "tau_m": pl.List(pl.Float64),
    "seconds": pl.Float64,
    "clips": pl.String,
    "settings": pl.String,
    "version": pl.String,
    "commit": pl.String,
    "predictions": pl.List(
        pl.Struct(
            {
                "clip": pl.Int64,
                "person": pl.String,
                "label": pl.String,
                "predicted": pl.String,
                "memory": pl.Float64,
            }
        )
    ),
}
"""Columns of a table of rows. `rate` is in Hz; operations and spikes are per sample.

Measured over all clips that were tested, in all folds. `n_training` and `gain` are means over
folds, `alpha` is the median, `weight_updates` the sum, `suprathreshold` the largest. `tau_m` has
the time constant in ms that was chosen in each fold, where it was. `n_persons` are those among the
tested clips, null where nobody knows them.
`kind` is the class of the data set, `clips` a hash of what was encoded, `settings` JSON.
`predictions` has one entry per tested clip: see `predictions`.
"""

_KEY = ("system", "seed")
_HOMOGENEOUS = ("mean", "best")
_LAYERS = ("recurrent", "stacked")


def compare(
    dataset: EventSamples | Clips,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    variants: Sequence[str] = tuple(VARIANTS),
    controls: Sequence[str] = CONTROLS,
    *,
    features: Sequence[str] = (),
    layers: str = "recurrent",
    folds: str | int | None = None,
    split: str = "group",
    homogeneous: str = "mean",
    memory: bool = True,
    n_neurons: int = 1000,
    make_network: Callable[..., Network] | None = None,
    encoder: SensorEncoder | None = None,
    readout: Readout | None = None,
    n_windows: int = 4,
    windows: str = "events",
    epochs: int = 1,
    rate: float | None = None,
    spikes: float | None = None,
    n_calibration: int = 64,
    recalibrate: bool = True,
    output: str | os.PathLike[str] | None = None,
    n_threads: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Measure the variants of a network beside the controls, over seeds.

    A system is calibrated and trained on the training clips without labels, its spikes are
    counted in `n_windows` windows, and a ridge readout names the gesture. The memory task asks
    more: clips and their time-reversed copies, counts of one window over the whole clip, and
    the share in which the direction is right given the gesture. Counts alone have 0.5 there.

    Parameters
    ----------
    dataset : EventSamples or Clips
        Clips of several groups, as `make_gestures` or `load_folder` give them. Encoded once.
    seeds : sequence of int, default=(0, 1, 2, 3, 4)
        Seed of network and folds. Fewer than five give no verdict.
    variants : sequence of str, default=all four
        Of HoNHoS, HeNHoS, HoNHeS and HeNHeS.
    controls : sequence of str, default=all three
        Of "event counts" (no network), "untrained" (HeNHeS before training) and
        "no recurrence" (HeNHeS without recurrent synapses, calibrated anew).
    features : sequence of str, default=()
        Of "features" (the default feature layer of the clips, learned), "drawn features", "shuffled
        features" and "exemplars" (its controls, with as many spikes), and "pooled counts" (event
        counts, pooled as features are). For encoded events of a sensor.
    layers : {"recurrent", "stacked"}, default="recurrent"
        Whether the variants and the controls with a network stand on the input channels, or on top
        of a learned feature layer, which is fitted in each fold.
    folds : {"groups", "official", "one"} or int, default=None
        "groups": each group is left out in turn, or 25 folds of whole groups where there are
        more; a number: that many folds of whole groups. "official": the part "test" is tested,
        once for each system and seed, and all other parts are trained on; clips of no part are
        left out. "one": two groups, which go round with the seed. `None` means what `usual_folds`
        names: "groups" where subjects are known.
    split : {"group", "clip"}, default="group"
        Of "one". "group": no subject is on both sides. "clip": every fifth clip at random, which
        leaks; a warning says so, and so does the column `split_warning`.
    homogeneous : {"mean", "best"}, default="mean"
        Which membrane time constant homogeneous neurons have: the mean of the law, or the best of
        eight from 5 to 640 ms, chosen in each fold on its training groups alone. "best" is the
        harder control, and measures HoNHoS and HoNHeS eight times.
    memory : bool, default=True
        Whether to do the memory task.
    n_neurons : int, default=1000
        Neurons of the default network.
    make_network : callable, default=None
        Called with `seed`; gives a HeNHeS network. `None` means `presets.default_network` for
        the clips' channels; then HoNHoS and HeNHoS learn by `default_rule`, which has the balance
        that suits one rule.
    encoder : EventEncoder or TrackingEncoder, default=None
        `None` means `default_encoder`: 32x32 pixels and two polarities, which follow who moves in
        videos.
    readout : Readout, default=None
        Readout to clone for each task. `None` means `Readout()`.
    n_windows : int, default=4
        Windows of the class task.
    windows : {"events", "time"}, default="events"
        Kind of windows.
    epochs : int, default=1
        Passes of unsupervised training.
    rate : float, default=None
        Mean rate in Hz to which every network is calibrated before training. `None` means 3,
        unless `spikes` is given.
    spikes : float, default=None
        Mean number of spikes of all neurons in a clip to calibrate to, in place of a rate.
    n_calibration : int, default=64
        Training clips that calibration looks at.
    recalibrate : bool, default=True
        Whether networks are calibrated anew after they have learned, so that all fire alike.
    output : str or path-like, default=None
        Parquet file of the rows, written after each; a later call with the same settings goes on
        from it, and may ask for other seeds and systems.
    n_threads : int, default=None
        Threads; the result does not depend on them. `None` means all cores.
    progress : callable, default=None
        Called with steps done, steps in all, and what comes next. A step is a fold.

    Returns
    -------
    polars.DataFrame
        One row per system and seed, with the columns of `ROW_SCHEMA`. `memory` is null
        without the memory task; `rate` and `gain` are null without a network; `commit` is
        null outside a checkout. `summarize` and `verdict` say what they show.

    Raises
    ------
    ParameterError
        If an argument is not what it should be, there are too few groups, a fold leaves one class
        to train on, or the rows in `output` are of other clips, settings or another version.
    FormatError
        If `output` is no table of rows.
    CalibrationError
        If a network cannot reach the rate; system, seed and fold are named.

    Warns
    -----
    DataWarning
        If a subject may be on both sides of a fold, or rows that are kept are of another commit.
    CalibrationWarning
        If more than one in a thousand input synapses of a system is suprathreshold; once a row.

    Notes
    -----
    Under `joblib.parallel_config` the folds of a row are done by its workers, each with one thread;
    encoded clips travel to each worker once, into its memory. Rows are the same.

    Examples
    --------
    >>> from hrsnn_rs.learning import compare
    >>> from hrsnn_rs.datasets import make_gestures
    >>> gestures = make_gestures(3, 1, size=32, duration=200_000)
    >>> rows = compare(gestures, seeds=[0], variants=[], controls=["event counts"])
    >>> rows.select("n_folds", "n_validation", "memory").row(0)
    (3, 33, 0.5)
    """
    # All that can be told before the clips are read and encoded.
    seeds, systems = _checked_systems(seeds, variants, controls, features)
    for name, value, allowed in (
        ("layers", layers, _LAYERS),
        ("homogeneous", homogeneous, _HOMOGENEOUS),
        ("split", split, WAYS),
    ):
        check_choice(name, value, allowed)
    check_counting(n_windows=n_windows, windows=windows, memory=memory, n_threads=n_threads)
    check_learning(epochs=epochs, n_calibration=n_calibration, recalibrate=recalibrate)
    check_integer("n_neurons", n_neurons, 2)
    if make_network is not None:
        check_callable("make_network", make_network, seed=0)
    check_encoder(encoder)
    check_readout(readout)
    check_output(output)
    check_progress(progress)
    if layers == "stacked" and memory:
        raise ParameterError("memory must be False where layers is 'stacked'.")
    rate, spikes = _checked_target(rate, spikes)
    clips = dataset
    if not isinstance(clips, Clips):
        clips = Clips.of_dataset(clips, encoder, progress=progress)
    if folds is None:
        folds = "one"
        if split != "clip":
            folds = usual_folds(clips.groups, clips.parts, subjects_known=clips.subjects_known)
    places = np.arange(len(clips.events))
    if isinstance(folds, str) and folds == "official" and clips.parts is not None:
        places = np.flatnonzero(clips.parts != "")
        clips = clips.subset(places) if len(places) else clips
    settings: dict[str, Any] = {
        "epochs": epochs, "rate": rate, "spikes": spikes, "n_calibration": n_calibration,
        "recalibrate": recalibrate, "n_windows": n_windows, "windows": windows, "memory": memory,
    }  # fmt: skip
    # All of them before any work: a seed that cannot be had must not cost the rows of others.
    folds_of = {seed: _checked_folds(clips, seed, folds, split) for seed in seeds}
    for leaking in dict.fromkeys(one.warning for one in folds_of.values() if one.warning):
        warnings.warn(f"{clips.name}: {leaking}.", DataWarning, stacklevel=2)
    readout = Readout() if readout is None else readout
    told = settings | {"folds": folds, "split": split, "layers": layers}
    told["readout"] = {name: repr(value) for name, value in readout.get_params().items()}
    told |= {"n_neurons": n_neurons} if make_network is None else {"network": _digest(make_network)}
    same = {"dataset": clips.name, "kind": clips.kind, "clips": clips.digest, "settings": told}
    same |= {"homogeneous": homogeneous, "version": _hrsnn.__version__}
    commit = library_commit()
    file = RowsFile(output, ROW_SCHEMA, _KEY, same)
    file.warn_of_others(commit)
    if layers == "stacked" or not {*FEATURE_SYSTEMS}.isdisjoint(systems):
        layer_for(clips, 0, "learned", n_threads)
    settings |= {"homogeneous": homogeneous, "readout": readout}
    work = FoldWork(
        clips,
        make_network,
        n_neurons,
        settings,
        is_stacked=layers == "stacked",
        places=places,
        n_threads=n_threads,
    )
    do = SharedCalls(work)
    steps = [(system, seed) for seed in seeds for system in systems]
    n_steps = sum(len(folds_of[seed].training) for _, seed in steps)
    done = 0
    for system, seed in steps:
        training = folds_of[seed].training
        if (system, seed) in file:
            done += len(training)
            continue

        tell = None
        if progress is not None:
            tell = partial(_tell, progress, done, n_steps, f"{system}, seed {seed}", len(training))
        begin = time.perf_counter()
        tasks = [(system, seed, fold, one) for fold, one in enumerate(training)]
        judged = do(tasks, tell)
        done += len(training)
        row: dict[str, Any] = {
            "system": system,
            "seed": seed,
            "variant": _variant_of(system),
        } | joined(judged)
        row |= {"subjects_known": clips.subjects_known, "commit": commit}
        row |= {"split": folds_of[seed].words, "split_warning": folds_of[seed].warning}
        row["seconds"] = time.perf_counter() - begin
        file.add(row)
        if (row["suprathreshold"] or 0.0) > WARN:
            warnings.warn(
                f"{system}, seed {seed}: up to {row['suprathreshold']:.1%} of the excitatory input "
                "synapses drive their neuron over threshold alone.",
                CalibrationWarning,
                stacklevel=2,
            )
    if progress is not None:
        progress(n_steps, n_steps, "done")
    return file.table(steps)


def _tell(
    progress: Callable[[int, int, str], None],
    done: int,
    n_steps: int,
    which: str,
    n_folds: int,
    fold: int,
) -> None:
    """Say which fold comes next."""
    if n_folds > 1:
        which += f", fold {fold + 1} of {n_folds}"
    progress(done + fold, n_steps, which)


def _checked_systems(
    seeds: Sequence[int],
    variants: Sequence[str],
    controls: Sequence[str],
    features: Sequence[str],
) -> tuple[list[int], list[str]]:
    """List seeds and systems in their order, or say what cannot be."""
    numbers = [
        check_integer(f"seeds[{place}]", seed, high=2**63 - 1)
        for place, seed in enumerate(check_list("seeds", seeds, least=1))
    ]
    systems: list[str] = []
    for name, given, known in (
        ("controls", controls, CONTROLS),
        ("variants", variants, tuple(VARIANTS)),
        ("features", features, FEATURE_SYSTEMS),
        ("seeds", numbers, None),
    ):
        listed = check_list(name, given)
        for place, one in enumerate(listed):
            if known is not None:
                check_choice(f"{name}[{place}]", one, known)
            if one in listed[:place]:
                raise ParameterError(f"{name} must be different; got {one!r} twice.")
        systems += listed if known is not None else []
    if not systems:
        raise ParameterError("variants, controls and features must hold at least one; got none.")
    return numbers, systems


def _checked_target(rate: float | None, spikes: float | None) -> tuple[float | None, float | None]:
    """Give what to calibrate to: a rate in Hz, or spikes in a clip."""
    if spikes is None:
        rate = 3.0 if rate is None else rate
        return check_number("rate", rate, "greater than 0 Hz", lambda rate: rate > 0.0), None
    if rate is not None:
        raise ParameterError("rate must be None where spikes is given.")
    return None, check_number("spikes", spikes, "greater than 0", lambda n: n > 0.0)


def _checked_folds(clips: Clips, seed: int, folds: str | int, split: str) -> Folds:
    """Divide the clips for one seed, and refuse a fold that no readout can be fitted to."""
    made = folds_for(
        clips.groups, seed, folds, by=split, parts=clips.parts, subjects_known=clips.subjects_known
    )
    for fold, training in enumerate(made.training):
        if len(np.unique(clips.labels[training])) < 2:
            raise ParameterError(
                f"folds must each leave clips of at least two classes to train on; fold {fold} of "
                f"seed {seed} ({made.words}) does not."
            )
    return made


def _digest(make_network: Callable[..., Network]) -> str:
    """Hash what a user's network of seed 0 is made of, so that another one is told apart."""
    network = network_made(make_network, 0)
    return digest(network._assembly(), network.input_gain)


def library_commit() -> str | None:
    """Give the commit of the source checkout that this package runs from.

    Returns
    -------
    str or None
        Abbreviated commit, with "+" when files differ from it; `None` if the package is not
        in a checkout of its own.

    Examples
    --------
    >>> from hrsnn_rs.learning import library_commit
    >>> library_commit() is None or len(library_commit()) >= 7
    True
    """
    checkout = Path(__file__).resolve().parents[3]
    if not (checkout / ".git").exists():
        return None
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(checkout), *words],
                capture_output=True, text=True, check=True, timeout=10,
            ).stdout.strip()
            for words in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "-uno"))
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}+" if changes else commit


def _variant_of(system: str) -> str | None:
    """Name the variant that a system is made of; none where there is no network."""
    if system in ("event counts", *FEATURE_SYSTEMS):
        return None
    return system if system in VARIANTS else "HeNHeS"
