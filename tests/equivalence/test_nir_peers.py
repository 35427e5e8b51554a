"""One graph of NIR, read by snnTorch, by Norse and by us: the same rasters on their grid.

Both integrate by Euler's rule on a grid of 0.1 ms, which forgets `1 - dt / tau` a step; we forget
`exp(-dt / tau)`. With the time constant at which the two are the same, rasters must be too; with
the one that the graph says they nearly are. Norse takes every resistance for 1, and snnTorch
allows for a resistance of 1 only where all time constants are alike: so the common graph has both.
Run with `make equivalence-nir`.
"""

import hrsnn_rs as hr
import numpy as np
import pytest
from equivalence.nir_rasters import DT, N_INPUTS, as_euler, drive, ours, read
from hrsnn_rs.network import from_nir, to_nir
from scipy.sparse import csr_array

nir = pytest.importorskip("nir", reason="needs nir (make equivalence-nir)")
torch = pytest.importorskip("torch", reason="needs torch (make equivalence-nir)")
pytest.importorskip("snntorch", reason="needs snntorch (make equivalence-nir)")
norse = pytest.importorskip("norse.torch", reason="needs norse (make equivalence-nir)")
pytestmark = [
    pytest.mark.external,
    pytest.mark.filterwarnings("ignore"),
]

N_HIDDEN, N_OUT = 60, 10


def common_graph(seed):
    """Two layers, as any of these packages may write them."""
    random = np.random.default_rng(seed)

    def linear(n_out, n_in, mean):
        weight = random.normal(mean, 2.0 * mean, (n_out, n_in)) * 20.0 / DT
        return nir.Affine(weight.astype(np.float32), np.zeros(n_out, np.float32))

    def lif(n):
        full = np.ones(n, np.float32)
        return nir.LIF(tau=0.02 * full, r=full, v_leak=0 * full, v_threshold=15 * full,
                       v_reset=0 * full)  # fmt: skip

    return nir.NIRGraph.from_list(
        linear(N_HIDDEN, N_INPUTS, 0.5), lif(N_HIDDEN), linear(N_OUT, N_HIDDEN, 1.0), lif(N_OUT)
    )


def snntorch_raster(graph, driven):
    from snntorch.import_nir import import_from_nir

    net, state, rows = import_from_nir(graph), None, []
    with torch.no_grad():
        for row in torch.as_tensor(driven, dtype=torch.float32):
            out, state = net(row[None], state)
            rows.append(out[0].numpy() > 0.5)
    return np.array(rows)


def norse_raster(graph, driven):
    net, state, rows = norse.from_nir(graph, dt=DT / 1000.0), None, []
    with torch.no_grad():
        for row in torch.as_tensor(driven, dtype=torch.float32):
            out, state = net(row[None], state)
            rows.append(out[0].numpy() > 0.5)
    return np.array(rows)


@pytest.mark.parametrize("seed", range(3))
def test_one_graph_gives_the_same_raster_in_three_packages(seed, tmp_path, measure):
    graph, driven = common_graph(seed), drive(seed)
    torch_raster = snntorch_raster(read(graph, tmp_path), driven)
    norse_one = norse_raster(read(graph, tmp_path), driven)
    exact = ours(from_nir(as_euler(read(graph, tmp_path)), dt=DT), driven)[:, N_HIDDEN:]
    assert exact.sum() > 200
    assert np.array_equal(torch_raster, norse_one)
    # A potential within float32's rounding of the threshold may fall on either side.
    differing = int((exact != torch_raster).sum())
    measure("share of spikes that differ", differing / exact.sum())
    assert differing <= 0.005 * exact.sum()
    as_read = ours(from_nir(read(graph, tmp_path), dt=DT), driven)[:, N_HIDDEN:]
    assert abs(int(as_read.sum()) - int(exact.sum())) <= 0.02 * exact.sum()


@pytest.mark.parametrize("seed", range(3))
def test_a_heterogeneous_layer_of_ours_runs_in_snntorch(seed, tmp_path, measure):
    random = np.random.default_rng(seed)
    network = hr.Network.from_arrays(
        csr_array(random.normal(1.0, 1.0, (N_INPUTS, N_HIDDEN))),
        csr_array((N_HIDDEN, N_HIDDEN)),
        neuron=hr.LIF(tau_m=random.uniform(5.0, 40.0, N_HIDDEN), t_ref=0.0, v_threshold=15.0),
        dtype="float32",
    )
    graph, driven = to_nir(network, dt=DT), drive(seed)
    theirs = snntorch_raster(read(graph, tmp_path), driven)
    exact = ours(from_nir(as_euler(read(graph, tmp_path)), dt=DT), driven)
    assert exact.sum() > 200
    differing = int((exact != theirs).sum())
    measure("share of spikes that differ", differing / exact.sum())
    assert differing <= 0.005 * exact.sum()
