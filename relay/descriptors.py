"""How many descriptors the system lets this process have: raised as far as it may be, and compared with the settings.

Every connection takes one. Where they end, clients wait in the system's queue without a word, and the store and the
calls to the APIs fail beside them.
"""

import resource

from relay.config import Settings

#: The store, the pages, the log, the password threads, listeners: generously.
_OWN = 100
#: A big mail takes one while its body is written or read.
_PER_CALL = 2


def raise_limit() -> int:
    """Raise this process's soft limit to the hard one; return what holds now. Safe to repeat."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # the unit's system call filter, or a limit that the kernel does not take
        return soft
    return hard


def needed(settings: Settings) -> int:
    """Say how many descriptors the settings may ask for at once."""
    connections = sum(listener.max_connections for listener in settings.listener.values())
    return _OWN + connections + _PER_CALL * settings.delivery.concurrency


def shortage(settings: Settings) -> str:
    """Say what is wrong where this process may not have as many as the settings ask for; empty: nothing."""
    allowed, wanted = raise_limit(), needed(settings)
    if wanted <= allowed or allowed == resource.RLIM_INFINITY:
        return ""
    return (
        f"the system allows {allowed} descriptors (ulimit -Hn), max_connections and delivery.concurrency want "
        f"{wanted}: raise LimitNOFILE in the unit, or lower max_connections of the listeners"
    )
