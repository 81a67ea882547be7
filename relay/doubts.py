"""Messages whose client may send them again although the API has them, or may have them.

A client comes back after a 451, and also when it lost patience and never heard the answer (RFC 1047). The very same
message, that is the same envelope and the same bytes, is then not sent blindly again: whoever has it is not sent
another copy, whoever may have it waits as long as any unconfirmed recipient, and a second attempt is counted.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from relay.events import Events
from relay.message import Clock
from relay.outcome import Accepted, Deferred, Outcome, Reply
from relay.preparation import Prepared

#: How many are remembered; the oldest go first.
_MOST = 10_000
#: How long an acceptance is remembered that the client may not have heard of, in seconds.
_UNHEARD_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Taken:
    """The reply to a message, and whether the queue holds something of it to work on."""

    reply: Reply
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is remembered of one message."""

    since: float
    taken: Taken | None = None  # the whole of it was taken, and nobody was there to hear so
    accepted: Mapping[str, Accepted] = field(default_factory=dict)  # by mailbox: they have it
    maybe_accepted: frozenset[str] = frozenset()  # mailboxes that may have it


class Doubts:
    """Remembers them, in memory: a restart forgets."""

    def __init__(self, events: Events, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._known: OrderedDict[bytes, Doubt] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Event] = {}

    @asynccontextmanager
    async def alone(self, prepared: Prepared) -> AsyncIterator[None]:
        """Take a message while its client waits; the same one, if it is being taken already, is waited for first."""
        mark = _fingerprint(prepared)
        while (twin := self._under_way.get(mark)) is not None:
            await twin.wait()
        ended = self._under_way[mark] = asyncio.Event()
        try:
            yield
        finally:
            del self._under_way[mark]
            ended.set()

    def taken_unheard(self, prepared: Prepared, *, is_heard: bool) -> Taken | None:
        """Return how this message was taken before, if its client did not hear of it.

        Once it is heard it is forgotten: the same message sent again after that is meant to be sent again.
        """
        mark = _fingerprint(prepared)
        doubt = self._fresh(mark)
        if doubt is None or doubt.taken is None:
            return None
        if is_heard:
            del self._known[mark]
        self._events.message_repeated(prepared.message.id, account=prepared.account.name)
        return doubt.taken

    def recall(self, prepared: Prepared) -> Mapping[str, Accepted]:
        """Return who has this message already, by mailbox."""
        doubt = self._fresh(_fingerprint(prepared))
        return doubt.accepted if doubt else {}

    def hold_back(self, prepared: Prepared) -> bool:
        """Tell whether this message must still wait for proof; a wait that is over is counted, once."""
        mark = _fingerprint(prepared)
        doubt = self._fresh(mark)
        if doubt is None or not doubt.maybe_accepted:
            return False
        policy = prepared.account.policy
        if policy.on_unconfirmed == "hold" or self._clock() < doubt.since + policy.unconfirmed_wait:
            return True
        for recipient in prepared.recipients:
            if recipient.key in doubt.maybe_accepted:
                self._events.retried_unconfirmed(
                    prepared.message.id, provider=prepared.account.provider, recipient=recipient.address
                )
        self._known[mark] = Doubt(doubt.since, None, doubt.accepted)
        return False

    def learn(self, prepared: Prepared, outcomes: Mapping[str, Outcome], taken: Taken, *, is_heard: bool) -> None:
        """Remember what the client does not know when it sends the message again; forget what it has been told."""
        mark = _fingerprint(prepared)
        if taken.reply.is_temporary:
            self._remember(mark, self._of_untold(prepared, outcomes))
        elif taken.reply.is_success and not is_heard:
            self._remember(mark, Doubt(self._clock(), taken))
        else:
            self._known.pop(mark, None)

    def _of_untold(self, prepared: Prepared, outcomes: Mapping[str, Outcome]) -> Doubt | None:
        accepted = {key: said for key, said in outcomes.items() if isinstance(said, Accepted)}
        maybe = {key: said for key, said in outcomes.items() if isinstance(said, Deferred) and said.maybe_accepted}
        for recipient in prepared.recipients:
            if recipient.key in maybe:
                self._events.recipient_unconfirmed(
                    prepared.message.id,
                    provider=prepared.account.provider,
                    recipient=recipient.address,
                    reason=maybe[recipient.key].reason,
                )
        if not accepted and not maybe:
            return None
        return Doubt(self._clock(), None, accepted, frozenset(maybe))

    def _remember(self, mark: bytes, doubt: Doubt | None) -> None:
        if doubt is not None:
            self._known[mark] = doubt
        while len(self._known) > _MOST:
            self._known.popitem(last=False)

    def _fresh(self, mark: bytes) -> Doubt | None:
        doubt = self._known.get(mark)
        if doubt is not None and not doubt.maybe_accepted and self._clock() >= doubt.since + _UNHEARD_SECONDS:
            del self._known[mark]
            return None
        return doubt


def _fingerprint(prepared: Prepared) -> bytes:
    """Recognize a message that the same client sends again."""
    message = prepared.message
    parts = [message.account, message.envelope.mail_from, *sorted(r.key for r in prepared.recipients)]
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=16)
    digest.update(message.data)
    return digest.digest()
