"""Looking at the running gateway over HTTP."""

from relay.web.gauges import QueueGauges
from relay.web.website import Website

__all__ = ["QueueGauges", "Website"]
