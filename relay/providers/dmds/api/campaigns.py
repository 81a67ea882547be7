"""Campaigns and their keys; groups, filters and global variables of the customer."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from relay.errors import ProviderError
from relay.providers.contract import Document, JsonValue
from relay.providers.dmds.api.talk import Talk
from relay.providers.dmds.api.values import Campaign, Filter, Group, Variable
from relay.providers.dmds.members import items, member, whole, words


class Campaigns:
    """Campaigns of the customer. With its number and APIKEY a campaign is a login for sending."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def list(self, *, kind: str = "", number: int | None = None) -> tuple[Campaign, ...]:
        """List campaigns, without their keys (`GET campania/`, doc).

        Args:
            kind: Only such, for example "api"; empty: all.
            number: Only this one, by its short number.

        Raises:
            ApiRefused: The API said no.
            ProviderError: No answer, or none that can be understood.
        """
        wire = self._talk.wire
        wanted: Document = {wire.campaign_type: kind} if kind else {}
        if number is not None:
            wanted[wire.campaign_number] = number
        answer = await self._talk.ask(wire.call_campaigns, wanted or None)
        found = items(answer, "campanias", "campañas", "campanas", "campania", "campaigns", "data")
        return tuple(campaign for item in found if (campaign := self._read(item)) is not None)

    async def create(self, name: str, *, kind: str = "api", more: Mapping[str, JsonValue] | None = None) -> Campaign:
        """Create a campaign; one of type API comes with its key (the answer is doc, all else assumed).

        Args:
            name: What people call it.
            kind: Its `tipo`.
            more: Further members of the request, for what the documents do not tell.

        Raises:
            ApiRefused: The API said no.
            ProviderError: No answer, or none with a number in it; it may have been created.
        """
        wire = self._talk.wire
        document: Document = {wire.campaign_name: name, wire.campaign_type: kind, **(more or {})}
        answer = await self._talk.ask(wire.call_campaign_create, document)
        inside = member(answer, "campania", "campaña") if isinstance(answer, Mapping) else None
        campaign = self._read(inside if isinstance(inside, Mapping) else answer)
        if campaign is None:
            raise ProviderError("the answer holds no number of a campaign", maybe_accepted=True)
        return campaign

    async def key(self, number: int) -> SecretStr:
        """Return a campaign's APIKEY (`GET campania_apikey`, doc; path and keys assumed). Raises as `list` does."""
        wire = self._talk.wire
        return self._key_in(await self._talk.ask(wire.call_campaign_key, {wire.campaign_number: number}))

    async def set_key(self, number: int, apikey: SecretStr | None = None) -> SecretStr:
        """Give a campaign another APIKEY; the one before is wrong from then on (doc; path and keys assumed).

        Args:
            number: The campaign's short number.
            apikey: The key; None: the API makes one.

        Raises:
            ApiRefused: The API said no.
            ProviderError: No answer, or none that can be understood; it may have been done.
        """
        wire = self._talk.wire
        document: Document = {wire.campaign_number: number}
        if apikey is not None:
            document[wire.campaign_key] = apikey.get_secret_value()
        answer = await self._talk.ask(wire.call_campaign_key_set, document)
        return self._key_in(answer) if apikey is None else apikey

    def _key_in(self, answer: Any) -> SecretStr:
        key = _key_of(answer, self._talk.wire.campaign_key)
        if not key:
            raise ProviderError("the answer holds no APIKEY", maybe_accepted=False)
        return SecretStr(key)

    def _read(self, item: Any) -> Campaign | None:
        if not isinstance(item, Mapping):
            return Campaign(number) if (number := whole(item)) is not None else None
        wire = self._talk.wire
        own = words(member(item, "id"))
        number = whole(member(item, wire.campaign_number))
        if number is None and (number := whole(own)) is None:
            return None
        key = words(member(item, wire.campaign_key))
        return Campaign(
            number=number,
            id=own,
            name=words(member(item, wire.campaign_name, "nombre", "name")),
            kind=words(member(item, wire.campaign_type)),
            apikey=SecretStr(key) if key else None,
        )


class Groups:
    """Groups of contacts, also called bases."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def create(self, name: str, *, more: Mapping[str, JsonValue] | None = None) -> Group:
        """Create a group (exists in doc; path and keys assumed).

        Args:
            name: What contacts are put into it by.
            more: Further members of the request, for what the documents do not tell.

        Raises:
            ApiRefused: The API said no.
            ProviderError: No answer, or none that can be understood; it may have been created.
        """
        wire = self._talk.wire
        answer = await self._talk.ask(wire.call_group_create, {wire.group_name: name, **(more or {})})
        inside = member(answer, "grupo", "base") if isinstance(answer, Mapping) else None
        known = inside if isinstance(inside, Mapping) else answer if isinstance(answer, Mapping) else {}
        return Group(whole(member(known, "numid", "id")), words(member(known, wire.group_name)) or name)


class Filters:
    """Filters that were made in the panel."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def list(self) -> tuple[Filter, ...]:
        """List filters (exists in doc; path and answer assumed). Raises ApiRefused and ProviderError."""
        found = items(await self._talk.ask(self._talk.wire.call_filters), "filtros", "filters", "data")
        return tuple(
            Filter(whole(member(item, "numid", "id")), words(member(item, "nombre", "name")))
            if isinstance(item, Mapping)
            else Filter(None, words(item))
            for item in found
        )


class Variables:
    """Global variables."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def list(self) -> Sequence[Variable]:
        """List global variables with their values (exists in doc; path and answer assumed).

        Raises ApiRefused and ProviderError.
        """
        wire = self._talk.wire
        answer = await self._talk.ask(wire.call_variables)
        inside = member(answer, "variables") if isinstance(answer, Mapping) else None
        if isinstance(inside, Mapping):  # values by name
            return tuple(Variable(name, words(value)) for name, value in inside.items())
        return tuple(
            Variable(words(member(item, wire.variable_name, "name")), words(member(item, wire.variable_value, "value")))
            for item in items(answer, "variables", "data")
            if isinstance(item, Mapping)
        )

    async def create(self, name: str, value: str) -> None:
        """Create a global variable, or give it another value (exists in doc; path and keys assumed)."""
        wire = self._talk.wire
        await self._talk.ask(wire.call_variable_create, {wire.variable_name: name, wire.variable_value: value})

    async def delete(self, name: str) -> None:
        """Delete a global variable (exists in doc; path and keys assumed)."""
        wire = self._talk.wire
        await self._talk.ask(wire.call_variable_delete, {wire.variable_name: name})


def _key_of(value: Any, name: str) -> str:
    """Find a key in an answer, under its name or a similar one, also one level down."""
    if not isinstance(value, Mapping):
        return ""
    if key := words(member(value, name, "camp_apikey", "apikey", "api_key")):
        return key
    return next((found for inner in value.values() if (found := _key_of(inner, name))), "")
