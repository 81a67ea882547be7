"""What the front door hands a finished transaction to."""

from typing import Protocol

from relay.accounts.account import Account
from relay.message import Envelope
from relay.outcome import Reply


class Reception(Protocol):
    """Takes responsibility for a message, or says why not."""

    async def receive(self, account: Account, envelope: Envelope, data: bytes, client: str) -> Reply:
        """Read, check and keep or send one message; the reply names its id. Never raises but when cancelled, has its
        own deadline, and must not be cancelled once begun: callers shield it.
        """
