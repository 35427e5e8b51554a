"""What a run costs, under the names that NeuroBench uses: operations and sparsity."""

from __future__ import annotations

from typing import Any

from hrsnn_rs.arguments import check_integer, check_number


def synaptic_operations(
    *,
    n_synaptic_events: int,
    n_spikes: int,
    n_samples: int,
    duration: int,
    n_inputs: int,
    n_neurons: int,
    n_synapses: int,
    dt: float = 1.0,
) -> dict[str, Any]:
    """Give operations and sparsity per sample under the names that NeuroBench uses.

    Parameters
    ----------
    n_synaptic_events : int
        Arrivals at synapses, from inputs and from neurons, in all samples together.
    n_spikes : int
        Spikes of the recurrent neurons in all samples together.
    n_samples : int
        Number of samples.
    duration : int
        Length of all samples together in µs.
    n_inputs, n_neurons, n_synapses : int
        Size of the network; synapses of inputs and of recurrence together.
    dt : float, default=1.0
        Step in ms of the clock-driven machine that `Dense` and `activation_sparsity` are
        stated for. The simulation itself has no step.

    Returns
    -------
    dict
        `synaptic_operations`: `Effective_ACs` (additions caused by a spike),
        `Effective_MACs` (always 0: a spike multiplies nothing) and `Dense` (every possible
        connection in every step), each per sample; `activation_sparsity`;
        `connection_sparsity`.

    Raises
    ------
    ParameterError
        If a size is no whole number greater than 0, a count none of at least 0, or `dt` not above 0
        and below 1e12.

    Notes
    -----
    An operation here is a whole sample, where NeuroBench counts per execution of a model.

    References
    ----------
    .. [1] Yik et al. (2025), The neurobench framework for benchmarking neuromorphic
       computing algorithms and systems, Nat. Commun. 16:1545.

    Examples
    --------
    >>> from hrsnn_rs.learning import synaptic_operations
    >>> operations = synaptic_operations(
    ...     n_synaptic_events=5_000, n_spikes=100, n_samples=10, duration=1_000_000,
    ...     n_inputs=20, n_neurons=80, n_synapses=800)
    >>> operations["synaptic_operations"]
    {'Effective_MACs': 0.0, 'Effective_ACs': 500.0, 'Dense': 800000.0}
    >>> operations["connection_sparsity"]
    0.9
    """
    sizes = {
        "n_samples": n_samples, "duration": duration, "n_inputs": n_inputs, "n_neurons": n_neurons,
    }  # fmt: skip
    counts = {
        "n_synaptic_events": n_synaptic_events, "n_spikes": n_spikes, "n_synapses": n_synapses,
    }  # fmt: skip
    for least, given in ((1, sizes), (0, counts)):
        for name, number in given.items():
            check_integer(name, number, least)
    check_number("dt", dt, "greater than 0 and below 1e12 ms", lambda ms: 0.0 < ms < 1e12)
    possible = n_inputs * n_neurons + n_neurons * n_neurons
    steps = duration / (1000.0 * dt)
    return {
        "synaptic_operations": {
            "Effective_MACs": 0.0,
            "Effective_ACs": n_synaptic_events / n_samples,
            "Dense": possible * steps / n_samples,
        },
        "activation_sparsity": 1.0 - n_spikes / (n_neurons * steps),
        "connection_sparsity": 1.0 - n_synapses / possible,
    }
