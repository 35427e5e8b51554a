"""A layer that hears itself, snnTorch's `RLeaky`, given to us by NIR: the same raster on its grid.

What a neuron sends in a step arrives in the next one: a recurrent delay of one step. With
`reset_delay=False`, which is what snnTorch makes of a graph that it reads, a spike resets at once
as ours does, and no arrival is lost: a refractory time of 0. By default it resets a step late, and
what arrives in that step is lost: a refractory time of two steps, at whose end an arrival counts
again. Run with `make equivalence-nir`.
"""

import hrsnn_rs as hr
import numpy as np
import pytest
from equivalence.nir_rasters import DT, N_INPUTS, as_euler, drive, ours, read
from hrsnn_rs.network import from_nir
from scipy.sparse import csr_array

torch = pytest.importorskip("torch", reason="needs torch (make equivalence-nir)")
snn = pytest.importorskip("snntorch", reason="needs snntorch (make equivalence-nir)")
pytest.importorskip("nirtorch", reason="needs nirtorch (make equivalence-nir)")
pytestmark = [
    pytest.mark.external,
    pytest.mark.filterwarnings("ignore"),
]

N, TAU, THRESHOLD = 60, 20.0, 15.0  # ms, mV


def layers(seed, *, reset_delay):
    """Weights onto a layer, and a layer whose every neuron hears some others."""
    random = np.random.default_rng(seed)
    linear = torch.nn.Linear(N_INPUTS, N, bias=False)
    cells = snn.RLeaky(
        beta=torch.full((N,), 1.0 - DT / TAU),
        threshold=THRESHOLD,
        all_to_all=True,
        linear_features=N,
        reset_mechanism="zero",
        reset_delay=reset_delay,
    )
    among = random.normal(0.3, 1.5, (N, N)) * (random.random((N, N)) < 0.2)
    np.fill_diagonal(among, 0.0)
    with torch.no_grad():
        linear.weight[:] = torch.as_tensor(random.normal(1.0, 1.0, (N, N_INPUTS)))
        cells.recurrent.weight[:] = torch.as_tensor(among)
        cells.recurrent.bias[:] = 0.0
    return linear, cells


def theirs(linear, cells, driven):
    (spikes, v), rows = cells.init_rleaky(), []
    with torch.no_grad():
        for row in torch.as_tensor(driven, dtype=torch.float32):
            spikes, v = cells(linear(row[None]), spikes, v)
            rows.append(spikes[0].numpy() > 0.5)
    return np.array(rows)


@pytest.mark.parametrize("seed", range(3))
def test_a_layer_that_hears_itself_gives_the_same_raster(seed, tmp_path, measure):
    from snntorch.export_nir import export_to_nir

    linear, cells = layers(seed, reset_delay=False)
    driven = drive(seed)
    graph = export_to_nir(torch.nn.Sequential(linear, cells), torch.zeros(N_INPUTS))
    network = from_nir(as_euler(read(graph, tmp_path)), dt=DT)
    assert network.recurrent_weights.nnz > 0.1 * N * N
    exact, spikes = ours(network, driven), theirs(linear, cells, driven)
    assert exact.sum() > 1000
    # A potential within float32's rounding of the threshold may fall on either side.
    differing = int((exact != spikes).sum())
    measure("share of spikes that differ", differing / exact.sum())
    assert differing <= 0.005 * exact.sum()
    # Without its loop the raster is another one: the loop is heard.
    alone = network.without_recurrence()
    assert (ours(alone, driven) != exact).sum() > 0.1 * exact.sum()


@pytest.mark.parametrize("seed", range(3))
def test_a_late_reset_is_a_refractory_time_of_two_steps(seed, measure):
    linear, cells = layers(seed, reset_delay=True)
    driven = drive(seed)

    def raster(t_ref):
        weights = [one.weight.detach().numpy().T for one in (linear, cells.recurrent)]
        network = hr.Network.from_arrays(
            *(csr_array(weight.astype(np.float64)) for weight in weights),
            recurrent_delay=DT,
            neuron=hr.LIF(tau_m=-DT / np.log1p(-DT / TAU), t_ref=t_ref, v_threshold=THRESHOLD),
            dtype="float32",
        )
        return ours(network, driven)

    spikes, exact = theirs(linear, cells, driven), raster(2.0 * DT)
    differing = int((exact != spikes).sum())
    measure("share of spikes that differ", differing / exact.sum())
    assert exact.sum() > 1000
    assert differing <= 0.005 * exact.sum()
    assert (raster(0.0) != spikes).sum() > 0.1 * spikes.sum()
