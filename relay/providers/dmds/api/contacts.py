"""Contacts, and the whitelist that protects them."""

from collections.abc import Mapping, Sequence
from typing import Any

from relay.errors import ProviderError
from relay.providers.contract import Document, JsonValue
from relay.providers.dmds.api.events import read_events
from relay.providers.dmds.api.talk import Talk
from relay.providers.dmds.api.values import Contact, StatusChange, is_whitelisted
from relay.providers.dmds.members import items, member, truth, whole, words
from relay.providers.fields import wire_address


class Contacts:
    """Contacts of the customer. A contact's address is its key."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def show(self, email: str) -> Contact:
        """Tell what is known of a contact (`GET contacto/<email>`, vendor; the answer is doc).

        Raises:
            ApiRefused: Nobody knows it, or the key is wrong.
            ProviderError: No answer, or none that can be understood.
        """
        answer = await self._talk.ask(self._talk.wire.call_contact, email=wire_address(email))
        inside = member(answer, "contacto") if isinstance(answer, Mapping) else None
        return self._read(inside if isinstance(inside, Mapping) else answer, email)

    async def save(
        self,
        email: str,
        *,
        name: str = "",
        surname: str = "",
        bases: Sequence[str] = (),
        fields: Mapping[str, str] | None = None,
    ) -> Contact | None:
        """Create a contact or update it (`POST contacto/`, doc); what is empty is not sent.

        Returns:
            The contact, where the API answers with it.

        Raises:
            ApiRefused: For example an invalid address.
            ProviderError: No answer, or none that can be understood; it may have been done.
        """
        return await self._save(self._talk.wire.call_contact_save, email, name, surname, bases, fields or {})

    async def set_bases(self, email: str, bases: Sequence[str]) -> Contact | None:
        """Put a new or existing contact into bases, also called groups (doc; the key is assumed). As `save`."""
        return await self._save(self._talk.wire.call_contact_bases, email, "", "", bases, {})

    async def set_fields(self, email: str, fields: Mapping[str, str]) -> Contact | None:
        """Set field values of a new or existing contact (doc; the key is assumed). As `save`."""
        return await self._save(self._talk.wire.call_contact_fields, email, "", "", (), fields)

    async def invalid(self) -> tuple[Contact, ...]:
        """List the contacts that get no mail (`GET contactos/invalidos/`, vendor; the answer is assumed)."""
        answer = await self._talk.ask(self._talk.wire.call_invalid_contacts)
        found = items(answer, "contactos", "invalidos", "contactos_invalidos", "data")
        return tuple(self._read(item, "", is_invalid=True) for item in found if isinstance(item, Mapping | str))

    async def invalidate(self, email: str) -> StatusChange:
        """Make a contact invalid: further mail to it becomes a Not-Sent event (doc; the path is assumed)."""
        return await self._change(self._talk.wire.call_invalidate, email)

    async def revalidate(self, email: str) -> StatusChange:
        """Make a contact valid again, for example after a bounce by mistake (doc; the path is assumed)."""
        return await self._change(self._talk.wire.call_revalidate, email)

    async def _change(self, call: str, email: str) -> StatusChange:
        return StatusChange(_message(await self._talk.ask(call, email=wire_address(email))))

    async def _save(
        self, call: str, email: str, name: str, surname: str, bases: Sequence[str], fields: Mapping[str, str]
    ) -> Contact | None:
        wire = self._talk.wire
        document: Document = {wire.contact_email: wire_address(email)}
        wanted: tuple[tuple[str, JsonValue], ...] = (
            (wire.contact_name, name),
            (wire.contact_surname, surname),
            (wire.contact_bases, list(bases)),
            (wire.contact_fields, dict(fields)),
        )
        document |= {key: value for key, value in wanted if value}
        answer = await self._talk.ask(call, document)
        inside = member(answer, "contacto") if isinstance(answer, Mapping) else None
        return self._read(inside, email) if isinstance(inside, Mapping) else None

    def _read(self, value: Any, email: str, *, is_invalid: bool = False) -> Contact:
        if not isinstance(value, Mapping):
            return Contact(words(value) or email, is_invalid=is_invalid)
        wire = self._talk.wire
        bases = member(value, wire.contact_bases, "grupos", "bases")
        own = member(value, wire.contact_fields, "campos")
        said = member(value, "invalido")
        return Contact(
            email=words(member(value, "email")) or email,
            number=whole(member(value, "numid", "id")),
            name=words(member(value, "nombre")),
            surname=words(member(value, "apellido")),
            age=whole(member(value, "edad")),
            sex=words(member(value, "sexo")),
            operation=words(member(value, "operacion")),
            is_invalid=is_invalid if said is None else truth(said),
            bases=tuple(_name_of(item) for item in bases) if isinstance(bases, list) else (),
            fields={key: words(inner) for key, inner in own.items()} if isinstance(own, Mapping) else {},
            events=read_events(member(value, "eventos"), self._talk),
        )


class Whitelist:
    """Contacts that no bounce makes invalid."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def shows(self, email: str) -> bool:
        """Tell whether a contact is whitelisted (answers are doc, the path is assumed).

        Raises:
            ApiRefused: The key is wrong, or the address is.
            ProviderError: No answer, or none that can be understood.
        """
        said = _message(await self._talk.ask(self._talk.wire.call_whitelist, email=wire_address(email)))
        answer = is_whitelisted(said)
        if answer is None:
            raise ProviderError("the answer says neither whitelisted nor not whitelisted", maybe_accepted=False)
        return answer

    async def add(self, email: str) -> None:
        """Whitelist a contact. Raises as `shows` does."""
        await self._talk.ask(self._talk.wire.call_whitelist_add, email=wire_address(email))

    async def remove(self, email: str) -> None:
        """Whitelist a contact no more. Raises as `shows` does."""
        await self._talk.ask(self._talk.wire.call_whitelist_remove, email=wire_address(email))


def _message(answer: Any) -> str:
    return words(member(answer, "msg")) if isinstance(answer, Mapping) else ""


def _name_of(item: Any) -> str:
    return words(member(item, "nombre", "name", "numid", "id")) if isinstance(item, Mapping) else words(item)
