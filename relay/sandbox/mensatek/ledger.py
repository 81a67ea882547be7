"""What Mensatek keeps for its customers: credits and numbers."""


class Ledger:
    """Credits of each user, and the ids given to sends and messages."""

    def __init__(self, credits_each: float, *, first_id: int) -> None:
        self._credits_each = credits_each
        self._credits: dict[str, float] = {}
        self._last_id = first_id

    def credits_of(self, user: str) -> float:
        """What a user has left."""
        return self._credits.get(user, self._credits_each)

    def spend(self, user: str, mails: int) -> None:
        """One mail costs one credit."""
        self._credits[user] = self.credits_of(user) - mails

    def next_id(self) -> str:
        """A number that was not given before, nor by an earlier run of the sandbox."""
        self._last_id += 1
        return str(self._last_id)
