"""What of a feature layer is kept in a file, and made again of it.

Lives here: parameters as JSON holds them, arrays by name, and the pools that follow from both. Not
here: the container (`network.model_file`), and how fields are learned (`feature_layer`).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from hrsnn_rs.description.competition import Competition
from hrsnn_rs.description.law import Distribution
from hrsnn_rs.description.parameters import LIF, STDP, AdaptiveThreshold
from hrsnn_rs.errors import FormatError, ShapeError
from hrsnn_rs.learning.fitted_as import check_as_fitted, remember_fit
from hrsnn_rs.network.network import Network
from hrsnn_rs.network.patches import Plane
from hrsnn_rs.network.results import Calibration
from hrsnn_rs.network.tiling import Tiling

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from hrsnn_rs.arguments import FloatArray

_GROUPS: dict[str, Any] = {
    "neuron": LIF,
    "plasticity": STDP,
    "adaptive_threshold": AdaptiveThreshold,
    "weight": Distribution,
}


#: Parameters of the features' neurons that every copy of them has.
TILED = ("tau_m", "t_ref", "v_rest", "v_reset", "v_threshold", "bias")
#: Parameters that the tiled network and its pools depend on.
_SHAPING = ("plane", "polarities", "field", "stride", "n_features", "n_banks", "pool", "inhibition")


class KeptLayer(BaseEstimator):  # type: ignore[misc]
    """A layer as a file has it; see `FeatureLayer`."""

    plane: tuple[int, int]
    polarities: int
    field: int
    stride: int
    pool: int
    n_features: int
    n_banks: int
    inhibition: float
    n_windows: int
    network_: Network
    calibration_: Calibration
    fields_: FloatArray
    fields_before_: FloatArray
    bank_gains_: FloatArray

    @property
    def n_channels(self) -> int:
        """Input channels: those of the plane."""
        return Plane(*self.plane, self.polarities).n_channels

    @property
    def competition(self) -> Competition:
        """Which features of a place compete: those of a bank."""
        return Competition(self.n_features // self.n_banks, inhibition=self.inhibition)

    @property
    def maps(self) -> tuple[int, int]:
        """Rows and columns of a feature's map: the places at which it stands."""
        tiling = self._tiling()
        return tiling.n_rows, tiling.n_columns

    @property
    def n_features_out_(self) -> int:
        """Numbers that a sample becomes: windows times pools times features."""
        check_as_fitted(self)
        return self.n_windows * (int(self._pools.max()) + 1)

    @property
    def n_map_channels(self) -> int:
        """Channels of all feature maps."""
        rows, columns = self.maps
        return self.n_features * rows * columns

    def unit_names(self) -> list[str]:
        """Name what a window becomes: row and column of the pool, feature."""
        rows, columns = (-(-n // self.pool) for n in self.maps)
        return [
            f"row{u}_column{v}_feature{k}"
            for u in range(rows)
            for v in range(columns)
            for k in range(self.n_features)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as JSON can hold them; `from_dict` takes them.

        Returns
        -------
        dict
            By name.
        """
        content = {}
        for name, value in self.get_params(deep=False).items():
            if hasattr(value, "to_dict"):
                value = value.to_dict()
            elif isinstance(value, np.ndarray | tuple):
                value = np.asarray(value).tolist()
            content[name] = value
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Make a layer of the parameters that `to_dict` returned.

        Parameters
        ----------
        content : mapping
            By name.

        Returns
        -------
        FeatureLayer
            Not fitted.
        """
        words = dict(content)
        for name, kind in _GROUPS.items():
            if isinstance(words.get(name), dict):
                words[name] = kind.from_dict(words[name])
        for name in ("plane", "learning_rate"):
            words[name] = tuple(words[name])
        return cls(**words)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fitted layer to a safetensors file, which `Network.load` reads too.

        Parameters
        ----------
        path : str or path
            A file that stands there is replaced.

        Raises
        ------
        ParameterError
            If a parameter has been set to nonsense since the fit, or one that the fitted layer
            depends on to anything else.
        OSError
            If the system refuses.
        """
        self.network_.save(path, extra=self.to_arrays(), metadata=self.to_metadata())

    def to_arrays(self) -> dict[str, FloatArray]:
        """Return what a file holds of the layer: its network can be made of it again."""
        check_as_fitted(self)
        parameters = self.network_.neuron_parameters
        neurons = {
            f"layer.{name}": parameters[name][: self.n_features].astype(np.float64)
            for name in TILED
        }
        return {
            "layer.fields": self.fields_,
            "layer.fields_before": self.fields_before_,
            "layer.bank_gains": self.bank_gains_,
            **neurons,
        }

    def to_metadata(self) -> dict[str, Any]:
        """Return what a file says of the layer beside its arrays.

        Raises
        ------
        ParameterError, ShapeError
            If a parameter has been set to nonsense since the fit.
        """
        self.check_parameters()
        return {"layer": self.to_dict(), "calibration": asdict(self.calibration_)}

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a layer; it goes on with the same bits as the one that was saved.

        Parameters
        ----------
        path : str or path
            Written by `save`.

        Returns
        -------
        FeatureLayer
            Fitted.

        Raises
        ------
        FormatError
            If the file is damaged, or something else.
        OSError
            If it cannot be read.
        """
        network, arrays, metadata = Network.load_with_extra(path)
        try:
            return cls.of_parts(network, arrays, metadata)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise FormatError(f"{path} is no feature layer: {error}") from None

    @classmethod
    def of_parts(
        cls, network: Network | None, arrays: Mapping[str, Any], metadata: Mapping[str, Any]
    ) -> Self:
        """Make a fitted layer of `to_arrays` and `to_metadata`, and of its network if it is there.

        Parameters
        ----------
        network : Network or None
            `None`: the fields are tiled again, with the same bits.
        arrays, metadata : mapping
            By name.

        Returns
        -------
        FeatureLayer
            Fitted.
        """
        layer = cls.from_dict(metadata["layer"])
        layer.fields_ = arrays["layer.fields"]
        layer.fields_before_ = arrays["layer.fields_before"]
        # Files written before there were banks have one.
        layer.bank_gains_ = arrays.get("layer.bank_gains", np.ones(1))
        if layer.bank_gains_.shape != (layer.n_banks,):
            raise ShapeError(
                f"layer.bank_gains must have shape ({layer.n_banks},); got "
                f"{layer.bank_gains_.shape}."
            )
        layer.calibration_ = Calibration(**metadata["calibration"])
        if network is None:
            network = layer._tiled({name: arrays[f"layer.{name}"] for name in TILED})
            network.input_gain = layer.calibration_.gain
        layer.network_ = network
        layer._number_pools()
        return layer

    def check_parameters(self) -> Plane:
        """Check the settings, each by itself."""
        raise NotImplementedError

    def _tiled(self, neurons: Mapping[str, FloatArray]) -> Network:
        """Copy the fields to all places of the plane."""
        raise NotImplementedError

    def _tiling(self) -> Tiling:
        return Tiling(Plane(*self.plane, self.polarities), self.field, self.stride)

    def _number_pools(self) -> None:
        self._pools = self._tiling().pools(self.n_features, self.pool)
        if self._pools.size != self.network_.n_neurons:
            raise ShapeError(
                f"network must have {self._pools.size} neurons; got {self.network_.n_neurons}."
            )
        remember_fit(self, _SHAPING)
