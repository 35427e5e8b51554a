"""One recording in one file: event files, videos, and the cache of what they became.

Not here: folders of many recordings (`datasets`), and channels (`encoding`). Knows events and the
event camera, and no network.
"""

from hrsnn_rs.recordings.aedat import AedatSummary, iterate_aedat, read_aedat, summarize_aedat
from hrsnn_rs.recordings.cache import EventCache
from hrsnn_rs.recordings.event_files import read_events
from hrsnn_rs.recordings.video import Video

__all__ = [
    "AedatSummary",
    "EventCache",
    "Video",
    "iterate_aedat",
    "read_aedat",
    "read_events",
    "summarize_aedat",
]
