"""A neuron, a rule, and what one plastic synapse learns of them between two trains of spikes."""

import hrsnn_rs as hr
import numpy as np
from scipy.sparse import csr_array

LIF = {"tau_m": 20.0, "v_rest": 0.0, "v_reset": 0.0, "v_threshold": 15.0, "t_ref": 2.0, "bias": 0.0}
RULE = {
    "a_plus": 0.1,
    "a_minus": 0.05,
    "tau_plus": 15.0,
    "tau_minus": 34.0,
    "w_min": 0.0,
    "w_max": 2.0,
    "mu_plus": 0.0,
    "mu_minus": 0.0,
}
POTENTIATED, DEPRESSED = RULE["a_plus"], RULE["a_minus"]


def our_weight(t_pre, t_post, *, delay: float, weight=1.0) -> float:
    """Weight of our synapse between neurons that strong inputs make spike at given times (ms)."""
    events = sorted([(t, 0) for t in t_pre] + [(t, 1) for t in t_post])
    t, channel = zip(*events, strict=True)
    network = hr.Network.from_arrays(
        inputs=csr_array(np.diag([40.0, 40.0])),
        recurrent=csr_array(np.array([[0.0, weight], [0.0, 0.0]])),
        recurrent_delay=delay,
        neuron=hr.LIF(**LIF | {"t_ref": 0.0}),
        plasticity=hr.STDP(**RULE),
    )
    microseconds = np.rint(1000.0 * np.array(t)).astype(np.int64)
    events = hr.Events(microseconds, channel, 2, int(microseconds[-1]) + 20_000)
    result = network.run(events, learn=True)
    assert result.spikes["t"].to_list() == microseconds.tolist()
    return float(network.recurrent_weights.data[0])
