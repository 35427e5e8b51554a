"""What goes into a network: tables of events that were checked, sorted and frozen once.

Not here: who makes events (`made_up`, `recordings`), or what becomes of pixels (`encoding`).
Knows errors and checks of arguments, nothing else.
"""

from hrsnn_rs.events.current import InjectedCurrent
from hrsnn_rs.events.drive import PoissonDrive
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.forms import as_events
from hrsnn_rs.events.sensor import SensorEvents

__all__ = ["Events", "InjectedCurrent", "PoissonDrive", "SensorEvents", "as_events"]
