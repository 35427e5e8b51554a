"""The kinds task: of which parameter it is that a spread pays.

The interval task at 2 decades, without recurrence, asked of one parameter after the other: laws of
it against the best constant, while all others stay as they are. One threshold or one input weight
for all is the same network whatever its value, for the gain is calibrated; so is one delay for all,
but for what it moves beyond the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_choice, check_integer, check_list
from hrsnn_rs.description import (
    LIF,
    Constant,
    Distribution,
    FixedInDegreeConnectivity,
    Gamma,
    Uniform,
)
from hrsnn_rs.learning.task_interval import INTERVALS, N_CHANNELS, named_rightly, volleys
from hrsnn_rs.learning.tasks import LAWS, SYSTEMS, run_task
from hrsnn_rs.network import Network
from hrsnn_rs.network.one_sample import check_threads

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    import polars as pl


def _constants(unit: str, *values: float) -> dict[str, Distribution]:
    return {f"{value:g} {unit}": Constant(value) for value in values}


KINDS: dict[str, dict[str, Distribution]] = {
    "membrane time constants": SYSTEMS,
    "input delays": _constants("ms", 0.0, 80.0) | LAWS,
    "refractory periods": _constants("ms", 2.0, 5.0, 20.0, 80.0, 320.0, 640.0) | LAWS,
    "input weights": _constants("mV", 1.0) | {"Gamma 1 mV": Gamma(1.0, 3.0)},
    "biases": _constants("mV", -15.0, -7.0, 0.0, 7.0) | {"uniform -7-7 mV": Uniform(-7.0, 7.0)},
    "thresholds": _constants("mV", 15.0) | {"Gamma 15 mV": Gamma(15.0, 3.0, low=2.0)},
}
"""Parameters, and of each the constants and the laws, fixed before anything was measured."""

_NEURON = {"refractory periods": "t_ref", "biases": "bias", "thresholds": "v_threshold"}


def measure_kinds(
    seeds: Iterable[int] = range(12),
    *,
    kinds: Sequence[str] = tuple(KINDS),
    n_neurons: int = 300,
    n_samples: int = 50,
    output: str | os.PathLike[str] | None = None,
    n_threads: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Name the interval between two volleys with a spread of one parameter at a time.

    The others are 80 ms (membranes), 0 ms (input delays), 2 ms (refractory periods), 0 mV (biases)
    and 15 mV (thresholds) for all, and input weights of a Gamma law of shape 3. All networks are
    calibrated to 0.5 Hz.

    Parameters
    ----------
    seeds : iterable of int, default=range(12)
        Seeds of stimuli and network.
    kinds : sequence of str, default=tuple(KINDS)
        Parameters to ask about, of `KINDS`.
    n_neurons : int, default=300
        Neurons.
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
        Rows as of `run_task`, a condition for each kind; `score` is the accuracy.

    Raises
    ------
    ParameterError
        If a kind is unknown, a seed or a size out of range, or the rows in `output` are of
        something else.
    FormatError
        If `output` is no table of rows.

    Examples
    --------
    >>> from hrsnn_rs.learning import measure_kinds
    >>> rows = measure_kinds([0], kinds=["thresholds"], n_neurons=20, n_samples=4)
    >>> rows["system"].to_list()
    ['15 mV', 'Gamma 15 mV']
    """
    check_threads(n_threads)
    n_samples = check_integer("n_samples", n_samples, 1)
    kinds = check_list("kinds", kinds, least=1)
    for place, kind in enumerate(kinds):
        check_choice(f"kinds[{place}]", kind, KINDS)
    classes = INTERVALS["2 decades"]
    labels = np.repeat(np.arange(len(classes)), n_samples)

    def prepare(kind: str, seed: int) -> Callable[[Distribution], dict[str, Any]]:
        known, new = (
            volleys(classes[labels], np.random.default_rng([seed, side])) for side in (0, 1)
        )

        def measure(law: Distribution) -> dict[str, Any]:
            neuron: dict[str, Any] = {"tau_m": 80.0}
            synapses: dict[str, Any] = {"weight": Gamma(1.0, 3.0)}
            if kind == "membrane time constants":
                neuron["tau_m"] = law
            elif kind == "input weights":
                synapses["weight"] = law
            elif kind == "input delays":
                synapses["delay"] = law
            else:
                neuron[_NEURON[kind]] = law
            network = Network(
                n_inputs=N_CHANNELS,
                n_neurons=n_neurons,
                neuron=LIF(**neuron),
                inputs=FixedInDegreeConnectivity(k=10, **synapses),
                seed=seed,
            )
            return named_rightly(network, (known, labels), (new, labels), n_threads)

        return measure

    return run_task(
        "kinds", {kind: KINDS[kind] for kind in kinds}, seeds, prepare,
        n_neurons=n_neurons, n_samples=n_samples, output=output, progress=progress,
    )  # fmt: skip
