"""Sweeps: what a spread of time constants is worth as something else changes.

The interval task at 2 decades, with more or fewer neurons, connections or training samples, or with
laws of other shapes. Everything that is not swept stays as in `task_interval`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_choice, check_integer
from hrsnn_rs.description import (
    LIF,
    Constant,
    Distribution,
    FixedInDegreeConnectivity,
    Gamma,
    LogUniform,
    Uniform,
)
from hrsnn_rs.learning.task_interval import INTERVALS, N_CHANNELS, named_rightly, volleys
from hrsnn_rs.learning.tasks import LAWS, SYSTEMS, run_task
from hrsnn_rs.network import Network
from hrsnn_rs.network.one_sample import check_threads

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    import polars as pl

_FEW = {name: SYSTEMS[name] for name in ("40 ms", "80 ms", "160 ms")} | LAWS
_TWO = {name: SYSTEMS[name] for name in ("80 ms", "log-uniform 5-500 ms")}
_SHAPES = (
    {name: law for name, law in SYSTEMS.items() if isinstance(law, Constant)}
    | {
        f"log-uniform, {d:g} decades": LogUniform(50.0 * 10 ** (-d / 2), 50.0 * 10 ** (d / 2))
        for d in (0.5, 1.0, 1.5, 2.0, 3.0)
    }
    | {f"Gamma 80 ms, shape {k:g}": Gamma(80.0, k, low=1.0) for k in (0.5, 1.0, 3.0, 6.0, 12.0)}
)
SWEEPS: dict[str, tuple[dict[str, dict[str, Any]], Mapping[str, Distribution]]] = {
    "neurons": (
        {f"{n} neurons": {"n_neurons": n} for n in (100, 200, 500, 1000, 2000, 5000)},
        _FEW,
    ),
    "connections": (
        {
            f"inputs {p:g}, recurrent {q:g}": {"inputs": p, "recurrent": q}
            for p in (0.1, 0.2, 0.4, 0.8)
            for q in (0.0, 0.05, 0.1, 0.2)
        },
        _TWO,
    ),
    "training": (
        {f"{share:.0%} of training": {"share": share} for share in (0.1, 0.25, 0.5, 1.0)},
        _FEW,
    ),
    "laws": ({"2 decades": {}}, _SHAPES),
}
"""Conditions and systems of each sweep, fixed before anything was measured."""

_INCOMING = 22.5  # mV of all recurrent synapses of a neuron, however many


def measure_sweep(
    of: str,
    seeds: Iterable[int] = range(10),
    *,
    n_neurons: int = 300,
    n_samples: int = 50,
    output: str | os.PathLike[str] | None = None,
    n_threads: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Name the interval between two volleys while one thing is swept.

    Parameters
    ----------
    of : {"neurons", "connections", "training", "laws"}
        100 to 5000 neurons; shares of the possible input and recurrent synapses, the latter with
        delays of 1 to 200 ms and 22.5 mV together; shares of the training samples; shapes of laws.
    seeds : iterable of int, default=range(10)
        Seeds of stimuli and network.
    n_neurons : int, default=300
        Neurons, where they are not swept.
    n_samples : int, default=50
        Samples of each of 8 classes for the readout to learn from, and as many to judge it by.
    output : str or path-like, default=None
        Parquet file of the rows; a run that was stopped goes on from it.
    n_threads : int, default=None
        Threads; the result does not depend on them. `None` means all cores.
    progress : callable, default=None
        Called with steps done, steps in all, and what comes next.

    Returns
    -------
    polars.DataFrame
        Rows as of `run_task`; `score` is the accuracy.

    Raises
    ------
    ParameterError
        If the sweep is unknown, a seed or a size out of range, or the rows in `output` are of
        something else.
    FormatError
        If `output` is no table of rows.

    Examples
    --------
    >>> from hrsnn_rs.learning import measure_sweep
    >>> rows = measure_sweep("training", [0], n_neurons=10, n_samples=4)
    >>> rows["condition"].unique(maintain_order=True).to_list()[0]
    '10% of training'
    """
    check_choice("of", of, SWEEPS)
    check_threads(n_threads)
    n_neurons = check_integer("n_neurons", n_neurons, 2)
    n_samples = check_integer("n_samples", n_samples, 1)
    settings, systems = SWEEPS[of]
    sizes = {name: setting.get("n_neurons", n_neurons) for name, setting in settings.items()}
    classes = INTERVALS["2 decades"]
    labels = np.repeat(np.arange(len(classes)), n_samples)

    def prepare(condition: str, seed: int) -> Callable[[Distribution], dict[str, Any]]:
        known, new = (
            volleys(classes[labels], np.random.default_rng([seed, side])) for side in (0, 1)
        )
        setting, n = settings[condition], sizes[condition]
        # The first samples of each class.
        taken = np.tile(np.arange(n_samples), len(classes)) < max(
            1, round(setting.get("share", 1.0) * n_samples)
        )
        known = [known[place] for place in np.flatnonzero(taken)]
        k = round(setting.get("recurrent", 0.0) * (n - 1))
        recurrent = None
        if k:
            recurrent = FixedInDegreeConnectivity(
                k=k, weight=_INCOMING / k, delay=Uniform(1.0, 200.0)
            )

        def measure(law: Distribution) -> dict[str, Any]:
            network = Network(
                n_inputs=N_CHANNELS,
                n_neurons=n,
                neuron=LIF(tau_m=law),
                inputs=FixedInDegreeConnectivity(
                    k=round(setting.get("inputs", 0.2) * N_CHANNELS), weight=Gamma(1.0, 3.0)
                ),
                recurrent=recurrent,
                seed=seed,
            )
            return named_rightly(network, (known, labels[taken]), (new, labels), n_threads)

        return measure

    return run_task(
        f"sweep-{of}", dict.fromkeys(settings, systems), seeds, prepare,
        n_neurons=sizes if of == "neurons" else n_neurons, n_samples=n_samples,
        output=output, progress=progress,
    )  # fmt: skip
