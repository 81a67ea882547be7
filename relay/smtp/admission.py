"""As whom a session sends, and what that rests on: asked again when the configuration has changed meanwhile."""

from relay.accounts.account import Account
from relay.smtp.lobby import Lobby


class Admission:
    """The account of one session."""

    def __init__(self, lobby: Lobby, client: str) -> None:
        self._lobby = lobby
        self._client = client
        self._asked = ("", "")
        self._granted: tuple[str, str] | None = None  # login, and what it rested on; None: nobody has logged in
        self._gatekeeper = lobby.gatekeeper  # by whom the account is what it is
        self.account: Account | None = self._gatekeeper.trusted(lobby.name, client)

    def ask_for(self, login: str) -> None:
        """Note by which login an account is asked for now."""
        self._asked = (login, self._lobby.gatekeeper.mark(login))

    def grant(self, account: Account) -> None:
        """Take the account that was asked for."""
        self.account, self._granted = account, self._asked

    def is_still_good(self) -> bool:
        """Tell whether the client may begin another transaction; the account becomes what it is by now."""
        gatekeeper, account = self._lobby.gatekeeper, self.account
        if self._lobby.is_given_up:
            return False
        if gatekeeper is self._gatekeeper:
            return True
        self._gatekeeper = gatekeeper
        if account is not None and self._granted is not None:
            self.account = gatekeeper.renewed(account, *self._granted)
        else:
            self.account = gatekeeper.trusted(self._lobby.name, self._client)
        return account is None or self.account is not None
