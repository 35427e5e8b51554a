"""The features of one place: how they compete for patches, and what they learn of them.

Lives here: the column, its rule, and the controls of what it learns. Not here: how patches are cut
(`network.patches`), and the copies of the column all over the plane (`feature_layer`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from hrsnn_rs.description.distributions import Uniform
from hrsnn_rs.description.explicit_connectivity import ExplicitConnectivity
from hrsnn_rs.description.heterogeneity import resolve
from hrsnn_rs.description.parameters import LIF, STDP, AdaptiveThreshold
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.network.network import Network
from hrsnn_rs.network.patches import Plane, cut_patches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hrsnn_rs.arguments import FloatArray
    from hrsnn_rs.events.events import Events

#: Sum of a feature's weights, mV, and the threshold that it is held against.
INCOMING, THRESHOLD = 100.0, 15.0


def default_neuron() -> LIF:
    """Give the neurons of a feature layer: 20 ms to forget, 10 ms to recover."""
    return LIF(tau_m=20.0, t_ref=10.0, v_threshold=THRESHOLD)


def default_plasticity() -> STDP:
    """Give the STDP of a feature layer: potentiation alone, balanced by normalisation."""
    return STDP(a_plus=0.3, a_minus=0.0, tau_plus=15.0, w_min=0.0, w_max=1e3, inputs=True)


def feature_column(layer: Any) -> Network:
    """Make the features of one place, as they are before they learn.

    Parameters
    ----------
    layer : FeatureLayer
        Its parameters. Not changed.

    Returns
    -------
    Network
        A neuron for each feature, an input channel for each pixel and polarity of the field.

    Raises
    ------
    ParameterError
        If the rule or the law of weights is not what a feature layer can have.
    """
    plasticity = default_plasticity() if layer.plasticity is None else layer.plasticity
    if not plasticity.inputs:
        raise ParameterError("plasticity must have inputs=True for a feature layer.")
    n_pixels = layer.polarities * layer.field**2
    rows = np.arange(n_pixels + 1) * layer.n_features
    law = Uniform(0.5, 1.5) if layer.weight is None else layer.weight
    drawn = resolve(law, "weight", rows, layer.seed, purpose="features/weight", at="synapse")
    drawn = drawn.reshape(n_pixels, layer.n_features)
    if (drawn < 0.0).any() or (drawn.sum(axis=0) == 0.0).any():
        raise ParameterError(
            f"weight must be at least 0, and above for some pixel; got {drawn.min():g}."
        )
    return Network(
        n_pixels,
        layer.n_features,
        neuron=default_neuron() if layer.neuron is None else layer.neuron,
        inputs=ExplicitConnectivity(csr_array(drawn * (INCOMING / drawn.sum(axis=0)))),
        plasticity=plasticity,
        inhibitory_fraction=0.0,
        normalize_inputs=True,
        adaptive_threshold=(
            AdaptiveThreshold(theta_plus=0.02, tau_theta=4e4)
            if layer.adaptive_threshold is None
            else layer.adaptive_threshold
        ),
        competition=layer.competition,
        seed=layer.seed,
    )


def learned_weights(
    layer: Any, column: Network, samples: Sequence[Any], plane: Plane
) -> tuple[FloatArray, FloatArray]:
    """Let the features of one place learn what the layer's `filters` says.

    Parameters
    ----------
    layer : FeatureLayer
        Its parameters. Not changed.
    column : Network
        Of `feature_column`. Its weights and thresholds are changed.
    samples : sequence of Events
        What patches are cut from.
    plane : Plane
        Of their channels.

    Returns
    -------
    before, after : float64 ndarray of shape (n_channels, n_features)
        Weights.
    """
    before: FloatArray = column.input_weights.toarray().astype(np.float64)
    if layer.filters == "exemplars":
        return before, _exemplars(layer, samples, plane, column.neuron_parameters["tau_m"])
    if layer.filters == "drawn":
        return before, before
    patches = _patches(layer, samples, plane, layer.n_patches)
    ends = np.linspace(0, len(patches), len(layer.learning_rate) + 1).round().astype(int)
    for rate, first, end in zip(layer.learning_rate, ends[:-1], ends[1:], strict=True):
        column.train(patches[first:end], learning_rate=rate, n_threads=1)
    learned: FloatArray = column.input_weights.toarray().astype(np.float64)
    if layer.filters == "shuffled":
        draw = np.random.Generator(np.random.Philox(key=[layer.seed, 107]))
        learned = draw.permuted(learned, axis=0)
    return before, learned


def _patches(layer: Any, samples: Sequence[Any], plane: Plane, n_patches: int) -> list[Events]:
    return cut_patches(
        samples,
        len(samples),
        plane,
        field=layer.field,
        n_patches=n_patches,
        most_events=layer.most_events,
        seed=layer.seed,
    )


def _exemplars(layer: Any, samples: Sequence[Any], plane: Plane, tau: FloatArray) -> FloatArray:
    """Take single patches for features, as a membrane sees them at the end of the patch."""
    patches = _patches(layer, samples, plane, layer.n_features)
    weights = np.zeros((layer.polarities * layer.field**2, layer.n_features))
    for k in range(layer.n_features):
        patch = patches[k % len(patches)]
        seen = np.exp(-(patch.t[-1] - patch.t) / (1000.0 * tau[k]))
        weights[:, k] = np.bincount(patch.channel, seen, minlength=len(weights))
    return weights
