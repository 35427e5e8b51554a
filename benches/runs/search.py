"""How far from the best laws each sampler is after so many trials, where the best are known.

`python benches/runs/search.py` measures both objectives with and without noise, 10 seeds and 60
trials each, and writes `docs/search.parquet` and `docs/search.png`; it goes on where it was
stopped. The first objective is the distance of three laws from wanted ones, in the very distances
that the search is made of. The second knows nothing of them: how well two populations of neurons
cover time scales, and a number, whose best values are found by a fine grid beforehand. `numbers` is
the same Gaussian process without laws: means and shapes are numbers like others.
"""

import argparse
import functools
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import polars as pl
from hrsnn_rs import Gamma
from hrsnn_rs.plotting.canvas import blank, own_settings
from hrsnn_rs.search import LawRange, NumberRange, SearchSpace, sampler_named, wasserstein
from scipy import special
from tqdm import tqdm

DOCS = Path(__file__).parent.parent.parent / "docs"
SAMPLERS = {
    "wasserstein": "#1b6ca8",
    "numbers": "#3a7d44",
    "tpe": "#d1495b",
    "random": "#9aa5b1",
}
#: Standard deviation of the noise as a share of what there is to gain.
NOISE = 0.05
N_TRIALS = 60
RANGE = {"mean": (5.0, 200.0), "shape": (1.0, 50.0)}
WANTED = {"a": Gamma(20.0, 3.0), "b": Gamma(80.0, 12.0), "c": Gamma(40.0, 2.0)}
#: Time scales in ms that a population has to cover, and its neurons.
SCALES = {"excitatory": (np.geomspace(10.0, 160.0, 9), 12), "inhibitory": (np.array([25.0]), 3)}
#: A neuron covers a time scale that is within this factor of its own.
WITHIN = 1.25
BEST_WEIGHT = 0.03

Values = dict[str, float]


def near() -> tuple[SearchSpace, Callable[[Values], float], float]:
    """Distance from laws that are wanted: space, value of a point's numbers, and the best value."""
    space = SearchSpace({name: LawRange(Gamma, **RANGE, log=True) for name in WANTED})

    def value(numbers: Values) -> float:
        point = space.point(numbers)
        return -sum(wasserstein(point[name], law, log=True) ** 2 for name, law in WANTED.items())

    return space, value, 0.0


def covered(name: str, mean: float, shape: float) -> float:
    """Share of time scales that at least one neuron of a population covers, on average."""
    scales, n = SCALES[name]
    bounds = np.stack([scales / WITHIN, scales * WITHIN]) * shape / mean
    low, high = special.gammainc(shape, bounds)
    return float(np.mean(1.0 - (1.0 - (high - low)) ** n))


@functools.cache
def best_cover(name: str) -> float:
    """Find the best law of a population by a grid whose steps are 2 and 3 per cent."""
    means = np.geomspace(*RANGE["mean"], 190)
    shapes = np.geomspace(*RANGE["shape"], 130)
    return max(covered(name, mean, shape) for mean in means for shape in shapes)


def cover() -> tuple[SearchSpace, Callable[[Values], float], float]:
    """Cover of time scales by two populations, and a weight: as `near`."""
    space = SearchSpace(
        {name: LawRange(Gamma, **RANGE, log=True) for name in SCALES}
        | {"weight": NumberRange(0.005, 0.3, log=True)}
    )

    def value(numbers: Values) -> float:
        laws = [covered(n, numbers[f"{n}.mean"], numbers[f"{n}.shape"]) for n in SCALES]
        return sum(laws) - math.log10(numbers["weight"] / BEST_WEIGHT) ** 2

    return space, value, sum(map(best_cover, SCALES))


OBJECTIVES = {"near": near, "cover": cover}


def regrets(objective: str, noisy: bool, sampler: str, seed: int) -> list[float]:
    """Give, after each trial, how far the trial that looks best is from the best there is.

    In shares of what the mean of random points lacks.
    """
    space, value, best = OBJECTIVES[objective]()
    shares = np.random.default_rng(1000).random((500, len(space.numbers)))
    scale = best - float(np.mean([value(space.numbers_at(row)) for row in shares]))
    noise = np.random.default_rng((seed, 7)).normal(0.0, NOISE * scale if noisy else 0.0, N_TRIALS)
    flat = {name.replace(".", "_"): name for name in space.numbers}
    if sampler == "numbers":
        own = SearchSpace({word: space.numbers[name] for word, name in flat.items()})
        chosen = sampler_named("wasserstein", own, seed=seed)
    else:
        own, chosen = space, sampler_named(sampler, space, seed=seed)
    study = optuna.create_study(direction="maximize", sampler=chosen)

    def true_value(params: Values) -> float:
        return value({flat.get(word, word): number for word, number in params.items()})

    def measured(trial: optuna.Trial) -> float:
        own.suggest(trial)
        return true_value(trial.params) + noise[trial.number]

    study.optimize(measured, n_trials=N_TRIALS)
    seen = np.array([one.value for one in study.trials])
    true = np.array([true_value(one.params) for one in study.trials])
    leading = [int(np.argmax(seen[: n + 1])) for n in range(N_TRIALS)]
    return ((best - true[leading]) / scale).tolist()


def measure(path: Path, n_seeds: int) -> pl.DataFrame:
    """Measure what `path` does not have yet."""
    rows = pl.read_parquet(path).to_dicts() if path.exists() else []
    known = {(r["objective"], r["noisy"], r["sampler"], r["seed"]) for r in rows}
    keys = [
        (objective, noisy, sampler, seed)
        for seed in range(n_seeds)
        for objective in OBJECTIVES
        for noisy in (False, True)
        for sampler in SAMPLERS
    ]
    for key in tqdm([key for key in keys if key not in known]):
        names = ("objective", "noisy", "sampler", "seed")
        rows.append(dict(zip(names, key, strict=True)) | {"regret": regrets(*key)})
        pl.DataFrame(rows).write_parquet(path)
    return pl.DataFrame(rows)


def table(rows: pl.DataFrame) -> str:
    """Write medians over seeds after 60 trials, and of how many seeds each sampler is the best."""
    last = rows.with_columns(pl.col("regret").list.last())
    lines = [
        "| objective | noise | Wasserstein | numbers | TPE | random | Wasserstein is the best in |"
    ]
    lines.append("| --- | --- | --- | --- | --- | --- | --- |")
    for objective in OBJECTIVES:
        for noisy in (False, True):
            chosen = last.filter(pl.col("objective") == objective, pl.col("noisy") == noisy)
            wide = chosen.pivot("sampler", index="seed", values="regret")
            cells = []
            for name in SAMPLERS:
                low, middle, high = (wide[name].quantile(q, "linear") for q in (0.25, 0.5, 0.75))
                cells.append(f"{middle:.2g} ({low:.2g} to {high:.2g})")
            others = wide.select(pl.min_horizontal("numbers", "tpe", "random")).to_series()
            won = (wide["wasserstein"] < others).sum()
            noise = f"{NOISE:.0%}" if noisy else "none"
            lines.append(
                f"| {objective} | {noise} | {' | '.join(cells)} | {won} of {wide.height} seeds |"
            )
    return "\n".join(lines)


@own_settings
def plot(rows: pl.DataFrame, path: Path) -> None:
    """Draw medians and quartiles over seeds by the number of trials."""
    figure = blank(9.0, 6.4)
    grid = figure.subplots(2, 2, sharex=True)
    for line, objective in zip(grid, OBJECTIVES, strict=True):
        for axes, noisy in zip(line, (False, True), strict=True):
            chosen = rows.filter(pl.col("objective") == objective, pl.col("noisy") == noisy)
            for name, colour in SAMPLERS.items():
                mine = chosen.filter(pl.col("sampler") == name)
                curves = np.array(mine["regret"].to_list())
                low, middle, high = np.quantile(curves, (0.25, 0.5, 0.75), axis=0)
                n = np.arange(1, N_TRIALS + 1)
                axes.plot(n, middle, color=colour, label=name, linewidth=2)
                axes.fill_between(n, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.set_yscale("log")
            axes.set_title(f"{objective}, {f'noise of {NOISE:.0%}' if noisy else 'without noise'}")
            axes.set_xlabel("trials")
            axes.set_ylabel("simple regret")
    marks = grid[0, 0].get_legend_handles_labels()
    figure.legend(*marks, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def main() -> None:
    """Measure, draw and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--output", type=Path, default=DOCS / "search.parquet")
    parser.add_argument("--figure", type=Path, default=DOCS / "search.png")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rows = measure(arguments.output, arguments.seeds)
    plot(rows, arguments.figure)
    print(table(rows))


if __name__ == "__main__":
    main()
