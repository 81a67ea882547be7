"""The schema's numbered scripts, forward only: which a store has yet to run. Pure, but for reading them."""

from collections.abc import Collection, Mapping
from importlib import resources

from relay.errors import QueueError


def scripts(store: str) -> Mapping[int, str]:
    """Return the scripts that come with the program for a kind of store, by number."""
    folder = resources.files("relay.queue") / "schema" / store
    return {
        int(script.name.removesuffix(".sql")): script.read_text(encoding="utf-8")
        for script in folder.iterdir()
        if script.name.endswith(".sql")
    }


def missing(place: str, known: Collection[int], applied: Collection[int]) -> list[int]:
    """Return the numbers of the scripts that have not run, in order. Raises QueueError where a newer version was here.

    Args:
        place: the store's name, for the error.
        known: the scripts that this program knows.
        applied: those that have run.
    """
    found, newest = max(applied, default=0), max(known)
    if found > newest:
        raise QueueError(
            f"store {place}: a newer version of relay wrote it (schema {found}, this one knows {newest}); "
            "run that version, or give this one another store"
        )
    return sorted(set(known) - set(applied))
