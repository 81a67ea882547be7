"""The closed list of what is logged and counted: one method for each event.

Nobody else logs or counts. No method takes a body, a subject, a password or a key, so none can be told.
"""

from relay.events.acceptance import AcceptanceEvents
from relay.events.delivery import DeliveryEvents
from relay.events.door import DoorEvents
from relay.events.program import ProgramEvents
from relay.events.reports import ReportEvents
from relay.events.store import StoreEvents
from relay.events.web import WebEvents


class Events(ProgramEvents, DoorEvents, AcceptanceEvents, DeliveryEvents, ReportEvents, StoreEvents, WebEvents):
    """What happens, told to the log and to the metrics."""
