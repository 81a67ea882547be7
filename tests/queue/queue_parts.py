"""Parts for testing stores: a clock that obeys, and messages made in one line."""

import os
from collections.abc import Awaitable, Callable, Sequence

from relay.message import Envelope, EnvelopeRecipient, Message, MessageId, Recipient, Role, new_message_id
from relay.outcome import Accepted, Deferred, Refused
from relay.queue.contract import Claim, NewMessage, Queue, RecipientEntry, Result, State

NOON = 1_800_000_000.0

#: Opens the store of this test; a second call opens it once more, as another worker of the same gateway would.
MakeQueue = Callable[[], Awaitable[Queue]]

ACCEPTED = Result(0, Accepted("m-1", "b-1"), State.ACCEPTED)
REFUSED = Result(0, Refused("no such user"), State.REFUSED)
DEFERRED = Result(0, Deferred("busy"), State.QUEUED)


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def entry(position: int, address: str, state: State = State.QUEUED, **more) -> RecipientEntry:
    return RecipientEntry(position, Recipient(address, Role.TO), state, **more)


def mail(
    *addresses: str,
    account: str = "acme",
    data: bytes = b"Subject: x\r\n\r\nhello\r\n",
    received_at: float = NOON,
    message_id: str = "",
) -> Message:
    recipients = tuple(EnvelopeRecipient(address) for address in addresses or ("ana@example.org",))
    envelope = Envelope("app@example.com", recipients)
    made = MessageId(message_id) if message_id else new_message_id()
    return Message(made, account, envelope, data, received_at, "192.0.2.1")


def new(
    *addresses: str,
    states: Sequence[State] = (),
    entries_due_at: float | None = None,
    due_at: float = NOON,
    mode: str = "queue",
    leased_by: str = "",
    lease_seconds: float = 0.0,
    expires_in: float = 86400.0,
    **more,
) -> NewMessage:
    message = mail(*addresses, **more)
    given = message.envelope.recipients
    entries = tuple(
        entry(position, recipient.address, states[position] if states else State.QUEUED, due_at=entries_due_at)
        for position, recipient in enumerate(given)
    )
    expires_at = message.received_at + expires_in
    return NewMessage(message, entries, mode, due_at, expires_at, leased_by=leased_by, lease_seconds=lease_seconds)


async def claim_one(queue: Queue, owner: str = "worker", lease_seconds: float = 60.0) -> Claim:
    (claim,) = await queue.claim(owner, 1, lease_seconds)
    return claim


async def states(queue, message_id: MessageId) -> list[State]:
    return [entry.state for entry in await queue.entries(message_id)]


async def dues(queue, message_id: MessageId) -> list[float | None]:
    return [entry.due_at for entry in await queue.entries(message_id)]


def ids(found: Sequence[Claim]) -> list[MessageId]:
    return [claim.message.id for claim in found]


def random_data(size: int) -> bytes:
    return os.urandom(size)
