"""`hrsnn search`: laws of a network's parameters that do well on persons that were left out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs import _hrsnn, search
from hrsnn_rs.cli.options import (
    DATA_HELP,
    add_common_options,
    add_data_options,
    chosen_clips,
    class_names,
    count,
    data_name,
    encoded,
    open_data,
    positive,
)
from hrsnn_rs.cli.terminal import Bar, aligned, drawable, print_json, writable
from hrsnn_rs.description import Constant, Gamma, Uniform
from hrsnn_rs.description.law import Distribution
from hrsnn_rs.encoding import EventEncoder
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning import Clips, HRSNNClassifier, library_commit
from hrsnn_rs.words import counted

if TYPE_CHECKING:
    import argparse

    from optuna.study import Study

    from hrsnn_rs.datasets import EventSamples
    from hrsnn_rs.events.store import EventStore
    from hrsnn_rs.search.space import Point


DESCRIPTION = """\
Search laws of time constants, amplitudes and delays, and two numbers of a network, for
the best accuracy on persons that were left out in turn. The study is kept in --output:
the same command goes on from it, and several processes may work at it at once. Persons
of --test-groups are looked at once, when all trials are done; that closes the study.
"""
_N_SHOWN = 10
_SAMPLERS = ("wasserstein", "tpe", "random")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    parser.add_argument("data", metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--output", "-o", required=True, metavar="FILE", help="study, as SQLite, or a URL"
    )
    parser.add_argument("--trials", type=positive, default=60, metavar="N", help="in all (60)")
    parser.add_argument("--sampler", choices=_SAMPLERS, default=_SAMPLERS[0], help="(wasserstein)")
    parser.add_argument(
        "--objectives", nargs="+", choices=[*search.OBJECTIVES], default=["accuracy"],
        help="several give a Pareto front (accuracy)",
    )  # fmt: skip
    parser.add_argument(
        "--only", nargs="+", choices=[*search.RECIPE], metavar="NAME",
        help=f"what to search, of {', '.join(search.RECIPE)} (all)",
    )  # fmt: skip
    parser.add_argument("--groups", nargs="+", metavar="G", help="persons to search on (all)")
    parser.add_argument(
        "--test-groups", nargs="+", metavar="G", help="persons for one test at the end (none)"
    )
    parser.add_argument(
        "--folds", type=positive, metavar="K", help="folds, at most one for each person (3)"
    )
    parser.add_argument("--prune", action="store_true", help="stop trials below the median")
    parser.add_argument("--neurons", type=positive, default=1000, metavar="N", help="(1000)")
    parser.add_argument("--epochs", type=count, default=1, metavar="E", help="passes (1)")
    parser.add_argument("--windows", type=positive, default=4, metavar="K", help="windows (4)")
    parser.add_argument("--seed", type=count, default=0, metavar="S", help="seed (0)")
    parser.add_argument(
        "--lost-after", type=positive, default=60, metavar="SECONDS",
        help="when a silent worker's trial goes to another one (60)",
    )  # fmt: skip
    parser.add_argument("--network", metavar="FILE", help="write the network of the best laws")
    parser.add_argument(
        "--figure",
        metavar="FILE",
        help="draw the laws found beside those at the start, as .png, .svg or .pdf",
    )
    add_data_options(parser)
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Search until all trials are done, test once if asked to, and say what came out."""
    if arguments.network:
        writable("--network", Path(arguments.network))
    if arguments.figure:
        drawable("--figure", Path(arguments.figure))
    output = arguments.output
    # Not tried as the others are: another process may be making it.
    if "://" not in output and not Path(output).absolute().parent.is_dir():
        raise ParameterError(f"--output must lie in a folder that exists; got {output}.")
    if Path(output).is_dir():
        raise ParameterError(f"--output must be a file or a URL; got {output}: that is a folder.")
    dataset = open_data(arguments)
    places, tested = _divided(dataset, arguments)
    space = search.network_space(arguments.only)
    objective = _objective(arguments, dataset, places, space)
    # What cannot be searched is refused before a study of it is begun.
    objective.network({})
    study = _study(arguments, space, _settings(arguments, objective))
    # What an interrupted command says that it goes on from.
    arguments.checkpoint = arguments.output
    with Bar(arguments.json) as bar:
        search.run_trials(study, objective, arguments.trials, progress=bar)
    best = search.front(study)
    if not best:
        raise ParameterError("--trials must be more: no network reached its rate.")
    point = space.point(best[0].params)
    if tested and "test" not in study.user_attrs:
        study.set_user_attr("test", _test(arguments, objective, dataset, tested, point))
    network = objective.network(point)
    if arguments.network:
        network.save(arguments.network, metadata={"laws": _plain({**search.RECIPE, **point})})
    if arguments.figure:
        _draw(arguments.figure, point)
    _say(study, space, point, arguments)
    return 0


def _divided(dataset: EventSamples, arguments: argparse.Namespace) -> tuple[list[int], list[int]]:
    """Give places of the clips to search on, and of those for the test."""
    tested = chosen_clips(dataset, arguments.test_groups)[0] if arguments.test_groups else []
    places, _ = chosen_clips(dataset, arguments.groups)
    if arguments.groups is not None and set(places) & set(tested):
        shared = sorted(set(arguments.groups) & set(arguments.test_groups))
        raise ParameterError(f"--test-groups must not be of --groups; got {', '.join(shared)}.")
    return [place for place in places if place not in set(tested)], tested


def _settings(arguments: argparse.Namespace, objective: search.NetworkObjective) -> dict[str, Any]:
    """Say what every trial of a study has in common."""
    names = ["sampler", "objectives", "only", "groups", "test_groups", "prune"]
    names += ["neurons", "epochs", "windows", "seed", "split"]
    return {
        "dataset": data_name(arguments.data),
        "n_clips": len(objective.clips.events),
        **{name: getattr(arguments, name) for name in names},
        "option": sorted(arguments.option),
        "folds": objective.n_folds,
        "digest of the clips": objective.clips.digest,
    }


def _study(
    arguments: argparse.Namespace, space: search.SearchSpace, settings: dict[str, Any]
) -> Study:
    from optuna.pruners import MedianPruner

    start = {name: search.RECIPE[name] for name in space.ranges}
    study = search.open_study(
        arguments.output,
        search.sampler_named(arguments.sampler, space, arguments.seed),
        directions=[search.OBJECTIVES[name] for name in arguments.objectives],
        pruner=MedianPruner(n_startup_trials=8) if arguments.prune else None,
        settings=settings,
        start=space.numbers_of(start),
        lost_after=arguments.lost_after,
    )
    done = search.trial_table(study, space).height
    if "test" in study.user_attrs and arguments.trials > done:
        raise ParameterError(
            f"--trials must be at most {done}, as many as there were at the test: further ones "
            f"would be judged by whoever knows its outcome; got {arguments.trials}."
        )
    return study


def _objective(
    arguments: argparse.Namespace, dataset: EventSamples, places: list[int], space: Any
) -> search.NetworkObjective:
    clips = Clips(
        name=data_name(arguments.data),
        events=_events(arguments, dataset, places),
        labels=dataset.labels[places],
        groups=np.asarray(dataset.subjects)[places],
        classes=tuple(dataset.classes),
        subjects_known=dataset.subjects_known,
    )
    return search.NetworkObjective(
        clips,
        space,
        objectives=arguments.objectives,
        n_folds=arguments.folds,
        n_neurons=arguments.neurons,
        seed=arguments.seed,
        epochs=arguments.epochs,
        n_windows=arguments.windows,
        n_threads=arguments.threads,
    )


def _events(arguments: argparse.Namespace, dataset: EventSamples, places: list[int]) -> EventStore:
    first, _ = dataset[places[0]]
    encoder = EventEncoder(height=first.height, width=first.width)
    return encoded(dataset, places, encoder, arguments.json)


def _test(
    arguments: argparse.Namespace,
    objective: search.NetworkObjective,
    dataset: EventSamples,
    tested: list[int],
    point: Point,
) -> dict[str, Any]:
    """Fit the network found, and that of the start, to all but the test; look at the test."""
    events, names = _events(arguments, dataset, tested), class_names(dataset, tested)
    clips = objective.clips
    known = np.array(clips.classes)[clips.labels]
    outcome: dict[str, Any] = {"n_samples": len(events)}
    for word, laws in (("accuracy", point), ("accuracy_of_start", {})):
        classifier = HRSNNClassifier(
            network=objective.network(laws),
            rate=float({**search.RECIPE, **laws}["rate"]),  # type: ignore[arg-type]
            epochs=arguments.epochs,
            n_windows=arguments.windows,
            n_threads=arguments.threads,
        )
        classifier.fit(clips.events, known, groups=clips.groups)
        outcome[word] = classifier.score(events, names)
    return outcome


def _draw(path: str, point: Point) -> None:
    from hrsnn_rs.plotting import laws

    panels = {
        name: {"start": _law(search.RECIPE[name]), "found": _law(value)}
        for name, value in point.items()
    }
    laws(panels, "Laws at the start and as found").savefig(path, dpi=120)


def _law(value: Distribution | float) -> Distribution:
    return value if isinstance(value, Distribution) else Constant(value)


def _words(value: Distribution | float) -> str:
    """Write a law in a few characters."""
    if isinstance(value, Gamma):
        return f"{value.mean:.3g} ({value.shape:.2g})"
    if isinstance(value, Uniform):
        return f"{value.low:.3g}-{value.high:.3g}"
    return f"{value:.3g}"


def _plain(point: Point) -> dict[str, Any]:
    """Give laws and numbers as JSON can hold them."""
    return {
        name: value.to_dict() if isinstance(value, Distribution) else value
        for name, value in point.items()
    }


def _say(
    study: Study, space: search.SearchSpace, point: Point, arguments: argparse.Namespace
) -> None:
    """Print the trials, the laws found, and the test if there was one."""
    table = search.trial_table(study, space)
    test = study.user_attrs.get("test")
    if arguments.json:
        print_json(
            {
                "trials": table.to_dicts(),
                "laws": _plain({**search.RECIPE, **point}),
                "searched": [*space.ranges],
                "test": test,
                "study": arguments.output,
                "version": _hrsnn.__version__,
                "commit": library_commit(),
            }
        )
        return
    sign = -1.0 if search.OBJECTIVES[arguments.objectives[0]] == "maximize" else 1.0
    rows = [row for row in table.iter_rows(named=True) if row["values"]]
    rows.sort(key=lambda row: (not row["best"], sign * row["values"][0]))
    lines = [["trial", "accuracy", "spikes", "operations", *space.ranges]]
    for row in rows[:_N_SHOWN]:
        line = [f"{row['trial']}{' *' if row['best'] else ''}", f"{row['accuracy']:.3f}"]
        line += [f"{row[name]:,.0f}" for name in ("spikes", "operations")]
        tried = space.point({name: row[name] for name in space.numbers})
        lines.append([*line, *map(_words, tried.values())])
    print(aligned(lines))
    print()
    print(f"{counted(table.height, 'trial')}, the best {len(lines) - 1} shown; * none is better.")
    print(
        "Gamma laws by mean (shape), uniform ones from-to. Accuracy is on persons left out in turn;"
    )
    print("chosen as the best of many, it flatters.")
    if test:
        print(
            f"Test, once, on {counted(test['n_samples'], 'clip')}: {test['accuracy']:.3f}; with "
            f"the laws at the start {test['accuracy_of_start']:.3f}."
        )
