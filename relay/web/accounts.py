"""The configured accounts as pages and programs see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from relay.config import Settings
from relay.queue.contract import Pause, Volume
from relay.web.store import Store

_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account, and how much it sent today (UTC)."""

    name: str
    provider: str
    today: Volume
    recipients_per_day: int  # that it may have; 0: no limit
    pause: Pause | None


async def account_states(settings: Settings, store: Store, pauses: Sequence[Pause], now: float) -> list[AccountState]:
    """Tell of each, by name. Raises QueueError."""
    paused = {pause.account: pause for pause in pauses}
    return [
        AccountState(
            name,
            account.provider,
            await store.volume(name, now - now % _DAY, now + 1),
            account.recipients_per_day,
            paused.get(name),
        )
        for name, account in sorted(settings.account.items())
    ]


def provider_of(settings: Settings, account: str) -> str:
    """Name an account's provider; that of a pass-through account stands before the colon of its name."""
    known = settings.account.get(account)
    return known.provider if known else account.partition(":")[0]
