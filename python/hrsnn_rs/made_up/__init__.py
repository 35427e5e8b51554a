"""Gestures that need no download: how bodies move, what light they give, what an event camera sees.

Not here: folders of recordings (`datasets`), or what becomes of the events (`encoding`). Knows
events, and no network.
"""

from hrsnn_rs.made_up.camera import CameraRecording, CameraReport, EventCamera
from hrsnn_rs.made_up.gestures import CLASSES, render

__all__ = ["CLASSES", "CameraRecording", "CameraReport", "EventCamera", "render"]
