"""Contacts and the whitelist, by the client, on the sandbox. Each method's test bears its name."""

from dataclasses import replace

import pytest

from relay.errors import ApiRefused
from relay.providers.dmds.api.sends import Person
from relay.providers.dmds.api.values import is_whitelisted


async def bounce(dmds, email, times):
    for _ in range(times):
        await dmds.sends.one_inline(12345, Person(email), "<p>Hola</p>")


async def test_version(dmds):
    assert "1.5" == await dmds.version()


async def test_contacts_show(dmds):
    await dmds.sends.one_inline(12345, Person("ana@example.net", "Ana", "Ruiz"), "<p>Hola</p>")
    contact = await dmds.contacts.show("ANA@example.net")
    assert ("ana@example.net", "Ana", "Ruiz", False) == (
        contact.email,
        contact.name,
        contact.surname,
        contact.is_invalid,
    )
    (event,) = contact.events
    assert "envio" == event.kind
    assert event.at is not None
    assert event.at.tzinfo is not None


async def test_who_nobody_knows_is_refused_in_the_apis_words(dmds):
    with pytest.raises(ApiRefused, match=r"refused \(404\): contact not found") as caught:
        await dmds.contacts.show("nobody@example.net")
    assert (404, "contact not found", False) == (caught.value.code, caught.value.said, caught.value.is_login)


async def test_contacts_save(dmds):
    made = await dmds.contacts.save("ana@example.net", name="Ana", bases=["clientes"], fields={"ciudad": "Rosario"})
    assert made is not None
    assert ("Alta", ("clientes",), {"ciudad": "Rosario"}) == (made.operation, made.bases, dict(made.fields))
    changed = await dmds.contacts.save("ana@example.net", surname="Ruiz")
    assert changed == replace(made, surname="Ruiz", operation="Modificacion")
    assert changed == await dmds.contacts.show("ana@example.net")


async def test_an_invalid_address_is_refused_as_documented(dmds):
    with pytest.raises(ApiRefused, match="invalid email"):
        await dmds.contacts.save("nonsense")


async def test_contacts_set_bases(dmds, world):
    await dmds.contacts.set_bases("ana@example.net", ["clientes"])
    await dmds.contacts.set_bases("ana@example.net", ["prensa", "clientes"])
    assert ("clientes", "prensa") == (await dmds.contacts.show("ana@example.net")).bases
    assert {"clientes": 1, "prensa": 2} == world.panel.groups("demo")


async def test_contacts_set_fields(dmds):
    await dmds.contacts.set_fields("ana@example.net", {"ciudad": "Rosario"})
    await dmds.contacts.set_fields("ana@example.net", {"pais": "AR"})
    assert {"ciudad": "Rosario", "pais": "AR"} == (await dmds.contacts.show("ana@example.net")).fields


async def test_contacts_invalid(dmds):
    assert () == await dmds.contacts.invalid()
    await bounce(dmds, "bounce-hard@example.net", 2)
    assert [("bounce-hard@example.net", True)] == [
        (each.email, each.is_invalid) for each in await dmds.contacts.invalid()
    ]


async def test_contacts_invalidate(dmds, world):
    await dmds.contacts.save("ana@example.net")
    change = await dmds.contacts.invalidate("ana@example.net")
    assert not change.is_whitelisted
    sent = await dmds.sends.one_inline(12345, Person("ana@example.net"), "<p>Hola</p>")
    contact = await dmds.contacts.show("ana@example.net")
    assert (0, True, ["invalidacion", "unknown"]) == (
        sent.count,
        contact.is_invalid,
        [each.kind for each in contact.events],
    )
    assert () == world.mails


async def test_contacts_revalidate(dmds, world):
    await bounce(dmds, "bounce-hard@example.net", 2)
    await dmds.contacts.revalidate("bounce-hard@example.net")
    await bounce(dmds, "bounce-hard@example.net", 1)
    contact = await dmds.contacts.show("bounce-hard@example.net")
    assert not contact.is_invalid
    bounced = ["envio", "rebote-hard"]
    assert [*bounced, *bounced, "invalidacion", "revalidacion", *bounced] == [each.kind for each in contact.events]


async def test_a_whitelisted_contact_stays_valid_whatever_bounces(dmds):
    await dmds.whitelist.add("bounce-hard@example.net")
    await bounce(dmds, "bounce-hard@example.net", 5)
    assert () == await dmds.contacts.invalid()
    change = await dmds.contacts.invalidate("bounce-hard@example.net")
    assert change.is_whitelisted
    assert not (await dmds.contacts.show("bounce-hard@example.net")).is_invalid


async def test_whitelist_shows(dmds):
    assert not await dmds.whitelist.shows("ana@example.net")


async def test_whitelist_add(dmds):
    await dmds.whitelist.add("ana+x/y@example.net")
    assert await dmds.whitelist.shows("ana+x/y@example.net")
    assert not await dmds.whitelist.shows("ana@example.net")


async def test_whitelist_remove(dmds):
    await dmds.whitelist.add("ana@example.net")
    await dmds.whitelist.remove("ana@example.net")
    assert not await dmds.whitelist.shows("ana@example.net")


@pytest.mark.parametrize(
    ("said", "listed"),
    [
        ("usuario@dominio.com whitelisted", True),
        ("usuario@dominio.com not whitelisted", False),
        ("Whitelisted.", True),
        ("ok", None),
        ("", None),
    ],
)
def test_the_documented_words_are_read(said, listed):
    assert listed is is_whitelisted(said)
