"""What is taken for sensor events when nothing is given: how they are encoded, and what sees them.

Lives here: which encoder and which feature layer suit what kind of recording. Not here: the
recurrent network's recipe (`network.presets`), and anything that looks at data.
"""

from __future__ import annotations

from typing import Any

from hrsnn_rs.arguments import check_kind, check_truth
from hrsnn_rs.description.parameters import LIF
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
from hrsnn_rs.encoding.tracking import TrackingEncoder
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning.feature_layer import FeatureLayer

__all__ = ["default_encoder", "default_layer"]


def default_encoder(height: int, width: int, *, is_video: bool = False) -> SensorEncoder:
    """Give the encoder that is taken where none is given.

    Parameters
    ----------
    height, width : int
        Rows and columns of the sensor.
    is_video : bool, default=False
        Whether the events are made of the frames of a video. The field then follows who moves,
        as wide as five times the spread of the events, and is mirrored as a whole where the way
        leads to the left. Otherwise it is the whole sensor, as it stands: classes of gestures may
        differ by place and side.

    Returns
    -------
    EventEncoder or TrackingEncoder
        To 32 x 32 pixels and two polarities.

    Raises
    ------
    ParameterError
        If a side is none, or `is_video` neither True nor False.

    Examples
    --------
    >>> from hrsnn_rs.learning import default_encoder
    >>> default_encoder(120, 160, is_video=True).mirror
    True
    """
    if check_truth("is_video", is_video):
        return TrackingEncoder(
            height,
            width,
            smoothing="centred",
            spread_constant=None,
            mirror=True,
            mirror_from="whole",
        )
    return EventEncoder(height, width)


def default_layer(
    encoder: SensorEncoder, *, is_video: bool = False, **settings: Any
) -> FeatureLayer:
    """Give the feature layer that is taken where none is given.

    Parameters
    ----------
    encoder : EventEncoder or TrackingEncoder
        What makes the layer's input; its channels must all have a place.
    is_video : bool, default=False
        Whether the events are made of the frames of a video and follow who moves: 16 features of 5
        x 5 pixels are then as good as 32 of 7 x 7, which events of a camera get.
    **settings
        Other arguments of `FeatureLayer`.

    Returns
    -------
    FeatureLayer
        Not fitted.

    Raises
    ------
    ParameterError
        If the encoder is none of a sensor's, or has channels without a place.

    Examples
    --------
    >>> from hrsnn_rs import EventEncoder
    >>> from hrsnn_rs.learning import default_layer
    >>> default_layer(EventEncoder(128, 128), seed=3).plane
    (32, 32)
    """
    plane = check_kind("encoder", encoder, SensorEncoder).sensor
    if plane is None:
        raise ParameterError(f"encoder must give every channel a place; got {encoder!r}.")
    recipe: dict[str, Any] = {"field": 7}
    if check_truth("is_video", is_video):
        recipe = {"field": 5, "n_features": 16, "n_patches": 1400}
    recipe["neuron"] = LIF(tau_m=60.0, t_ref=10.0, v_threshold=15.0)
    polarities = encoder.n_channels // (plane[0] * plane[1])
    return FeatureLayer(plane, polarities, **(recipe | settings))
