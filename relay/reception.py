"""What happens between the final dot and the reply: read, check, and take responsibility in the account's mode."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from relay.accounts.account import Account, Gatekeeper
from relay.config.settings import MimeSettings
from relay.doubts import Taken
from relay.errors import MailRefused
from relay.events import Events
from relay.intake import Intake
from relay.message import Clock, Envelope, Message, new_message_id
from relay.mime.content import Note
from relay.outcome import Replies, Reply
from relay.preparation import Preparation, Prepared, refuse_unsendable
from relay.providers.notes import merged
from relay.vacancy import Vacancy


class Reception:
    """Receives finished transactions from the front door."""

    def __init__(
        self,
        preparation: Preparation,
        gatekeeper: Gatekeeper,
        intakes: Mapping[str, Intake],
        bounds: MimeSettings,
        vacancy: Vacancy,
        events: Events,
        clock: Clock,
    ) -> None:
        self._preparation = preparation
        self._gatekeeper = gatekeeper
        self._intakes = intakes
        self._bounds = bounds
        self._vacancy = vacancy
        self._events = events
        self._clock = clock

    def refuse_size(self, account: Account, size: int) -> Reply | None:
        """Say why a message of so many bytes cannot be taken now, before it comes; 0: it is not known how many.

        Where the API is asked while the client waits, mail that it takes needs no room.
        """
        return Replies.STORE_FULL if account.policy.mode == "queue" and not self._vacancy.holds(size) else None

    async def receive(
        self,
        account: Account,
        envelope: Envelope,
        data: bytes,
        client: str,
        is_waiting: Callable[[], bool],
        notes: tuple[Note, ...] = (),
    ) -> Reply:
        """Read, check and keep or send one message; the reply names its id. `notes`: on what the door has changed."""
        started = time.monotonic()
        message = Message(
            new_message_id(self._clock), account.name, envelope, data, received_at=self._clock(), client=client
        )
        try:
            prepared = await self._preparation.prepare(message, account)
            if notes:
                prepared = replace(prepared, notes=merged(notes, prepared.notes))
            await self._check(prepared)
        except MailRefused as refusal:
            return self._refused(message, refusal.reply)
        except Exception as error:  # noqa: BLE001 - a bug in reading must not lose the client's mail: it keeps it
            self._events.unexpected("reception", error, message_id=message.id)
            return self._refused(message, Replies.OUR_FAULT)
        taken = await self._intakes[account.policy.mode].accept(prepared, is_waiting)
        if not taken.reply.is_success:
            return self._refused(message, taken.reply)
        return self._accepted(prepared, taken, time.monotonic() - started)

    async def _check(self, prepared: Prepared) -> None:
        refuse_unsendable(prepared, self._gatekeeper.refuse_sender, self._bounds)
        over_limit = await self._gatekeeper.refuse_volume(prepared.account, len(prepared.recipients))
        if over_limit is not None:
            raise MailRefused(over_limit)

    def _accepted(self, prepared: Prepared, taken: Taken, seconds: float) -> Reply:
        message = prepared.message
        self._events.message_accepted(
            message.id,
            account=message.account,
            mode=prepared.account.policy.mode,
            client=message.client,
            mail_from=message.envelope.mail_from,
            recipients=len(prepared.recipients),
            size=len(message.data),
            notes=prepared.notes,
            seconds=seconds,
            queued=taken.queued,
        )
        return taken.reply.saying(f"{taken.reply.text} as {message.id}")

    def _refused(self, message: Message, reply: Reply) -> Reply:
        self._events.message_refused(
            message.id,
            account=message.account,
            client=message.client,
            mail_from=message.envelope.mail_from,
            recipients=len(message.envelope.recipients),
            size=len(message.data),
            reply=reply,
        )
        return reply.saying(f"{reply.text} ({message.id})")
