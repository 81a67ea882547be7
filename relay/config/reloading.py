"""What a running gateway can take of a new configuration, and what only a restart brings."""

from relay.config.settings import Settings

#: Settings that hold as long as the program runs, by table.
_FIXED = {
    "store": ("path", "url", "password", "node", "secret_key", "max_bytes", "max_messages", "min_free_bytes"),
    "web": ("address",),
}


def reloadable(running: Settings, wanted: Settings) -> tuple[Settings, tuple[str, ...]]:
    """Return the wanted settings with what cannot change as it is, and the keys whose change needs a restart."""
    changes: dict[str, object] = {}
    held: list[str] = []
    for table, keys in _FIXED.items():
        old, new = getattr(running, table), getattr(wanted, table)
        differing = [key for key in keys if getattr(old, key) != getattr(new, key)]
        held += [f"{table}.{key}" for key in differing]
        changes[table] = new.model_copy(update={key: getattr(old, key) for key in differing})
    if running.workers != wanted.workers:
        held.append("workers")
        changes["workers"] = running.workers
    return wanted.model_copy(update=changes), tuple(held)
