"""What becomes of a message at the end of DATA."""

from collections.abc import Sequence

from prometheus_client import Histogram

from relay.events.telling import SECONDS, Telling
from relay.log import Logger
from relay.mime.content import Note
from relay.outcome import Reply


class AcceptanceEvents(Telling):
    """Told by who takes responsibility."""

    def __init__(self, log: Logger) -> None:
        super().__init__(log)
        self._messages = self._counter("relay_messages_accepted", "Messages answered with 250", "account", "mode")
        self._message_bytes = self._total("relay_message_bytes", "Bytes of messages answered with 250")
        self._refused_messages = self._counter(
            "relay_messages_refused", "Messages refused after DATA, by reply code", "code"
        )
        self._repeated = self._total(
            "relay_messages_repeated", "Messages that came again after their 250 was not heard"
        )
        self._notes = self._counter("relay_fidelity_notes", "Fidelity notes on accepted messages", "code")
        self._accept_seconds = Histogram(
            "relay_accept_seconds",
            "Time from the end of DATA to its reply",
            buckets=SECONDS,
            registry=self.registry,
        )

    def message_accepted(
        self,
        message_id: str,
        *,
        account: str,
        mode: str,
        client: str,
        mail_from: str,
        recipients: int,
        size: int,
        notes: Sequence[Note],
        seconds: float,
        queued: bool,
    ) -> None:
        """A message got its 250. `queued`: something of it is kept for the worker."""
        self._messages(account, mode).inc()
        self._message_bytes.inc(size)
        self._accept_seconds.observe(seconds)
        for note in notes:
            self._notes(note.code).inc()
        self._log.info(
            "message_accepted",
            message_id=message_id,
            account=account,
            mode=mode,
            client=client,
            mail_from=mail_from,
            recipients=recipients,
            size=size,
            queued=queued,
            seconds=round(seconds, 4),
            notes=[f"{note.code}: {note.text}" for note in notes],
        )

    def message_refused(
        self,
        message_id: str,
        *,
        account: str,
        client: str,
        mail_from: str,
        recipients: int,
        size: int,
        reply: Reply,
        reason: str = "",
    ) -> None:
        """A message was refused at the end of DATA; `reason` where the reply does not tell all."""
        self._refused_messages(str(reply.code)).inc()
        self._log.warning(
            "message_refused",
            message_id=message_id,
            account=account,
            client=client,
            mail_from=mail_from,
            recipients=recipients,
            size=size,
            code=reply.code,
            enhanced=reply.enhanced,
            text=reply.text,
            reason=reason,
        )

    def message_repeated(self, message_id: str, *, account: str) -> None:
        """A message came again whose client had not heard that it was taken; it is not sent again."""
        self._repeated.inc()
        self._log.warning("message_repeated", message_id=message_id, account=account)
