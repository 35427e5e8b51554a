"""A study on disk: begun once, gone on with by the same call, worked at by several processes.

Lives here: where trials are kept, how many there are to be, and what becomes of a lost worker's.
The engine is optuna; the files are its own. Invariant: a study has as many finished trials as were
asked for, whoever was killed meanwhile, and no point is tried twice because of it.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
import warnings
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import optuna
import polars as pl
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.trial import TrialState
from sqlalchemy.pool import NullPool

from hrsnn_rs.arguments import (
    check_callable,
    check_choice,
    check_integer,
    check_kind,
    check_list,
    check_mapping,
    check_number,
    check_path,
    check_progress,
)
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.search.sampler import WassersteinSampler
from hrsnn_rs.search.space import SearchSpace

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial


#: What becomes of an objective.
Direction: TypeAlias = Literal["maximize", "minimize"]

_NAME = "hrsnn_rs"
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
_SAMPLERS = ("wasserstein", "tpe", "random")
_DIRECTIONS = ("maximize", "minimize")
#: Seconds between two looks at trials of others.
_PAUSE = 0.5
#: How often tables are looked for while others make them.
_ATTEMPTS = 20
#: Signs of life of a worker in the time after which it counts as lost.
_SIGNS = 4


class _Surplus(Exception):  # noqa: N818
    """A trial that was begun when enough others had been."""


def sampler_named(name: str, space: SearchSpace, seed: int, n_initial: int = 16) -> BaseSampler:
    """Give a sampler by its name: ours, or one of optuna's own to compare it with.

    Parameters
    ----------
    name : {"wasserstein", "tpe", "random"}
        Name.
    space : SearchSpace
        What is searched.
    seed : int
        Of all that is drawn.
    n_initial : int, default=16
        Trials before a model is made, for the first two.

    Returns
    -------
    optuna.samplers.BaseSampler
        The sampler.

    Raises
    ------
    ParameterError
        If the name is unknown, or another argument not what it should be.

    Examples
    --------
    >>> from hrsnn_rs.search import network_space, sampler_named
    >>> str(sampler_named("random", network_space(), seed=0))
    'RandomSampler'
    """
    check_choice("name", name, _SAMPLERS)
    check_kind("space", space, SearchSpace)
    seed = check_integer("seed", seed, high=2**32 - 1)
    n_initial = check_integer("n_initial", n_initial, high=2**20)
    if name == "wasserstein":
        return WassersteinSampler(space, n_initial=n_initial, seed=seed)
    if name == "tpe":
        with _quiet():
            return optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=n_initial, multivariate=True, constant_liar=True
            )
    return optuna.samplers.RandomSampler(seed=seed)


def open_study(
    output: str | os.PathLike[str],
    sampler: BaseSampler,
    *,
    directions: Sequence[Direction] = ("maximize",),
    pruner: optuna.pruners.BasePruner | None = None,
    settings: Mapping[str, Any] | None = None,
    start: Mapping[str, float] | None = None,
    lost_after: int = 60,
) -> Study:
    """Begin a study, or open one to go on with it.

    Parameters
    ----------
    output : str or path
        SQLite file, or the URL of a database as SQLAlchemy has it (`postgresql://…`), which
        several machines can reach.
    sampler : optuna.samplers.BaseSampler
        Who chooses points.
    directions : sequence of {"maximize", "minimize"}, default=("maximize",)
        Of each objective.
    pruner : optuna.pruners.BasePruner, default=None
        Who stops trials early; `None`: nobody.
    settings : mapping, default=None
        What JSON can hold and every trial of the study has in common; a study that was begun with
        others is refused.
    start : mapping of str to float, default=None
        Numbers of the first trial.
    lost_after : int, default=60
        Seconds without a sign of life after which a worker's trial is given to another one.

    Returns
    -------
    optuna.Study
        The study.

    Raises
    ------
    ParameterError
        If the study in `output` has other settings or directions, the folder does not exist, or
        another argument is not what it should be.
    FormatError
        If `output` is no study.

    Examples
    --------
    >>> import tempfile
    >>> from hrsnn_rs.search import network_space, open_study, run_trials, sampler_named
    >>> space = network_space(["tau_m"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for n_trials in (2, 3):
    ...         study = open_study(f"{folder}/study.db", sampler_named("random", space, seed=0))
    ...         run_trials(study, lambda trial: space.suggest(trial)["tau_m"].mean, n_trials)
    ...         print(len(study.trials))
    2
    3
    """
    path = check_path("output", output)
    check_kind("sampler", sampler, optuna.samplers.BaseSampler)
    check_kind("pruner", pruner, optuna.pruners.BasePruner, type(None))
    asked = check_list("directions", directions, least=1)
    for place, one in enumerate(asked):
        check_choice(f"directions[{place}]", one, _DIRECTIONS)
    for name, value in check_mapping("start", {} if start is None else start).items():
        check_number(f"start[{name!r}]", value)
    is_url = "://" in path
    if not is_url and not Path(path).absolute().parent.is_dir():
        raise ParameterError(f"output must lie in a folder that exists; got {path!r}.")
    lost_after = check_integer("lost_after", lost_after, 2, 10**6)
    try:
        wanted = json.loads(
            json.dumps(check_mapping("settings", {} if settings is None else settings))
        )
    except (TypeError, ValueError) as error:
        raise ParameterError(f"settings must be what JSON can hold; got {error}.") from None
    with _quiet():
        try:
            storage = _storage(path, is_url, lost_after)
            options: dict[str, Any] = {"storage": storage, "sampler": sampler, "study_name": _NAME}
            options["pruner"] = optuna.pruners.NopPruner() if pruner is None else pruner
            try:
                study = optuna.create_study(**options, directions=asked)
            except optuna.exceptions.DuplicatedStudyError:
                study = optuna.load_study(**options)
            else:
                study.set_user_attr("settings", wanted)
                if start is not None:
                    study.enqueue_trial(dict(start))
        except ParameterError:
            raise
        except Exception as error:
            raise FormatError(f"{path} is no study: {' '.join(str(error).split())}") from error
    found = study.user_attrs.get("settings", wanted)
    for name in {**wanted, **found}:
        if found.get(name) != wanted.get(name):
            raise ParameterError(
                f"output must be of the same search: {name} was {found.get(name)!r} and is "
                f"{wanted.get(name)!r}."
            )
    said = [one.name.lower() for one in study.directions]
    if said != asked:
        raise ParameterError(f"directions must be those of the study, {said}; got {asked!r}.")
    return study


def _storage(path: str, is_url: bool, lost_after: int) -> RDBStorage:
    """Open the tables of a study, or make them: once, by whichever worker is first.

    A file is opened for each question and closed after it: nobody tells optuna when a study is no
    longer wanted, so that connections kept for later would stay open for good.
    """
    engine: dict[str, Any] = {}
    if not is_url:
        # In a URL `?`, `%` and braces of a file's name would mean something.
        name = str(Path(path).absolute())
        opens = partial(sqlite3.connect, name, timeout=60, check_same_thread=False)
        engine = {"creator": opens, "poolclass": NullPool}
    for attempt in range(_ATTEMPTS):
        try:
            return RDBStorage(
                path if is_url else "sqlite://",
                engine_kwargs=engine,
                heartbeat_interval=max(1, lost_after // _SIGNS),
                grace_period=lost_after,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(),
            )
        except Exception as error:
            # Two that find no table make it both, and one of them is told so.
            met = "already exists" in str(error) or "UNIQUE" in str(error).upper()
            if attempt + 1 == _ATTEMPTS or not met:
                raise
            time.sleep(_PAUSE)
    raise AssertionError("the last attempt raises")


def run_trials(
    study: Study,
    objective: Callable[[Trial], Any],
    n_trials: int,
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> None:
    """Work at a study until it has so many finished trials, together with others who do.

    Trials that were interrupted, here or by the death of a worker, are begun anew with the same
    numbers.

    Parameters
    ----------
    study : optuna.Study
        As `open_study` gives it.
    objective : callable
        Called with a trial; gives its value, or values.
    n_trials : int
        Finished trials that the study shall have, pruned ones among them.
    progress : callable, default=None
        Called with trials finished, trials in all, and the best value.

    Raises
    ------
    ParameterError
        If `n_trials` is not at least 1, or something else not what it should be.
    """
    _checked_study(study)
    if not hasattr(study._storage, "get_heartbeat_stale_trial_callback"):
        raise ParameterError(f"study must be one of open_study, in a file; got {study!r}.")
    check_callable("objective", objective, "trial")
    check_progress(progress)
    n_trials = check_integer("n_trials", n_trials, 1)
    retry = study._storage.get_heartbeat_stale_trial_callback()

    mine = -1

    def limited(trial: Trial) -> Any:
        nonlocal mine
        mine = trial.number
        before = study.get_trials(deepcopy=False)[: trial.number]
        if sum(one.state is not TrialState.FAIL for one in before) >= n_trials:
            raise _Surplus
        return objective(trial)

    with _quiet():
        while True:
            fail_stale_trials(study)
            trials = study.get_trials(deepcopy=False)
            states = [one.state for one in trials]
            n_done = sum(state in _FINISHED for state in states)
            if progress is not None:
                progress(min(n_done, n_trials), n_trials, _best(study))
            if n_done >= n_trials:
                return
            n_begun = n_done + states.count(TrialState.RUNNING)
            if n_begun >= n_trials:
                _give_up_the_unborn(study, trials)
                time.sleep(_PAUSE)
                continue
            try:
                study.optimize(limited, n_trials=1, catch=(_Surplus,))
            except BaseException:
                stopped = study.get_trials()[mine] if mine >= 0 else None
                if stopped is not None and stopped.state is TrialState.FAIL and stopped.params:
                    retry(study, stopped)
                raise


def _give_up_the_unborn(study: Study, trials: list[FrozenTrial]) -> None:
    """Fail trials whose worker died before it gave the first sign of life."""
    storage: Any = study._storage
    for one in trials:
        if one.state is TrialState.RUNNING and not one.params and one.datetime_start is not None:
            age = (datetime.now() - one.datetime_start).total_seconds()
            if age > 2 * _SIGNS * storage.get_heartbeat_interval():
                storage.set_trial_state_values(one._trial_id, TrialState.FAIL)


def _checked_study(study: object) -> None:
    check_kind("study", study, optuna.study.Study)


def _best(study: Study) -> str:
    if len(study.directions) > 1:
        return f"{len(study.best_trials)} on the front"
    try:
        return f"best {study.best_value:.3f}"
    except ValueError:
        return "searching"


def trial_table(study: Study, space: SearchSpace) -> pl.DataFrame:
    """Give a study's finished trials as a table.

    Parameters
    ----------
    study : optuna.Study
        Not changed.
    space : SearchSpace
        What is searched.

    Returns
    -------
    polars.DataFrame
        One row per trial in the order of their numbers: `trial`, `state` ("complete" or "pruned"),
        `values`, `accuracy`, `spikes`, `operations`, `seconds`, `best` (whether no other trial is
        better in all objectives), and each number of the space.

    Examples
    --------
    >>> import optuna
    >>> from hrsnn_rs.search import network_space, trial_table
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> space = network_space(["rate"])
    >>> study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    >>> study.optimize(lambda trial: space.suggest(trial)["rate"] * 0.0 + trial.number, n_trials=2)
    >>> trial_table(study, space).select("trial", "state", "values", "best").rows()
    [(0, 'complete', [0.0], True), (1, 'complete', [1.0], False)]
    """
    _checked_study(study)
    check_kind("space", space, SearchSpace)
    done = [one for one in study.get_trials(deepcopy=False) if one.state in _FINISHED]
    best = {one.number for one in front(study)}
    rows = []
    for one in done:
        seconds = None if one.duration is None else one.duration.total_seconds()
        row = {"trial": one.number, "state": one.state.name.lower(), "values": one.values}
        row |= {name: one.user_attrs.get(name) for name in ("accuracy", "spikes", "operations")}
        row |= {"seconds": seconds, "best": one.number in best}
        rows.append(row | {name: one.params.get(name) for name in space.numbers})
    schema: dict[str, Any] = {"trial": pl.Int64, "state": pl.String, "values": pl.List(pl.Float64)}
    schema |= dict.fromkeys(("accuracy", "spikes", "operations", "seconds"), pl.Float64)
    schema |= {"best": pl.Boolean} | dict.fromkeys(space.numbers, pl.Float64)
    return pl.DataFrame(rows, schema=schema)


def front(study: Study) -> list[FrozenTrial]:
    """Give the trials that no other is better than, the best in the first objective first.

    Parameters
    ----------
    study : optuna.Study
        Not changed.

    Returns
    -------
    list of optuna.trial.FrozenTrial
        The Pareto front; of one objective, the best trial and those that equal it.

    Raises
    ------
    ParameterError
        If the study is none.
    """
    _checked_study(study)
    trials = sorted(study.best_trials, key=lambda one: one.number)
    sign = -1.0 if study.directions[0] is optuna.study.StudyDirection.MAXIMIZE else 1.0
    return sorted(trials, key=lambda one: sign * one.values[0])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep optuna's log and its notes on what is experimental to itself."""
    log = logging.getLogger("optuna")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        log.setLevel(before)
