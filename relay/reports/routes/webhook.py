"""Reports to a program, by HTTP POST, signed as Standard Webhooks says (https://www.standardwebhooks.com)."""

import base64
import ssl
from datetime import UTC, datetime

import orjson
from standardwebhooks import Webhook

from relay.errors import ProviderError
from relay.message import Clock
from relay.providers import HttpClient
from relay.queue.reporting import Report
from relay.reports.contract import RouteTrouble
from relay.reports.fields import read_status

_TIMEOUT_SECONDS = 30.0
_GONE = 410  # Standard Webhooks: the receiver wants no more


class WebhookRoute:
    """Posts each report as one event; its id is the report's, so that a receiver knows one that comes again."""

    def __init__(self, http: HttpClient, url: str, secret: str, trusted: ssl.SSLContext | None, clock: Clock) -> None:
        self._http = http
        self._url = url
        self._webhook = Webhook(secret)
        self._trusted = trusted
        self._clock = clock

    async def send(self, report: Report) -> None:
        """Post the report; any 2xx is taken for its receipt."""
        body = orjson.dumps(event(report))
        now = datetime.fromtimestamp(self._clock(), UTC)
        headers = {
            "webhook-id": report.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(report.id, now, body.decode()),
        }
        try:
            answer = await self._http.post(
                self._url, headers=headers, pieces=[body], timeout_seconds=_TIMEOUT_SECONDS, trusted=self._trusted
            )
        except ProviderError as error:
            raise RouteTrouble(f"webhook: {error.reason}") from error
        if answer.status // 100 != 2:  # noqa: PLR2004 - the class
            raise RouteTrouble(f"webhook: it answered {answer.status}", is_permanent=answer.status == _GONE)


def event(report: Report) -> dict[str, object]:
    """Write a report as an event: what happened, to whom, and the report itself as base64."""
    recipients = [group for group in read_status(report.data) if "action" in group]
    actions = {fields["action"] for fields in recipients}
    worst = next(action for action in ("failed", "delayed", "relayed") if action in actions)
    return {
        "type": f"report.{worst}",
        "timestamp": datetime.fromtimestamp(report.made_at, UTC).isoformat(),
        "data": {
            "report_id": report.id,
            "message_id": report.message_id,
            "account": report.account,
            "sender": report.sender,
            "recipients": recipients,
            "report": base64.b64encode(report.data).decode(),
        },
    }
