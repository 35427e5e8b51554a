"""The workload in numba, written by hand: what a careful user of Python would write.

Clock-driven at 1 ms, structures of arrays. Synapses that learn lie apart from those that do not.
A spike that arrives walks along its row (deliver, depress, raise the pre trace); a spike that is
fired walks along its column through an index (potentiate, raise the post trace). Traces are kept
as of their last change. With two threads each takes a share of the rows, with an input buffer of
its own, and then a share of the columns: no synapse is in two shares.
"""

import math
import time

import numba
import numpy as np
from numba import njit, prange
from outcome import parse, resident, say
from workload import STEP_MS, Workload

NEVER = np.float32(-1e6)


def simulate(
    n_steps, n_parts, learn, decay, v_threshold, t_ref, first_event, event_channel,
    input_indptr, input_indices, input_weight,
    fixed_indptr, fixed_indices, fixed_weight,
    indptr, indices, weight, a_plus, a_minus, rate_plus, rate_minus, w_max,
    column_indptr, column_source, column_synapse,
):  # fmt: skip
    """Run all steps; return step and neuron of each spike."""
    n = decay.size
    v, free = np.zeros(n), np.zeros(n, np.int64)
    drive = np.zeros((n_parts, n))
    x, y = np.zeros(indices.size, np.float32), np.zeros(indices.size, np.float32)
    arrived, fired = np.full(n, NEVER), np.full(n, NEVER)
    last = np.zeros(n, np.int64)
    n_last = 0
    steps, neurons = np.empty(n * n_steps // 4, np.int64), np.empty(n * n_steps // 4, np.int64)
    n_spikes = 0
    for step in range(n_steps):
        now = np.float32(step)
        for e in range(first_event[step], first_event[step + 1]):
            channel = event_channel[e]
            for s in range(input_indptr[channel], input_indptr[channel + 1]):
                drive[0, input_indices[s]] += input_weight
        for part in prange(n_parts):
            mine = drive[part]
            for k in range(n_last * part // n_parts, n_last * (part + 1) // n_parts):
                j = last[k]
                for s in range(fixed_indptr[j], fixed_indptr[j + 1]):
                    mine[fixed_indices[s]] += fixed_weight[s]
                if not learn:
                    continue
                gap = now - arrived[j]
                for s in range(indptr[j], indptr[j + 1]):
                    i = indices[s]
                    w = weight[s]
                    mine[i] += w
                    trace = y[s] * math.exp((fired[i] - now) * rate_minus[s])
                    weight[s] = max(w - a_minus[s] * trace, np.float32(0.0))
                    x[s] = x[s] * math.exp(-gap * rate_plus[s]) + np.float32(1.0)
                arrived[j] = now
        n_last = 0
        for i in range(n):
            total = 0.0
            for part in range(n_parts):
                total += drive[part, i]
                drive[part, i] = 0.0
            if step >= free[i]:
                v[i] = v[i] * decay[i] + total
                if v[i] >= v_threshold[i]:
                    v[i] = 0.0
                    free[i] = step + t_ref[i]
                    last[n_last] = i
                    n_last += 1
        for k in range(n_last):
            steps[n_spikes + k], neurons[n_spikes + k] = step, last[k]
        n_spikes += n_last
        if learn:
            for k in prange(n_last):
                i = last[k]
                gap = now - fired[i]
                for c in range(column_indptr[i], column_indptr[i + 1]):
                    s = column_synapse[c]
                    since = now - arrived[column_source[c]]
                    # A coincident arrival does not count.
                    if since > np.float32(0.0):
                        trace = x[s] * math.exp(-since * rate_plus[s])
                    else:
                        trace = x[s] - np.float32(1.0)
                    weight[s] = min(weight[s] + a_plus[s] * trace, w_max)
                    y[s] = y[s] * math.exp(-gap * rate_minus[s]) + np.float32(1.0)
                fired[i] = now
    return steps[:n_spikes], neurons[:n_spikes]


def csr(work: Workload, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`indptr` and `indices` of the synapses to `keep`."""
    counts = np.bincount(work.pre[keep], minlength=work.n_neurons)
    return np.concatenate([[0], np.cumsum(counts)]), work.indices[keep].astype(np.int32)


def arrays(work: Workload, learn: bool) -> dict:
    """Lay the workload out for `simulate`."""
    plastic = work.plastic if learn else np.zeros_like(work.plastic)
    indptr, indices = csr(work, plastic)
    fixed_indptr, fixed_indices = csr(work, ~plastic)
    by_column = np.argsort(indices, kind="stable")
    columns = np.bincount(indices, minlength=work.n_neurons)
    return {
        "n_steps": work.n_steps,
        "learn": learn,
        "decay": np.exp(-STEP_MS / work.tau_m),
        "v_threshold": work.v_threshold,
        "t_ref": np.rint(work.t_ref / STEP_MS).astype(np.int64),
        "first_event": np.searchsorted(work.event_step, np.arange(work.n_steps + 1)),
        "event_channel": work.event_channel,
        "input_indptr": work.input_indptr,
        "input_indices": work.input_indices.astype(np.int32),
        "input_weight": work.input_weight,
        "fixed_indptr": fixed_indptr,
        "fixed_indices": fixed_indices,
        "fixed_weight": work.weight[~plastic],
        "indptr": indptr,
        "indices": indices,
        "weight": work.weight[plastic],
        "a_plus": work.a_plus[plastic],
        "a_minus": work.a_minus[plastic],
        "rate_plus": np.float32(STEP_MS) / work.tau_plus[plastic],
        "rate_minus": np.float32(STEP_MS) / work.tau_minus[plastic],
        "w_max": np.float32(work.w_max),
        "column_indptr": np.concatenate([[0], np.cumsum(columns)]),
        "column_source": work.pre[plastic][by_column].astype(np.int32),
        "column_synapse": by_column.astype(np.int32),
    }


def main() -> None:
    arguments = parse(__doc__)
    numba.set_num_threads(arguments.threads)
    before, start = resident(), time.perf_counter()
    laid_out = arrays(arguments.work, arguments.learn)
    build_wall = time.perf_counter() - start
    run = njit(fastmath=True, parallel=arguments.threads > 1)(simulate)
    start = time.perf_counter()
    run(**{**laid_out, "n_steps": 0}, n_parts=arguments.threads)
    compile_wall = time.perf_counter() - start
    start = time.perf_counter()
    step, neuron = run(**laid_out, n_parts=arguments.threads)
    wall = time.perf_counter() - start
    say(
        arguments,
        "numba",
        step,
        neuron,
        wall=wall,
        build_wall=build_wall,
        compile_wall=compile_wall,
        network_memory=resident() - before,
        versions={"numba": numba.__version__},
    )


if __name__ == "__main__":
    main()
