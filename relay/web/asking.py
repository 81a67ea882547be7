"""What a visitor looks for: the filters of the messages page and of the API, from a query to a Selection."""

from collections.abc import Mapping
from dataclasses import dataclass

from relay.config.units import seconds
from relay.message import MessageId
from relay.queue.contract import State
from relay.queue.control import OPEN_STATES, Selection

_TYPED = ("account", "sender", "recipient", "reason", "ids", "within")
_ID_CHARACTERS = 26
_EVERY_STATE = frozenset(State)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the filters mean."""

    state: str  # a state; "open", "any"
    selection: Selection


class MisaskedError(Exception):
    """A filter that means nothing; the text says which, and what it may be."""


def asked(query: Mapping[str, str], now: float) -> Asked:
    """Read the filters. Raises MisaskedError."""
    typed = {name: query.get(name, "").strip() for name in _TYPED}
    for name, text in typed.items():
        if not text.isprintable():
            raise MisaskedError(f"{name}: letters that can be seen, please")
    state = query.get("state", "").strip() or ("any" if typed["ids"] else "open")
    selection = Selection(
        ids=message_ids(typed["ids"]),
        states=_states(state),
        account=typed["account"],
        sender=typed["sender"],
        recipient=typed["recipient"],
        reason=typed["reason"],
        received_since=now - _seconds(typed["within"]) if typed["within"] else 0.0,
    )
    return Asked(state, selection)


def _states(word: str) -> frozenset[State]:
    groups = {"open": OPEN_STATES, "any": _EVERY_STATE}
    if word in groups:
        return groups[word]
    try:
        return frozenset({State(word)})
    except ValueError:
        known = ", ".join((*groups, *State))
        raise MisaskedError(f'state: "{word}" is none; there are {known}') from None


def every_state_of(ids: tuple[MessageId, ...]) -> Selection:
    """Select these messages, whatever became of them. None at all would select every message: callers look."""
    return Selection(ids=ids, states=_EVERY_STATE)


def message_ids(text: str) -> tuple[MessageId, ...]:
    """Read message ids with blanks between. Raises MisaskedError."""
    ids = text.upper().split()
    for one in ids:
        if len(one) != _ID_CHARACTERS or not one.isalnum() or not one.isascii():
            raise MisaskedError(f'ids: "{one}" is no message id; one has {_ID_CHARACTERS} letters and digits')
    return tuple(MessageId(one) for one in ids)


def _seconds(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise MisaskedError(f"within: {error}") from error
