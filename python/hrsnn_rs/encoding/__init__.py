"""From pixels, frames, time series and tables of numbers to input channels.

Not here: files and folders, or the network that takes the channels. Knows events, recordings and
the event camera.
"""

from hrsnn_rs.encoding.contrast import FrameDifference, TemporalContrast
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.encoding.sensor_encoder import EncodingReport, SensorEncoder
from hrsnn_rs.encoding.tables import TableEncoder
from hrsnn_rs.encoding.time_series import GaussianFields, LevelCrossing
from hrsnn_rs.encoding.tracking import Track, TrackingEncoder, TrackingReport

__all__ = [
    "EncodingReport",
    "EventEncoder",
    "FrameDifference",
    "GaussianFields",
    "LevelCrossing",
    "SensorEncoder",
    "TableEncoder",
    "TemporalContrast",
    "Track",
    "TrackingEncoder",
    "TrackingReport",
]
