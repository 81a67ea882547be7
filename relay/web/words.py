"""The words of the pages for what the gateway has names for."""

from collections.abc import Callable

from relay.queue.contract import State, Verb


class Words:
    """Says names of the gateway in a language."""

    def __init__(self, gettext: Callable[[str], str]) -> None:
        _ = gettext
        self._states = {
            State.QUEUED: _("queued"),
            State.SENDING: _("being sent"),
            State.UNCONFIRMED: _("unconfirmed"),
            State.HELD: _("held"),
            State.ACCEPTED: _("accepted"),
            State.REFUSED: _("refused"),
            State.EXPIRED: _("given up"),
            State.DROPPED: _("dropped"),
        }

        self._verbs = {
            Verb.RETRY: _("Try now"),
            Verb.HOLD: _("Hold"),
            Verb.RELEASE: _("Release"),
            Verb.DROP: _("Drop"),
        }
        self._outcomes = {
            "accepted": _("accepted"),
            "refused": _("refused"),
            "deferred": _("deferred"),
            "interrupted": _("interrupted"),
        }

    def verb(self, verb: Verb) -> str:
        """Name what a person can do."""
        return self._verbs[verb]

    def outcome(self, outcome: str) -> str:
        """Name how an attempt ended."""
        return self._outcomes[outcome]

    def state(self, state: State) -> str:
        """Name where a recipient stands."""
        return self._states[state]
