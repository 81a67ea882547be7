"""send_many_inline and send_one_inline: who gets what, and what each sees."""

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_caller import calling, send, without

from relay.sandbox import Sandbox, SandboxOptions, Shown

MANY = "envio/send_many_inline/"


def emails(shown):
    return [one.email for one in shown]


async def test_several_contacts_each_see_only_themselves(caller):
    status, answer = await caller.dmds(MANY, send("ana@example.net", "bob@example.net"))
    assert (200, "ok", 2) == (status, answer["status"], answer["sent"])
    assert str(uuid.UUID(answer["eeid"])) == answer["eeid"]
    assert [("ana@example.net", ["ana@example.net"], []), ("bob@example.net", ["bob@example.net"], [])] == [
        (mail.mailbox, emails(mail.to), emails(mail.cc)) for mail in caller.world.mails
    ]
    assert {answer["eeid"]} == {mail.batch_id for mail in caller.world.mails}


async def test_one_contact_with_three_copies_is_four_mails_as_documented(caller):
    document = send(
        contactos=[{"email": "ana@example.net", "nombre": "Ana", "apellido": "Ruiz"}],
        copia=[{"cc_email": "c1@example.net", "cc_nombre": "C", "cc_apellido": "One"}, {"cc_email": "c2@example.net"}],
        copia_oculta=[{"bcc_email": "hidden@example.net"}],
    )
    _, answer = await caller.dmds(MANY, document)
    assert 4 == answer["sent"]
    mails = caller.world.mails
    assert ["ana@example.net", "c1@example.net", "c2@example.net", "hidden@example.net"] == [m.mailbox for m in mails]
    assert {(Shown("ana@example.net", "Ana Ruiz"),)} == {mail.to for mail in mails}
    assert {(Shown("c1@example.net", "C One"), Shown("c2@example.net"))} == {mail.cc for mail in mails}
    assert not any("hidden" in f"{mail.to}{mail.cc}{mail.html}" for mail in mails)


@settings(max_examples=20, deadline=None)
@given(contacts=st.integers(1, 4), copies=st.integers(0, 3), blind=st.integers(0, 3))
async def test_n_contacts_with_m_copies_are_n_times_1_plus_m_mails(contacts, copies, blind):
    """The worst that several contacts with copies could mean; a gateway that does it must be caught."""
    document = send(
        *(f"to{i}@example.net" for i in range(contacts)),
        copia=[{"cc_email": f"cc{i}@example.net"} for i in range(copies)],
        copia_oculta=[{"bcc_email": f"bcc{i}@example.net"} for i in range(blind)],
    )
    async with calling() as caller:
        _, answer = await caller.dmds(MANY, document)
        assert contacts * (1 + copies + blind) == answer["sent"] == len(caller.world.mails)
        for i in range(copies):
            assert contacts == len(caller.world.mailbox(f"cc{i}@example.net"))


async def test_content_is_shown_as_given(caller):
    document = send(
        asunto="Hello",
        remitente="app@example.org",
        remitenteNombre="App",
        adjuntos=[{"nombre": "a.txt", "contenido": "aGk="}],
        archive="true",
        **{"reply-to": "help@example.org"},
    )
    await caller.dmds(MANY, document)
    (mail,) = caller.world.mails
    assert ("Hello", "app@example.org", "App", "help@example.org") == (
        mail.subject,
        mail.sender,
        mail.from_name,
        mail.reply_to,
    )
    assert ("a.txt", 2) == (mail.attachments[0].name, mail.attachments[0].size)
    assert ("dmds", "", "", "<p>Hi</p>") == (mail.api, mail.message_id, mail.reference, mail.html)
    assert (
        "assumed key: asunto",
        "assumed key: remitente",
        "assumed key: remitenteNombre",
        "unknown key: adjuntos",
        "unknown key: adjuntos[].nombre",
        "unknown key: adjuntos[].contenido",
    ) == caller.world.calls[0].remarks
    assert 2 == caller.world.calls[0].document["adjuntos"][0]["contenido"].size


async def test_the_campaign_supplies_subject_and_sender_where_there_are_none():
    async with calling(campaign_subject="S", campaign_sender="c@example.org", campaign_sender_name="C") as caller:
        await caller.dmds(MANY, send())
        await caller.dmds(MANY, send(remitente="app@example.org"))
        first, second = caller.world.mails
        assert ("S", "c@example.org", "C") == (first.subject, first.sender, first.from_name)
        assert ("S", "app@example.org", "") == (second.subject, second.sender, second.from_name)


async def test_one_inline_takes_one_contact_as_an_object(caller):
    document = without(send(contacto={"email": "ana@example.net"}, copia=[{"cc_email": "c@example.net"}]), "contactos")
    status, answer = await caller.dmds("envio/send_one_inline/", document)
    assert (200, 2) == (status, answer["sent"])
    assert "send_one_inline" == caller.world.calls[0].function
    assert "demo-12345" == caller.world.calls[0].user


async def test_a_batch_can_be_added_to(caller):
    _, first = await caller.dmds(MANY, send())
    _, second = await caller.dmds(MANY, send("bob@example.net", reuse_eeid=True, eeid=first["eeid"]))
    assert first["eeid"] == second["eeid"] == caller.world.mails[1].batch_id


async def test_a_batch_of_nobody_or_of_another_customer_cannot():
    async with calling(dmds_campaigns={"demo-12345": "demo-apikey", "a-b-1": "other"}) as caller:
        url = caller.sandbox.dmds_url.format(dmdsid="a-b")
        _, body, _ = await caller.request(
            "POST", f"{url}/{MANY}", json=send(campana_id=1), headers={"Authorization": "other"}
        )
        assert b'"status":"ok"' in body
        eeid = caller.world.mails[0].batch_id
        for wrong in (eeid, "nothing"):
            assert (400, {"status": "err", "on": "invalid eeid"}) == await caller.dmds(
                MANY, send(reuse_eeid=True, eeid=wrong)
            )
        assert "a-b-1" == caller.world.calls[0].user


async def test_invalid_contacts_get_no_mail_and_are_not_counted(caller):
    await caller.control("POST", "sandbox/contacts", {"email": "Bob@example.net", "invalid": True})
    _, answer = await caller.dmds(MANY, send("ana@example.net", "bob@example.net"))
    assert 1 == answer["sent"]
    assert ("ana@example.net",) == caller.world.calls[0].recipients
    assert 1 == caller.world.stats()["not_sent"]
    _, contact = await caller.dmds("contacto/bob@example.net", method="GET")
    assert [True, ["unknown"]] == [
        contact["contacto"]["invalido"],
        [e["evento"] for e in contact["contacto"]["eventos"]],
    ]


async def test_an_invalid_copy_gets_nothing_and_an_invalid_contact_takes_its_copies_along(caller):
    caller.world.book.mark("cc@example.net", invalid=True)
    _, answer = await caller.dmds(MANY, send(copia=[{"cc_email": "cc@example.net"}]))
    assert 1 == answer["sent"]
    caller.world.book.mark("ana@example.net", invalid=True)
    _, answer = await caller.dmds(MANY, send(copia_oculta=[{"bcc_email": "bcc@example.net"}]))
    assert 0 == answer["sent"]
    caller.world.book.mark("ana@example.net", invalid=False)
    _, answer = await caller.dmds(MANY, send())
    assert 1 == answer["sent"]


async def test_two_hard_bounces_make_a_contact_invalid(caller):
    sent = [(await caller.dmds(MANY, send("bounce-hard@example.net")))[1]["sent"] for _ in range(3)]
    assert [1, 1, 0] == sent
    _, answer = await caller.dmds("contacto/bounce-hard@example.net", method="GET")
    events = [event["evento"] for event in answer["contacto"]["eventos"]]
    assert ["envio", "rebote-hard", "envio", "rebote-hard", "invalidacion", "unknown"] == events
    assert () == caller.world.mailbox("bounce-hard@example.net")


async def test_a_soft_bounce_leaves_the_contact_valid(caller):
    sent = [(await caller.dmds(MANY, send("bounce-soft@example.net")))[1]["sent"] for _ in range(3)]
    assert [1, 1, 1] == sent


@pytest.mark.parametrize(("number", "remarks"), [("12345", 1), (12345, 0)])
async def test_a_campaign_number_in_quotes_is_remarked_on(caller, number, remarks):
    status, _ = await caller.dmds(MANY, send(campana_id=number))
    assert (200, remarks) == (status, len(caller.world.calls[0].remarks))


async def test_unknown_keys_and_broken_headers_are_reported(caller):
    await caller.dmds(MANY, send(asunto="a\nb", foo=1, contactos=[{"email": "ana@example.net", "edad": 3}]))
    assert {
        "unknown key: foo",
        "unknown key: contactos[].edad",
        "assumed key: asunto",
        "line break or control character in asunto",
    } == set(caller.world.calls[0].remarks)


async def test_a_batch_is_forgotten_when_there_are_too_many():
    async with Sandbox(SandboxOptions(port=0, keep_mails=2)) as sandbox:
        eeids = [sandbox.world.book.open_batch("demo") for _ in range(3)]
        assert [False, True, True] == [sandbox.world.book.has_batch("demo", eeid) for eeid in eeids]
