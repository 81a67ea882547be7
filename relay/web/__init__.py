"""Looking at the running gateway over HTTP."""

from relay.web.pages import QueueGauges, Web

__all__ = ["QueueGauges", "Web"]
