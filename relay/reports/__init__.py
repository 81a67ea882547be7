"""Reports to senders of what became of the mail that was taken from them (RFC 3461, RFC 3464)."""

from relay.reports.reporter import Reporter
from relay.reports.routing import Routing

__all__ = ["Reporter", "Routing"]
