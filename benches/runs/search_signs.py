"""How good a network each sampler finds on recorded signs, after so many trials.

`HRSNN_DATA=FOLDER python benches/runs/search_signs.py` searches all laws and numbers of the recipe
on six of eight persons (one clip of each sign by each), 10 seeds and 60 trials a sampler, and
writes `docs/search_signs.parquet` and `docs/search_signs.png`; it goes on where it was stopped. The
two persons that are left out, others for each seed, judge the network that a search ends with, and
that of the recipe: once.
"""

import argparse
import dataclasses
import os
from pathlib import Path

import numpy as np
import optuna
import polars as pl
from hrsnn_rs.datasets import open_dataset
from hrsnn_rs.learning import Clips, Readout, network_features, paired_difference
from hrsnn_rs.plotting.canvas import blank, own_settings
from hrsnn_rs.search import RECIPE, NetworkObjective, network_space, sampler_named
from search import DOCS, N_TRIALS
from tqdm import tqdm

SAMPLERS = {"wasserstein": "#1b6ca8", "tpe": "#d1495b", "random": "#9aa5b1"}
N_NEURONS = 100
N_FOLDS = 2


def tested(objective: NetworkObjective, clips: Clips, known: np.ndarray, point: dict) -> list[bool]:
    """Fit a point's network to the known clips; say which of the others are named rightly."""
    features = network_features(
        objective.network(point),
        clips,
        known,
        rate=float({**RECIPE, **point}["rate"]),
        n_calibration=64,
        windows="events",
        memory=False,
        n_threads=1,
        **objective.settings,
    )
    readout = Readout().fit(features.counts[known], clips.labels[known], groups=clips.groups[known])
    return (readout.predict(features.counts[~known]) == clips.labels[~known]).tolist()


def searched(clips: Clips, sampler: str, seed: int) -> dict:
    """Search once, without the two persons of this seed, and test what was found on them."""
    persons = np.unique(clips.groups)
    kept = persons[[seed % len(persons), (seed + 1 + seed // len(persons)) % len(persons)]]
    known = ~np.isin(clips.groups, kept)
    space = network_space()
    searched_on = dataclasses.replace(
        clips,
        events=clips.events.subset(known),
        labels=clips.labels[known],
        groups=clips.groups[known],
        parts=None,
    )
    objective = NetworkObjective(
        searched_on, space, n_folds=N_FOLDS, n_neurons=N_NEURONS, seed=seed, n_threads=1
    )
    study = optuna.create_study(
        direction="maximize", sampler=sampler_named(sampler, space, seed=seed)
    )
    study.optimize(objective, n_trials=N_TRIALS)
    values = [-np.inf if one.value is None else one.value for one in study.trials]
    found = space.point(study.best_params)
    return {
        "sampler": sampler,
        "seed": seed,
        "best": np.maximum.accumulate(values).tolist(),
        "clip": np.flatnonzero(~known).tolist(),
        "person": clips.groups[~known].tolist(),
        "found_right": tested(objective, clips, known, found),
        "recipe_right": tested(objective, clips, known, {}),
    }


def measure(path: Path, n_seeds: int, data: Path) -> pl.DataFrame:
    """Measure what `path` does not have yet."""
    rows = pl.read_parquet(path).to_dicts() if path.exists() else []
    done = {(row["sampler"], row["seed"]) for row in rows}
    signs = open_dataset(data / "sign_gestures", clips_per_subject=5)
    made_by = [
        f"{label} {person}" for label, person in zip(signs.labels, signs.groups, strict=True)
    ]
    _, firsts = np.unique(made_by, return_index=True)
    clips = Clips.of_dataset(signs.subset(np.sort(firsts)))
    for seed in tqdm(range(n_seeds)):
        for sampler in SAMPLERS:
            if (sampler, seed) not in done:
                rows.append(searched(clips, sampler, seed))
                pl.DataFrame(rows).write_parquet(path)
    return pl.DataFrame(rows)


def curves(rows: pl.DataFrame, sampler: str) -> np.ndarray:
    """Give, by seed and trial, how far the best score is from the best that any sampler found."""
    mine = rows.filter(sampler=sampler).sort("seed")
    tops = rows.group_by("seed").agg(pl.col("best").list.last().max()).sort("seed")["best"]
    return tops.to_numpy()[:, None] - np.array(mine["best"].to_list())


def table(rows: pl.DataFrame) -> str:
    """Write medians over seeds, and how the Wasserstein search compares, seed by seed."""
    lines = [
        f"| sampler | validation, after {N_TRIALS} | behind the best of all | persons left out |"
        " to the recipe |",
        "| --- | --- | --- | --- | --- |",
    ]
    for sampler in SAMPLERS:
        mine = rows.filter(sampler=sampler).sort("seed")
        last = np.array(mine["best"].to_list())[:, -1]
        low, middle, high = np.quantile(curves(rows, sampler)[:, -1], (0.25, 0.5, 0.75))
        right = mine.explode("clip", "person", "found_right", "recipe_right")
        gain = paired_difference(
            right["found_right"],
            right["recipe_right"],
            seed=right["seed"],
            clip=right["clip"],
            person=right["person"],
        )
        lines.append(
            f"| {sampler} | {np.median(last):.3f} | {middle:.3f} ({low:.3f} to {high:.3f}) |"
            f" {right['found_right'].mean():.3f} |"
            f" {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] |"
        )
    ours = curves(rows, "wasserstein")[:, -1]
    for other in ("tpe", "random"):
        theirs = curves(rows, other)[:, -1]
        lines.append(
            f"\nWasserstein against {other}: ahead with {(ours < theirs).sum()} of {len(ours)}"
            f" seeds, level with {(ours == theirs).sum()}."
        )
    return "\n".join(lines)


@own_settings
def plot(rows: pl.DataFrame, path: Path) -> None:
    """Draw medians and quartiles over seeds by the number of trials."""
    figure = blank(6.4, 4.2)
    axes = figure.subplots()
    for sampler, colour in SAMPLERS.items():
        low, middle, high = np.quantile(curves(rows, sampler), (0.25, 0.5, 0.75), axis=0)
        n = np.arange(1, N_TRIALS + 1)
        axes.plot(n, middle, color=colour, label=sampler, linewidth=2)
        axes.fill_between(n, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.set_ylim(0.0, 0.2)
    axes.set_xlabel("trials")
    axes.set_ylabel("validation accuracy behind the best")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def main() -> None:
    """Measure, draw and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--output", type=Path, default=DOCS / "search_signs.parquet")
    parser.add_argument("--figure", type=Path, default=DOCS / "search_signs.png")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rows = measure(arguments.output, arguments.seeds, Path(os.environ["HRSNN_DATA"]))
    plot(rows, arguments.figure)
    print(table(rows))


if __name__ == "__main__":
    main()
