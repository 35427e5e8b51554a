"""The balance task: how exactly depression must be set against potentiation.

A recurrent network learns from noise by STDP, without labels. If potentiation wins, its rates run
away; if depression wins, its recurrent weights vanish, and with them the memory that they carried.
In between lies the range of balances in which it is still of use. One rule for all synapses makes
all weights go one way; where each synapse has a rule of its own, some go up while others go down,
and soft bounds hold each weight at a level of its own balance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy import sparse

from hrsnn_rs.arguments import check_integer, check_list, check_number
from hrsnn_rs.description import LIF, STDP, Gamma
from hrsnn_rs.errors import ShapeError
from hrsnn_rs.events.columns import check_table
from hrsnn_rs.learning.systems import costs
from hrsnn_rs.learning.task_memory import capacity, noise, random_graph
from hrsnn_rs.learning.tasks import paired_interval, run_task
from hrsnn_rs.network import Network
from hrsnn_rs.network.one_sample import check_threads

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RULES = ("one rule", "a rule per synapse", "one rule, soft bounds")
"""The systems: numbers, laws of the same means, and numbers with `mu_plus` = `mu_minus` = 1."""
BALANCES = tuple(float(f"{2.0 ** (step / 6):.3g}") for step in range(-12, 13))
"""Depression over potentiation, a_minus tau_minus / (a_plus tau_plus), at the first weights."""
UNTRAINED = "untrained"
"""The condition in which nothing learns, and its only system."""

RATE = 4.0  # Hz, before learning
_WEIGHT = 0.05  # of a recurrent synapse, as a share of the threshold
_W_MAX = 4 * 15.0 * _WEIGHT
_POTENTIATION = 0.05  # mV of a pair at the first weights
_TAU_PLUS, _TAU_MINUS = 15.0, 34.0  # ms
_SHAPE = 3.0
_SAMPLE = 100  # steps of a training sample
_LOWPASS = 30.0  # ms
_RUNS_AWAY = 0.7
FACTOR = 2.0  # of the rate before learning, up and down


def measure_balance(
    seeds: Iterable[int] = range(12),
    *,
    balances: Iterable[float] = BALANCES,
    n_neurons: int = 200,
    n_samples: int = 1600,
    output: str | os.PathLike[str] | None = None,
    n_threads: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Let a recurrent network learn with each rule and balance, and measure rate and memory.

    The network is that of the memory task with recurrent delays, tau_m 80 ms and weights of a
    twentieth of the threshold, which may grow to four times that. It is calibrated to 4 Hz, learns
    from 60 s of noise, and is judged on other noise.

    Parameters
    ----------
    seeds : iterable of int, default=range(12)
        Seeds of stimuli and network.
    balances : iterable of float, default=BALANCES
        Depression over potentiation, a_minus tau_minus / (a_plus tau_plus), greater than 0; below
        0.7 soft bounds alone are tried. Three digits of each are kept.
    n_neurons : int, default=200
        Neurons.
    n_samples : int, default=1600
        Steps of 50 ms to judge by, at least 400; three quarters as many to learn from.
    output : str or path-like, default=None
        Parquet file of the rows; a run that was stopped goes on from it.
    n_threads : int, default=None
        Threads; the result does not depend on them. `None` means all cores.
    progress : callable, default=None
        Called with steps done, steps in all, and what comes next.

    Returns
    -------
    polars.DataFrame
        Rows as of `run_task`: a condition for each balance and one for the untrained network.
        `score` is the memory capacity and `rate` (Hz) that after learning.

    Raises
    ------
    ParameterError
        If a seed or a size is out of range, or the rows in `output` are of something else.
    FormatError
        If `output` is no table of rows.

    Examples
    --------
    >>> from hrsnn_rs.learning import measure_balance
    >>> rows = measure_balance([0], balances=[1.2], n_neurons=10, n_samples=400)
    >>> rows["system"].unique(maintain_order=True).to_list()[1:]
    ['one rule', 'a rule per synapse', 'one rule, soft bounds']
    """
    check_threads(n_threads)
    n_samples = check_integer("n_samples", n_samples, 400)
    conditions: dict[str, dict[str, STDP | None]] = {UNTRAINED: {UNTRAINED: None}}
    for place, one in enumerate(check_list("balances", balances)):
        number = check_number(f"balances[{place}]", one, "greater than 0", lambda b: b > 0.0)
        balance = float(f"{number:.3g}")
        # Without soft bounds it has long run away there, and takes long.
        tried = RULES if balance > _RUNS_AWAY else RULES[2:]
        conditions[f"{balance:g}"] = {rule: plasticity(rule, balance) for rule in tried}

    def prepare(condition: str, seed: int) -> Callable[[STDP | None], dict[str, Any]]:
        random = np.random.default_rng([seed, 0])
        values = random.random(n_samples)
        judged = noise(values, random)
        samples = [noise(random.random(_SAMPLE), random) for _ in range(3 * n_samples // 400)]
        weights, recurrent, delays = random_graph(n_neurons, seed, _WEIGHT)
        inhibitory = np.zeros(n_neurons, dtype=bool)
        source = np.repeat(np.arange(n_neurons), np.diff(recurrent.indptr))
        inhibitory[source[recurrent.data < 0.0]] = True
        plastic = ~inhibitory[source] & ~inhibitory[recurrent.indices]

        def measure(rule: STDP | None) -> dict[str, Any]:
            network = Network.from_arrays(
                sparse.csr_array(weights),
                recurrent,
                recurrent_delay=delays,
                neuron=LIF(tau_m=80.0),
                plasticity=rule,
                plastic=None if rule is None else plastic,
                seed=seed,
                dtype="float32",
            )
            calibration = network.calibrate(samples[:3], rate=RATE, n_threads=n_threads)
            if rule is not None:
                network.train(samples, n_threads=n_threads)
            features, each = network.transform(
                [judged], n_samples, features="lowpass", tau_lowpass=_LOWPASS,
                n_threads=n_threads, return_stats=True,
            )  # fmt: skip
            score = float(capacity(features[0].astype(np.float64), values).sum())
            return {"score": score, **costs(network, calibration, each)}

        return measure

    return run_task(
        "balance", conditions, seeds, prepare,
        n_neurons=n_neurons, n_samples=n_samples, output=output, progress=progress,
    )  # fmt: skip


def plasticity(rule: str, balance: float) -> STDP:
    """Give a rule whose depression is `balance` times its potentiation at the first weights.

    Parameters
    ----------
    rule : str
        One of `RULES`.
    balance : float
        Greater than 0.

    Returns
    -------
    STDP
        A pair potentiates by 0.05 mV at the first weights.

    Examples
    --------
    >>> from hrsnn_rs.learning.task_balance import plasticity
    >>> rule = plasticity("one rule", 1.0)
    >>> round(rule.a_minus * rule.tau_minus / (rule.a_plus * rule.tau_plus), 6)
    1.0
    """
    means: dict[str, Any] = {
        "a_plus": _POTENTIATION,
        "a_minus": balance * _POTENTIATION * _TAU_PLUS / _TAU_MINUS,
        "tau_plus": _TAU_PLUS,
        "tau_minus": _TAU_MINUS,
    }
    if rule == "a rule per synapse":
        laws: dict[str, Any] = {name: Gamma(mean, _SHAPE) for name, mean in means.items()}
        return STDP(**laws, w_max=_W_MAX)
    if rule == "one rule":
        return STDP(**means, w_max=_W_MAX)
    first = 15.0 * _WEIGHT
    means["a_plus"] /= _W_MAX - first
    means["a_minus"] /= first
    return STDP(**means, w_max=_W_MAX, mu_plus=1.0, mu_minus=1.0)


def useful_ranges(rows: pl.DataFrame) -> pl.DataFrame:
    """Give the width of the range of balances in which each rule leaves a network of use.

    It is of use as long as its rate is within a factor of two of that before learning, 4 Hz, and
    its memory is not below that of the untrained network of the same seed. In between, ln(rate) and
    memory are taken as straight lines over ln(balance).

    Parameters
    ----------
    rows : polars.DataFrame
        Rows as `measure_balance` gives them. Not changed.

    Returns
    -------
    polars.DataFrame
        One row per rule: `width`, mean over seeds of the useful stretch of ln(balance), and
        `widths` of each seed; `begin` and `end`, means of its first and last balance, null if some
        seed has none;
        `difference` of widths to one rule, with its 95 % t interval `low` to `high` over `n_seeds`.

    Raises
    ------
    ShapeError
        If there is no row.
    ParameterError
        If rows are none.

    Examples
    --------
    >>> import polars as pl
    >>> from hrsnn_rs.learning import TASK_SCHEMA, useful_ranges
    >>> cells = [{"condition": "untrained", "system": "untrained", "rate": 4.0, "score": 1.0}]
    >>> cells += [{"condition": b, "system": "one rule", "rate": 4.0, "score": score}
    ...           for b, score in (("1", 2.0), ("2", 1.5), ("4", 0.5))]
    >>> rows = pl.DataFrame(cells, schema=TASK_SCHEMA).with_columns(seed=pl.lit(0))
    >>> useful_ranges(rows)["end"].round(2).to_list()  # half way from ln(2) to ln(4)
    [2.83]
    """
    check_table("rows", rows, "condition", "system", "seed", "rate", "score")
    if rows.height == 0:
        raise ShapeError("rows must hold at least one row; got 0.")
    untrained = dict(
        rows.filter(pl.col("condition") == UNTRAINED).select("seed", "score").iter_rows()
    )
    learned = rows.filter(pl.col("condition") != UNTRAINED)
    found: list[dict[str, Any]] = []
    first: Floats | None = None
    for system in (rule for rule in RULES if rule in learned["system"]):
        balance = pl.col("condition").cast(pl.Float64)
        mine = learned.filter(pl.col("system") == system).sort(balance)
        stretches = []
        for seed, memory in untrained.items():
            curve = mine.filter(pl.col("seed") == seed)
            x = np.log(curve["condition"].cast(pl.Float64).to_numpy())
            rate = np.log(np.maximum(curve["rate"].to_numpy(), 1e-9) / RATE)
            margin = np.minimum(
                np.log(FACTOR) - np.abs(_fine(x, rate)),
                # Where the untrained network missed the rate, nothing is of use.
                _fine(x, curve["score"].to_numpy()) - (np.nan if memory is None else memory),
            )
            at = _fine(x, x)[margin >= 0.0]
            ends = (at[0], at[-1]) if at.size else (np.nan, np.nan)
            stretches.append((at.size / margin.size * (x[-1] - x[0]), *ends))
        width, begin, end = np.array(stretches).T
        first = width if first is None else first
        row: dict[str, Any] = {"system": system, "width": float(width.mean())}
        row["widths"] = width.tolist()
        for name, ends in (("begin", begin), ("end", end)):
            row[name] = float(np.exp(ends.mean())) if np.isfinite(ends).all() else None
        gap = paired_interval(width.tolist(), first.tolist())
        row |= dict(zip(("difference", "low", "high"), gap, strict=True))
        found.append(row | {"n_seeds": len(width)})
    return pl.DataFrame(found)


def _fine(x: Floats, y: Floats, n: int = 4001) -> Floats:
    """Give straight lines through points at evenly spaced places."""
    return np.asarray(np.interp(np.linspace(x[0], x[-1], n), x, y))
