"""Pass-through credentials in the store: sealed on the way in, opened on the way out."""

import json

from pydantic import SecretStr

from relay.queue.contract import Queue
from relay.seal import Sealer


class Vault:
    """Keeps the secret of a pass-through account for mail that is delivered after its client has gone."""

    def __init__(self, queue: Queue, sealer: Sealer) -> None:
        self._queue = queue
        self._sealer = sealer

    async def load(self, account: str) -> SecretStr | None:
        """Return an account's secret; None: there is none, or it was sealed with another key. Raises QueueError."""
        sealed = await self._queue.load_credential(account)
        opened = self._sealer.open(sealed) if sealed is not None else None
        if opened is None:
            return None
        kept = json.loads(opened)
        # The account's name is sealed in, so that a row moved to another account opens nothing.
        return SecretStr(kept["secret"]) if kept["account"] == account else None

    async def save(self, account: str, secret: SecretStr) -> None:
        """Keep an account's secret, synced when it returns; does not write what is there already. Raises QueueError.

        A new secret ends a pause that the old one brought about: mail that waited for it can go.
        """
        kept = await self.load(account)
        if kept is None or kept.get_secret_value() != secret.get_secret_value():
            plain = json.dumps({"account": account, "secret": secret.get_secret_value()}).encode()
            await self._queue.save_credential(account, self._sealer.seal(plain))
            await self._queue.resume(account)
