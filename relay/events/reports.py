"""What senders were told of mail that was taken from them."""

from relay.events.telling import Telling
from relay.log import Logger


class ReportEvents(Telling):
    """Told by who reports."""

    def __init__(self, log: Logger) -> None:
        super().__init__(log)
        self._made = self._counter("relay_reports_made", "Reports to senders that were made", "kind")
        self._ended = self._counter(
            "relay_reports", "Attempts at reports to senders, by return route and how they ended", "route", "outcome"
        )

    def report_made(self, message_id: str, *, report_id: str, kind: str, recipients: int) -> None:
        """A sender is to be told of so many recipients; `kind`: the worst of it."""
        self._made(kind).inc()
        self._log.info("report_made", message_id=message_id, report_id=report_id, kind=kind, recipients=recipients)

    def report_omitted(self, message_id: str, *, reason: str) -> None:
        """A sender is not told, although there would be something to tell."""
        self._log.info("report_omitted", message_id=message_id, reason=reason)

    def report_sent(self, message_id: str, *, report_id: str, route: str) -> None:
        """A report is out of our hands."""
        self._ended(route, "sent").inc()
        self._log.info("report_sent", message_id=message_id, report_id=report_id, route=route)

    def report_deferred(self, message_id: str, *, report_id: str, route: str, reason: str, seconds: float) -> None:
        """A return route did not take a report; it is tried again in so long."""
        self._ended(route, "deferred").inc()
        self._log.warning(
            "report_deferred",
            message_id=message_id,
            report_id=report_id,
            route=route,
            reason=reason,
            seconds=round(seconds),
        )

    def report_given_up(self, message_id: str, *, report_id: str, route: str, reason: str) -> None:
        """A sender will not be told: the return route refused the report, or did not take it in time."""
        self._ended(route, "given_up").inc()
        self._log.error("report_given_up", message_id=message_id, report_id=report_id, route=route, reason=reason)
