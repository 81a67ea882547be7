"""Messages whose client may send them again although the API has them, or may have them.

A client comes back after a 451, and also when it lost patience and never heard the answer (RFC 1047), at this process
or at another one. The very same message, that is the same envelope and the same bytes, is then not sent blindly again:
whoever has it is not sent another copy, whoever may have it waits as long as any unconfirmed recipient, and a second
attempt is counted.

All of it is in the store. That a message is being taken is written before the first call goes out, so a process that
dies before it can answer leaves behind that the API may have it. Where the store cannot write, nothing is sent while
the client waits.
"""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from relay.errors import BeingTaken, QueueError
from relay.events import Events
from relay.message import Clock
from relay.outcome import Accepted, Deferred, Outcome, Reply
from relay.preparation import Prepared
from relay.queue.contract import Doubt, Queue

#: How long an acceptance is remembered that the client may not have heard of, in seconds.
UNHEARD_SECONDS = 86400.0
#: How long it is remembered that the API may have a message: clients try for 4 to 5 days (RFC 5321 section 4.5.4.1).
_MAYBE_SECONDS = 7 * 86400.0
#: How long to wait before looking again whether the same message is still being taken, in seconds.
_FIRST_NAP, _LONGEST_NAP = 0.02, 1.0


@dataclass(frozen=True, slots=True)
class Taken:
    """The reply to a message, and whether the queue holds something of it to work on."""

    reply: Reply
    queued: bool = False


class Doubts:
    """Remembers them, for all processes that share the store."""

    def __init__(self, queue: Queue, owner: str, lease_seconds: float, events: Events, clock: Clock) -> None:
        self._queue = queue
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._events = events
        self._clock = clock

    @asynccontextmanager
    async def taking(self, prepared: Prepared) -> AsyncIterator["Taking"]:
        """Take a message while its client waits; the same one, if anybody is taking it already, is waited for first.

        Raises QueueError when the store does not answer: then it must not be sent.
        """
        mark, token = fingerprint(prepared), secrets.token_bytes(8)
        begun = _begun(prepared, self._clock())
        # In direct mode calls go out for so long, and the last of them takes its own time.
        lease_seconds = prepared.account.policy.answer_within + self._lease_seconds
        known = await self._open(mark, begun, token, lease_seconds)
        taking = Taking(self._queue, prepared, mark, token, known, lease_seconds, self._events, self._clock)
        try:
            yield taking
        finally:
            await taking.close()

    async def _open(self, mark: bytes, begun: Doubt, token: bytes, lease_seconds: float) -> Doubt | None:
        nap = _FIRST_NAP
        while True:
            try:
                return await self._queue.open_doubt(
                    mark, begun, owner=self._owner, token=token, lease_seconds=lease_seconds
                )
            except BeingTaken:
                await asyncio.sleep(nap)
                nap = min(2 * nap, _LONGEST_NAP)


class Taking:
    """One message in hand: what was known of it, and what is remembered when it is let go."""

    def __init__(
        self,
        queue: Queue,
        prepared: Prepared,
        mark: bytes,
        token: bytes,
        known: Doubt | None,
        lease_seconds: float,
        events: Events,
        clock: Clock,
    ) -> None:
        self.known = known  # None: the message has not been seen, or nothing of it is in doubt
        self._queue = queue
        self._prepared = prepared
        self._mark = mark
        self._token = token
        self._lease_seconds = lease_seconds
        self._events = events
        self._clock = clock
        self._remembered = known  # when it is let go

    def taken_unheard(self, *, is_heard: bool) -> Taken | None:
        """Return how this message was taken before, if its client did not hear of it.

        Once it is heard it is forgotten: the same message sent again after that is meant to be sent again.
        """
        if self.known is None or self.known.reply is None:
            return None
        if is_heard:
            self._remembered = None
        self._events.message_repeated(self._prepared.message.id, account=self._prepared.account.name)
        return Taken(self.known.reply, self.known.is_queued)

    def must_wait(self) -> bool:
        """Tell whether this message must still wait for proof that the API has it or has it not."""
        if self.known is None or not self.known.maybe_accepted:
            return False
        policy = self._prepared.account.policy
        return policy.on_unconfirmed == "hold" or self._clock() < self.known.since + policy.unconfirmed_wait

    async def begin(self) -> Mapping[str, Accepted]:
        """Say that the calls go out now. Returns who has the message already, by mailbox.

        Raises QueueError: then no call may be made.
        """
        accepted = self.known.accepted if self.known else {}
        begun = _begun(self._prepared, self._clock(), accepted)
        if self.known is not None:  # otherwise that was written when it was taken in hand
            await self._leave_trace(self.known)
            await self._queue.write_doubt(self._mark, self._token, begun, lease_seconds=self._lease_seconds)
            self._count_retried(self.known)
        self._remembered = begun
        return accepted

    def learn(self, outcomes: Mapping[str, Outcome], taken: Taken, *, is_heard: bool) -> None:
        """Remember what the client does not know when it sends the message again; forget what it has been told."""
        if taken.reply.is_temporary:
            self._remembered = self._untold(outcomes)
        elif taken.reply.is_success and not is_heard:
            now = self._clock()
            account = self._prepared.message.account
            self._remembered = Doubt(
                now, now + UNHEARD_SECONDS, reply=taken.reply, is_queued=taken.queued, account=account
            )
        else:
            self._remembered = None

    async def close(self) -> None:
        """Let the message go. What cannot be written leaves it as begun, so that it is not sent blindly again."""
        try:
            await self._queue.write_doubt(self._mark, self._token, self._remembered)
        except QueueError as error:
            self._events.store_failed("doubt", str(error))

    async def _leave_trace(self, known: Doubt) -> None:
        """Keep it known that somebody may have been sent to before, whatever comes of the second attempt.

        What the API tells of the first would otherwise be taken for proof of another message.
        """
        if not known.maybe_accepted:
            return
        trace = hashlib.blake2b(self._mark + str(known.since).encode(), digest_size=16).digest()
        await self._queue.open_doubt(trace, known, owner="", token=self._token, lease_seconds=0.0)
        await self._queue.write_doubt(trace, self._token, known)

    def _count_retried(self, known: Doubt) -> None:
        for recipient in self._prepared.recipients:
            if recipient.key in known.maybe_accepted:
                self._events.retried_unconfirmed(
                    self._prepared.message.id,
                    provider=self._prepared.account.provider,
                    recipient=recipient.address,
                )

    def _untold(self, outcomes: Mapping[str, Outcome]) -> Doubt | None:
        accepted = {key: said for key, said in outcomes.items() if isinstance(said, Accepted)}
        maybe = {key: said for key, said in outcomes.items() if isinstance(said, Deferred) and said.maybe_accepted}
        for recipient in self._prepared.recipients:
            if recipient.key in maybe:
                self._events.recipient_unconfirmed(
                    self._prepared.message.id,
                    provider=self._prepared.account.provider,
                    recipient=recipient.address,
                    reason=maybe[recipient.key].reason,
                )
        if not accepted and not maybe:
            return None
        now = self._clock()
        seconds = _MAYBE_SECONDS if maybe else UNHEARD_SECONDS
        return Doubt(now, now + seconds, accepted=accepted, maybe_accepted=frozenset(maybe))


def _begun(prepared: Prepared, now: float, accepted: Mapping[str, Accepted] | None = None) -> Doubt:
    accepted = accepted or {}
    called = frozenset(recipient.key for recipient in prepared.recipients if recipient.key not in accepted)
    return Doubt(now, now + _MAYBE_SECONDS, accepted=accepted, maybe_accepted=called)


def fingerprint(prepared: Prepared) -> bytes:
    """Recognize a message that the same client sends again."""
    message = prepared.message
    parts = [message.account, message.envelope.mail_from, *sorted(r.key for r in prepared.recipients)]
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=16)
    digest.update(message.data)
    return digest.digest()
