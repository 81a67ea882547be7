"""EnviarEMAIL and GetCreditos, as the documents tell them."""

import base64
import hashlib
import json
import urllib.parse

import pytest
from sandbox_caller import basic, calling, email, without

from relay.sandbox import Attachment, Shown

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def post(caller, body, content_type, query=""):
    url = f"{caller.sandbox.mensatek_url}/EnviarEMAIL{query}"
    headers = {**basic("demo-user:demo-token"), "Content-Type": content_type}
    status, answer, _ = await caller.request("POST", url, data=body, headers=headers)
    assert status == 200
    return json.loads(answer)[0]


async def test_each_entry_gets_a_separate_mail_that_shows_only_itself(caller):
    await caller.mensatek(
        email(
            Nombreremitente="Shop",
            Replyto="help@example.org",
            Destinatarios=[{"Nombre": "Ana", "Email": "ana@example.net"}, {"Email": "bob@example.net"}],
            Listunsubscribe="<mailto:u@example.org>",
            Listhelp="<https://example.org/help>",
            Referenciausuario="order-7",
            Fecha="2030-05-01 15:10",
        )
    )
    ana, bob = caller.world.mails
    assert (Shown("ana@example.net", "Ana"),) == ana.to
    assert (Shown("bob@example.net"),) == bob.to
    assert () == ana.cc == bob.cc
    assert ("sender@example.org", "Shop", "help@example.org") == (ana.sender, ana.from_name, ana.reply_to)
    assert ("<mailto:u@example.org>", "<https://example.org/help>") == (ana.list_unsubscribe, ana.list_help)
    assert ("order-7", "2030-05-01 15:10", "mensatek") == (ana.reference, ana.scheduled, ana.api)
    assert ana.batch_id == bob.batch_id
    assert ana.message_id != bob.message_id


async def test_parameter_and_function_names_have_no_case(caller):
    document = {name.upper(): value for name, value in without(email(), "Destinatarios").items()}
    document["destinatarios"] = [{"EMAIL": "ana@example.net", "nombre": "Ana"}]
    answer = await caller.mensatek(document, function="enviaremail")
    assert answer["Res"] == "1"
    assert "EnviarEMAIL" == caller.world.calls[0].function
    assert () == caller.world.calls[0].remarks


async def test_a_form_carries_arrays_as_json(caller):
    document = email(Adjuntos=[{"Nombre": "a.txt", "Contenido": "aGk="}])
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in document.items()}
    answer = await post(caller, urllib.parse.urlencode(form), FORM["Content-Type"])
    assert answer["Res"] == "1"
    (mail,) = caller.world.mails
    assert "a.txt" == mail.attachments[0].name


async def test_the_documents_own_sample_is_taken(caller):
    """Arrays as JSON strings, numbers as strings, a null attachment."""
    answer = await caller.mensatek(
        {
            "Nombreremitente": "My name",
            "Emailremitente": "minombre@micorreo.com",
            "Replyto": "minombre@micorreo.com",
            "Destinatarios": '[{"Nombre":"Pedro Pérez","Email":"destinatario@eldominio.com","Variables":'
            '[{"Nombre":"Motivo","Valor":"Felicitarte"},{"Nombre":"Razon","Valor":"Tu 25 cumpleaños"}]}]',
            "Asunto": "This is a message for ###Nombre### on the occasion of ###motivo###",
            "Plantilla": "1234567",
            "Mensaje": "Html content that is going to be sent",
            "Fecha": "2022-05-01 15:10",
            "Intervaloprohibido": '[{"HoraInicio":"22:00","HoraFin":"9:00","Accion":"1"}]',
            "Adjuntos": [None],
            "Seguimientoaperturas": "1",
            "Seguimientoclicks": "1",
            "Listunsubscribe": "<mailto:listrequest@dominio.com?subject=unsubscribe>",
            "Listhelp": "<https://www.dominio.com/landing/listhelp>",
            "Referenciausuario": "Your reference",
            "Report": "0",
            "Resp": "JSON",
        }
    )
    (mail,) = caller.world.mails
    assert answer["Res"] == "1"
    assert "This is a message for Pedro Pérez on the occasion of Felicitarte" == mail.subject
    assert "1234567" == mail.template
    assert () == caller.world.calls[0].remarks


async def test_unknown_markers_vanish_so_that_unprotected_text_is_seen(caller):
    await caller.mensatek(email(Asunto="###EMAIL### ###nobody###.", Mensaje="a ###x\ny### b ## c"))
    (mail,) = caller.world.mails
    assert "ana@example.net ." == mail.subject
    assert "a  b ## c" == mail.html


@pytest.mark.parametrize("breaks", ["", "\r\n", "\n"])
async def test_attachments_keep_name_size_and_digest(caller, breaks):
    content = bytes(range(256)) * 10
    text = base64.b64encode(content).decode()
    lines = breaks.join(text[start : start + 76] for start in range(0, len(text), 76))
    await caller.mensatek(email(Adjuntos=[{"Nombre": "factura.pdf", "Contenido": lines}]))
    digest = hashlib.sha256(content).hexdigest()
    (mail,) = caller.world.mails
    (call,) = caller.world.calls
    assert (Attachment("factura.pdf", 2560, digest),) == mail.attachments
    assert {"size": 2560, "sha256": digest} == (await caller.control("GET", "sandbox/calls"))[1][0]["document"][
        "Adjuntos"
    ][0]["Contenido"]
    assert ("assumed key: Adjuntos[].Nombre", "assumed key: Adjuntos[].Contenido") == call.remarks


async def test_unknown_keys_are_taken_and_reported(caller):
    await caller.mensatek(
        email(Cc="x@example.net", Destinatarios=[{"Email": "ana@example.net", "Referencia": "r1", "Edad": 3}])
    )
    assert {"unknown key: Cc", "unknown key: Destinatarios[].Referencia", "unknown key: Destinatarios[].Edad"} == set(
        caller.world.calls[0].remarks
    )
    assert "r1" == caller.world.mails[0].recipient_reference


async def test_an_address_that_stands_twice_gets_one_mail_and_is_counted(caller):
    answer = await caller.mensatek(email("ana@example.net", "ANA@example.net", "bob@example.net"))
    assert ("2", "3", "1") == (answer["Res"], answer["Destinatarios"], answer["Duplicados"])
    assert ["ana@example.net", "bob@example.net"] == [mail.mailbox for mail in caller.world.mails]


async def test_bad_addresses_stand_in_no_enviados(caller):
    entries = [{"Nombre": "Ana", "Email": "ana@nowhere"}, {"Email": "bob@example.net"}]
    answer = await caller.mensatek(email(Destinatarios=entries))
    assert [{"Nombre": "Ana", "Email": "ana@nowhere"}] == json.loads(answer["NoEnviados"])
    assert ["bob@example.net"] == [sent["Email"] for sent in json.loads(answer["Enviados"])]


async def test_nothing_but_bad_addresses_is_res_0(caller):
    answer = await caller.mensatek(email("nobody"))
    assert "0" == answer["Res"]
    assert () == caller.world.mails


async def test_a_template_may_stand_for_the_message(caller):
    answer = await caller.mensatek({**without(email(), "Mensaje"), "Plantilla": 7})
    assert "1" == answer["Res"]
    assert "7" == caller.world.mails[0].template


async def test_one_mail_costs_one_credit_until_there_are_none():
    async with calling(credits=2) as caller:
        assert "1" == (await caller.mensatek(email()))["Res"]
        assert "-2" == (await caller.mensatek(email("a@example.net", "b@example.net")))["Res"]
        assert 1 == len(caller.world.mails)
        assert "1,00" == (await caller.mensatek({"Resp": "JSON"}, function="GetCreditos"))["Cred"]


async def test_senders_outside_the_validated_domains_are_res_5():
    async with calling(validated_domains=frozenset({"example.org"})) as caller:
        assert "1" == (await caller.mensatek(email(Emailremitente="a@EXAMPLE.org")))["Res"]
        refused = await caller.mensatek(email(Emailremitente="a@sub.example.org"))
        assert ("-5", "EMAILREMITENTE should have a validated domain") == (refused["Res"], refused["Error"])


async def test_oddities_are_reported(caller):
    answer = await post(
        caller, json.dumps({**email(Asunto="a\r\nBcc: x@example.net"), "ASUNTO": "b"}), "text/plain", "?Resp=XML"
    )
    assert "1" == answer["Res"]
    assert (
        "undocumented Content-Type: text/plain",
        "parameters in the query string: ignored",
        "a parameter stands twice, in different spellings: the last counts",
    ) == caller.world.calls[0].remarks
    await caller.mensatek(email(Asunto="a\r\nBcc: x@example.net"))
    assert ("line break or control character in Asunto",) == caller.world.calls[1].remarks
