"""Who may send what, through which API, with whose credentials."""

from relay.accounts.account import Account, Gatekeeper
from relay.accounts.directory import Directory
from relay.accounts.gatekeeper import Accounts
from relay.accounts.passwords import hash_password

__all__ = ["Account", "Accounts", "Directory", "Gatekeeper", "hash_password"]
