"""The layers of an estimator: fitted one upon the other without labels, read out as counts.

Lives here: which layers there are, what each learns from, and which of them are read out. Not here:
how a sample is encoded (`encoded_samples`), and labels, which never come in.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
from hrsnn_rs.encoding.tables import TableEncoder
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.events.store import EventStore
from hrsnn_rs.learning.encoded_samples import EncodedSamples
from hrsnn_rs.learning.estimator_input import fingerprint
from hrsnn_rs.learning.feature_table import FeatureTable
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.recipes import default_layer
from hrsnn_rs.learning.settings import check_settings, warn_of_idle_settings
from hrsnn_rs.network.network import Network
from hrsnn_rs.network.one_sample import check_threads
from hrsnn_rs.network.presets import (
    default_inputs,
    default_network,
    default_neuron,
    default_plasticity,
    default_recurrent,
)
from hrsnn_rs.network.results import RunStats

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from numpy.typing import NDArray

    from hrsnn_rs.description.connectivity import Connectivity
    from hrsnn_rs.description.parameters import LIF, STDP
    from hrsnn_rs.events.events import Events
    from hrsnn_rs.learning.feature_layer import FeatureLayer
    from hrsnn_rs.network.results import Calibration

_N_NEURONS = 1000
_N_NEURONS_TABLE = 100
# Parts whose own parameters can be set one by one, and what they are by default.
_GROUPS: dict[str, Any] = {
    "neuron": default_neuron,
    "plasticity": default_plasticity,
    "inputs": default_inputs,
    "recurrent": default_recurrent,
}


class LayeredFeatures(EncodedSamples):
    """What an estimator's layers do; its parameters are described in `HRSNNClassifier`."""

    readout: Readout | None
    layers: str
    n_neurons: int | None
    neuron: LIF | None
    plasticity: STDP | None
    inputs: Connectivity | None
    recurrent: Connectivity | None
    n_windows: int
    windows: str
    features: str
    epochs: int
    batch: int
    rate: float | None
    n_calibration: int
    seed: int
    n_threads: int | None
    progress: bool
    checkpoint: str | PathLike[str] | None
    checkpoint_every: int | None
    calibration_: Calibration | None
    duration_: int | None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Give the parameters, and with `deep` those of what they are made of.

        Parameters
        ----------
        deep : bool, default=True
            Whether `neuron__tau_m`, `plasticity__a_plus`, `recurrent__weight`,
            `feature_layer__stride` and the like are among them.

        Returns
        -------
        dict
            By name.

        Examples
        --------
        >>> from hrsnn_rs import LIF, HRSNNClassifier
        >>> HRSNNClassifier(neuron=LIF(tau_m=30.0)).get_params()["neuron__tau_m"]
        30.0
        """
        parameters: dict[str, Any] = super().get_params(deep)  # type: ignore[misc]
        for name in _GROUPS if deep else ():
            # A class made of ours may ask for fewer.
            group = parameters.get(name)
            if is_dataclass(group):
                parameters |= {
                    f"{name}__{of.name}": getattr(group, of.name) for of in fields(group)
                }
        return parameters

    def set_params(self, **params: Any) -> Self:
        """Set parameters; `neuron__tau_m`, `readout__alpha` and the like are those of a part.

        A part that is `None` is first made as it is by default.

        Parameters
        ----------
        **params
            Parameters by name.

        Returns
        -------
        HRSNNClassifier or HRSNNTransformer
            Itself.

        Raises
        ------
        ParameterError
            If a parameter of the network or the encoder is asked for: give another one.

        Examples
        --------
        >>> from hrsnn_rs import HRSNNClassifier
        >>> HRSNNClassifier().set_params(readout__alpha=10.0).readout
        Readout(alpha=10.0)
        >>> HRSNNClassifier().set_params(neuron__tau_m=30.0).neuron.tau_m
        30.0
        """
        own = self.get_params(deep=False)
        parts: dict[str, dict[str, Any]] = {}
        for name in list(params):
            owner, nested, of = name.partition("__")
            if nested and owner in ("network", "encoder"):
                raise ParameterError(f"{name} cannot be set; give another {owner} instead.")
            if nested and owner in _GROUPS and owner in own:
                parts.setdefault(owner, {})[of] = params.pop(name)
            elif nested and owner == "readout" and params.get(owner, self.readout) is None:
                params[owner] = Readout()
        super().set_params(**params)  # type: ignore[misc]
        for owner, values in parts.items():
            group = getattr(self, owner)
            group = _GROUPS[owner]() if group is None else group
            known = [of.name for of in fields(group)]
            for of in values:
                if of not in known:
                    words = ", ".join(known)
                    raise ParameterError(f"{owner}__{of} cannot be set; it has {words}.")
            setattr(self, owner, replace(group, **values))
        return self

    def window_features(self, samples: Any) -> NDArray[Any]:
        """Give the counts that are read out.

        Parameters
        ----------
        samples : iterable, or table of shape (n_samples, n_columns)
            As for `fit`. Not changed; an iterator is streamed.

        Returns
        -------
        ndarray of shape (n_samples, n_windows, n_units)
            Counts of spikes: of pools and features, or of neurons, or of the first and then the
            second (twice as wide for `features="both"`).

        Raises
        ------
        ParameterError, ShapeError
            If a sample has a value or a number of channels that is not allowed.
        """
        return self.window_features_with_stats(samples)[0]

    def window_features_with_stats(self, samples: Any) -> tuple[NDArray[Any], list[RunStats]]:
        """Give the counts that are read out, and what each sample took in all layers.

        Parameters
        ----------
        samples : iterable, or table of shape (n_samples, n_columns)
            As for `fit`. Not changed; an iterator is streamed.

        Returns
        -------
        features : ndarray of shape (n_samples, n_windows, n_units)
        stats : list of RunStats
        """
        check_is_fitted(self)
        table, stats = self._counted(self._encoded(samples))
        return np.asarray(table), stats

    @property
    def layers_(self) -> str:
        """Which layers there are: "features", "recurrent", "stacked" or "both"."""
        check_is_fitted(self)
        return self._layers

    @property
    def n_units(self) -> int:
        """Numbers that are read out of a window: of pools and features, or of neurons, or both."""
        layer, kind = self.layer_, self.layers_
        width = 0 if kind == "features" else self.network_.n_neurons
        if layer is not None and kind != "stacked":
            width += layer.n_features_out_ // layer.n_windows
        return width * (2 if self.features == "both" else 1)

    def _unit_names(self) -> list[str]:
        parts = []
        if self.layer_ is not None and self.layers_ != "stacked":
            parts.append(self.layer_.unit_names())
        if self.layers_ != "features":
            parts.append([f"neuron{n}" for n in range(self.network_.n_neurons)])
        endings = ("_counts", "_lowpass") if self.features == "both" else ("",)
        return [name + end for part in parts for end in endings for name in part]

    def _check_layers(self) -> None:
        """Refuse what would be found out late, or not at all."""
        check_settings(self)
        for name in ("n_neurons", *_GROUPS):
            if self.network is not None and getattr(self, name) is not None:
                raise ParameterError(f"{name} must be None where network is given.")
        for name, layers in (("network", "features"), ("feature_layer", "recurrent")):
            if self.layers == layers and getattr(self, name) is not None:
                raise ParameterError(f"{name} must be None where layers is {layers!r}.")

    def _chosen_layers(self) -> str:
        """Say which layers there are, now that the encoder is known."""
        if self.layers != "auto":
            return self.layers
        if self.feature_layer is not None:
            return "features" if self.network is None else "both"
        code = self.encoder_
        has_plane = isinstance(code, SensorEncoder) and code.sensor is not None
        return "features" if self.network is None and has_plane else "recurrent"

    def _learn(self, events: EventStore) -> None:
        """Fit all layers to encoded samples."""
        self._layers = self._chosen_layers()
        # Who does the work knows what is allowed, and says so of no samples too.
        _windowed(Network(1, 1), [], self)
        self.layer_ = None
        if self._layers != "recurrent":
            self.layer_ = self._new_layer()
            if self._layers == "features":
                warn_of_idle_settings(self)
                if self.checkpoint is not None:
                    raise ParameterError(
                        "checkpoint must be None where features alone learn, in seconds; got "
                        f"{self.checkpoint!r}."
                    )
                self.layer_.fit(events)
                self.network_ = self.layer_.network_
                self.calibration_ = self.layer_.calibration_
                return
        self._learn_recurrence(events)

    def _learn_recurrence(self, events: EventStore) -> None:
        """Fit the recurrent network, on top of the features if there are any."""
        n_inputs = events[0].n_channels if self.layer_ is None else self.layer_.n_map_channels
        network = self.network_ = self._network_for(n_inputs)
        if self.rate is not None and not (network.input_weights.data > 0.0).any():
            name = "inputs" if self.network is None else "network"
            raise ParameterError(
                f"{name} must have a positive weight from some input where rate is {self.rate:g} "
                f"Hz; got {getattr(self, name)!r}."
            )
        if self.epochs:
            network.train([], epochs=self.epochs, batch=self.batch)
        if self.layer_ is not None:
            events = EventStore(self.layer_.fit(events).feature_maps(events))
        self.calibration_ = None
        if self.rate is not None:
            self.calibration_ = network.calibrate(
                events, rate=self.rate, n_samples=self.n_calibration, n_threads=self.n_threads
            )
        if self.epochs:
            network.train(
                events,
                epochs=self.epochs,
                batch=self.batch,
                progress=self.progress,
                n_threads=self.n_threads,
                checkpoint=self.checkpoint,
                checkpoint_every=self.checkpoint_every,
            )

    def _new_layer(self) -> FeatureLayer:
        """Copy the given feature layer, or make the default one for such samples."""
        if self.feature_layer is not None:
            layer: FeatureLayer = clone(self.feature_layer)
        elif isinstance(self.encoder_, SensorEncoder):
            layer = default_layer(self.encoder_, is_video=self._is_video, seed=self.seed)
        else:
            raise ParameterError(
                f"feature_layer must be given where layers is {self.layers!r} and samples are not "
                "events of a sensor."
            )
        if not self.epochs and layer.filters == "learned":
            layer.set_params(filters="drawn")
        layer.set_params(n_threads=self.n_threads)
        return layer

    def _network_for(self, n_inputs: int) -> Network:
        """Copy the given network, or make the default one for such samples."""
        if self.network is not None:
            return self.network.copy()
        code = self.encoder_
        sensor = code.sensor if isinstance(code, SensorEncoder) else None
        if self.layer_ is not None:
            sensor = self.layer_.maps
        usual = _N_NEURONS_TABLE if isinstance(code, TableEncoder) else _N_NEURONS
        n_neurons = usual if self.n_neurons is None else self.n_neurons
        return default_network(
            n_inputs,
            sensor=sensor,
            n_neurons=n_neurons,
            neuron=self.neuron,
            plasticity=self.plasticity,
            inputs=self.inputs,
            recurrent=self.recurrent,
            seed=self.seed,
        )

    def _remember(self, events: Iterable[Events]) -> None:
        known = [(fingerprint(sample), sample.duration) for sample in events]
        self._seen = frozenset(one for one, _ in known)
        self.duration_ = int(np.median([duration for _, duration in known]))

    def _counted(self, events: Iterable[Events]) -> tuple[FeatureTable, list[RunStats]]:
        """Run encoded samples through all layers, a few at a time."""
        if self.layer_ is not None:
            self.layer_.n_threads = check_threads(self.n_threads)
        return FeatureTable.of_chunks(self._of_chunk, events)

    def _of_chunk(self, chunk: list[Events]) -> tuple[NDArray[Any], list[RunStats]]:
        layer = self.layer_
        if layer is None:
            return _windowed(self.network_, chunk, self)
        if self._layers == "features":
            return self._of_layer(layer, chunk)
        runs = list(layer.runs(chunk))
        counts, took = _windowed(self.network_, [maps for maps, _ in runs], self)
        if self._layers == "both":
            counts = np.concatenate([self._of_layer(layer, chunk)[0], counts], axis=2)
        return counts, [_both(below, above) for (_, below), above in zip(runs, took, strict=True)]

    def _of_layer(
        self, layer: FeatureLayer, chunk: list[Events]
    ) -> tuple[NDArray[Any], list[RunStats]]:
        return layer.window_features(
            chunk, self.n_windows, windows=self.windows, features=self.features
        )


def _both(below: RunStats, above: RunStats) -> RunStats:
    """Add up what a sample took in two layers."""
    return replace(RunStats.total([below, above]), duration=below.duration)


def _windowed(
    network: Network, events: Iterable[Events], settings: LayeredFeatures
) -> tuple[NDArray[Any], list[RunStats]]:
    return network.transform(
        events,
        settings.n_windows,
        windows=settings.windows,
        features=settings.features,
        n_threads=settings.n_threads,
        return_stats=True,
    )
