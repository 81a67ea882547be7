"""What the front door hands a finished transaction to."""

from collections.abc import Callable
from typing import Protocol

from relay.accounts.account import Account
from relay.message import Envelope
from relay.mime.content import Note
from relay.outcome import Reply


class Reception(Protocol):
    """Takes responsibility for a message, or says why not."""

    def refuse_size(self, account: Account, size: int) -> Reply | None:
        """Say why a message of so many bytes cannot be taken now, before it comes; 0: it is not known how many."""

    async def receive(
        self,
        account: Account,
        envelope: Envelope,
        data: bytes,
        client: str,
        is_waiting: Callable[[], bool],
        notes: tuple[Note, ...] = (),
    ) -> Reply:
        """Read, check and keep or send one message; the reply names its id. Never raises but when cancelled, has its
        own deadline, and must not be cancelled once begun: callers shield it.

        `is_waiting` tells, at any time, whether the client is still there to hear the reply; `notes`, what the door
        has changed.
        """
