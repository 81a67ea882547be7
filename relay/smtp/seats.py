"""How many connections each account has: one application that runs wild must leave room for the others."""

from collections import Counter

from relay.accounts.account import Account


class Seats:
    """The connections of every account, over all listeners of this process."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def take(self, account: Account) -> bool:
        """Give the account one connection more, if it may have it."""
        if self._taken[account.name] >= account.policy.max_connections:
            return False
        self._taken[account.name] += 1
        return True

    def give_back(self, account: Account) -> None:
        """Count one connection of the account out."""
        self._taken[account.name] -= 1
        if not self._taken[account.name]:
            del self._taken[account.name]  # pass-through accounts are made by clients
