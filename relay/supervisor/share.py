"""What one worker of several may have of what the settings allow the gateway: its share, rounded up."""

from typing import TypeVar

from relay.config import AccountPolicy, Settings
from relay.config.units import Bytes

_Policy = TypeVar("_Policy", bound=AccountPolicy)


def share_of(settings: Settings, workers: int) -> Settings:
    """Return the settings of one of so many workers."""

    def part(whole: int) -> int:
        return -(-whole // workers)

    def policy(whole: _Policy) -> _Policy:
        return whole.model_copy(
            update={"concurrency": part(whole.concurrency), "max_connections": part(whole.max_connections)}
        )

    listeners = {
        name: listener.model_copy(
            update={
                "max_connections": part(listener.max_connections),
                "max_connections_per_client": part(listener.max_connections_per_client),
            }
        )
        for name, listener in settings.listener.items()
    }
    passed = settings.passthrough
    shares: dict[str, object] = {
        "listener": listeners,
        "defaults": policy(settings.defaults),
        "account": {name: policy(account) for name, account in settings.account.items()},
        "passthrough": passed.model_copy(
            update={
                "mensatek": passed.mensatek.model_copy(update={"policy": policy(passed.mensatek.policy)}),
                "dmds": passed.dmds.model_copy(update={"policy": policy(passed.dmds.policy)}),
            }
        ),
        "delivery": settings.delivery.model_copy(
            update={
                "concurrency": part(settings.delivery.concurrency),
                "bytes_in_flight": Bytes(part(settings.delivery.bytes_in_flight)),
            }
        ),
    }
    return settings.model_copy(update=shares)
