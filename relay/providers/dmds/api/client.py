"""One customer's DMDS, method by method."""

from types import TracebackType
from typing import Self

from pydantic import SecretStr

from relay.config.settings import DmdsSettings
from relay.errors import ConfigError
from relay.providers.contract import DmdsCredentials
from relay.providers.dmds.api.campaigns import Campaigns, Filters, Groups, Variables
from relay.providers.dmds.api.contacts import Contacts, Whitelist
from relay.providers.dmds.api.events import Batches, Events
from relay.providers.dmds.api.sends import Sends
from relay.providers.dmds.api.talk import Talk
from relay.providers.dmds.line import DmdsLine, credentials_problem
from relay.providers.dmds.members import member, words
from relay.providers.dmds.wire import DmdsWire
from relay.providers.http import HttpClient

_CALLS_AT_ONCE = 10


class DmdsClient:
    """Every method of DMDS API REST 1.5. Nothing is ever asked twice by itself.

    Methods raise `ApiRefused` where the API says no, and `ProviderError` where it says nothing that can be
    understood. Use it as an async context manager:

        async with DmdsClient("acme", apikey) as dmds:
            contact = await dmds.contacts.show("ana@example.net")
    """

    def __init__(self, dmdsid: str, apikey: str | SecretStr, settings: DmdsSettings | None = None) -> None:
        """Make the client.

        Args:
            dmdsid: The customer's id, as in the host's name.
            apikey: The APIKEY, without any scheme.
            settings: Base address, deadline, authorities, corrected wire names.

        Raises:
            ConfigError: One of these cannot be used.
        """
        secret = apikey if isinstance(apikey, SecretStr) else SecretStr(apikey)
        credentials = DmdsCredentials(dmdsid.lower(), 0, secret)
        if problem := credentials_problem(credentials):
            raise ConfigError(problem)
        self.dmdsid = credentials.dmdsid
        self._http = HttpClient(_CALLS_AT_ONCE)
        self._talk = talk = Talk(DmdsLine(settings or DmdsSettings(), self._http), credentials)
        self.contacts = Contacts(talk)
        self.whitelist = Whitelist(talk)
        self.campaigns = Campaigns(talk)
        self.groups = Groups(talk)
        self.filters = Filters(talk)
        self.variables = Variables(talk)
        self.sends = Sends(talk)
        self.events = Events(talk)
        self.batches = Batches(talk)

    @property
    def wire(self) -> DmdsWire:
        """The wire names in use."""
        return self._talk.wire

    async def version(self) -> str:
        """Tell the API's version, for example "1.5" (exists in doc; the answer's shape is assumed)."""
        answer = await self._talk.ask(self._talk.wire.call_version)
        return words(member(answer, "version", "msg")) if isinstance(answer, dict) else ""

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)
