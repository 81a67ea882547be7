"""The doors under /sandbox/: views, counts, choices."""

import asyncio
import io
import json

import pytest
from sandbox_caller import basic, calling, email, send

from relay.sandbox import Delivery

MANY = "envio/send_many_inline/"


async def test_it_says_that_it_lives(caller):
    assert (200, "ok\n") == await caller.control("GET", "livez")


async def test_mailboxes_show_what_each_sees(caller):
    await caller.dmds(MANY, send(asunto="Hi", copia=[{"cc_email": "cc@example.net", "cc_nombre": "C"}]))
    await caller.mensatek(email("Ana@EXAMPLE.net", "bounce-hard@example.net"))
    _, boxes = await caller.control("GET", "sandbox/mailboxes")
    assert {"ana@example.net": 2, "cc@example.net": 1} == {box["mailbox"]: len(box["mails"]) for box in boxes}
    first = boxes[0]["mails"][0]
    assert "html" not in first
    assert [{"email": "cc@example.net", "name": "C"}] == first["cc"]
    assert {
        "from": "campaign@dmds.example",
        "from_name": "The campaign",
        "subject": "Hi",
        "api": "dmds",
        "fate": "delivered",
        "call": 1,
    }.items() <= first.items()


async def test_one_mailbox_in_any_spelling(caller):
    await caller.mensatek(email("ana@xn--bcher-kva.example", "bob@example.net"))
    _, boxes = await caller.control("GET", "sandbox/mailboxes?address=ANA@B%C3%BCcher.example")
    assert ["ana@xn--bcher-kva.example"] == [box["mailbox"] for box in boxes]
    assert (200, []) == await caller.control("GET", "sandbox/mailboxes?address=nobody@example.net")


async def test_one_mail_with_its_content(caller):
    await caller.mensatek(email(Mensaje="<script>x</script>"))
    _, mail = await caller.control("GET", "sandbox/mails/1")
    assert "<script>x</script>" == mail["html"]
    status, body, headers = await caller.request("GET", f"{caller.sandbox.url}/sandbox/mails/1/html")
    assert (200, b"<script>x</script>") == (status, body)
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none';")


@pytest.mark.parametrize("path", ["sandbox/mails/1", "sandbox/mails/1/html", "sandbox/mails/x", "sandbox/nothing"])
async def test_what_is_not_there_is_404(caller, path):
    assert 404 == (await caller.control("GET", path))[0]


async def test_content_that_is_gone_is_410():
    async with calling(keep_bodies=1) as caller:
        await caller.mensatek(email("a@example.net", "b@example.net"))
        assert 410 == (await caller.control("GET", "sandbox/mails/1/html"))[0]
        assert None is (await caller.control("GET", "sandbox/mails/1"))[1]["html"]
        assert "<p>Hi</p>" == (await caller.control("GET", "sandbox/mails/2"))[1]["html"]


async def test_calls_tell_all_but_the_secret(caller):
    await caller.mensatek(email(), login="demo-user:wrong-token")
    await caller.dmds(MANY, send(), key="wrong-key")
    _, calls = await caller.control("GET", "sandbox/calls")
    text = str(calls)
    assert "wrong-token" not in text
    assert "wrong-key" not in text
    assert [("demo-user", "/v7/EnviarEMAIL", "POST", "sent"), ("demo", f"/demo/v1/{MANY}", "POST", "sent")] == [
        (call["user"], call["path"], call["method"], call["answer"]) for call in calls
    ]


async def test_duplicates_are_counted_by_mailbox(caller):
    for reference, subject in (("r1", "A"), ("r1", "A"), ("r1", "A"), ("r2", "A"), ("r1", "B")):
        await caller.mensatek(email("ana@example.net", Referenciausuario=reference, Asunto=subject))
    await caller.mensatek(email("bob@example.net", Referenciausuario="r1", Asunto="A"))
    _, stats = await caller.control("GET", "sandbox/stats")
    assert {
        "mails": 6,
        "mailboxes": 2,
        "duplicates": 1,
        "duplicate_mails": 2,
        "duplicates_by_reference": 1,
        "duplicates_by_content": 1,
        "calls": {"mensatek": 6, "dmds": 0},
    }.items() <= stats.items()


async def test_several_contacts_with_a_copy_show_as_duplicates(caller):
    await caller.dmds(MANY, send("a@example.net", "b@example.net", copia=[{"cc_email": "cc@example.net"}]))
    assert 1 == caller.world.stats()["duplicates"]
    assert 2 == len(caller.world.mailbox("cc@example.net"))


async def test_attachments_make_mails_different(caller):
    for content in ("aGk=", "aG8=", "aGk="):
        await caller.mensatek(email(Adjuntos=[{"Nombre": "a", "Contenido": content}]))
    assert (1, 1) == (caller.world.stats()["duplicates"], caller.world.stats()["duplicate_mails"])


async def test_everything_can_be_emptied(caller):
    await caller.dmds(MANY, send())
    await caller.control("POST", "sandbox/contacts", {"email": "x@example.net", "invalid": True})
    eeid = caller.world.mails[0].batch_id
    assert (204, "") == await caller.control("DELETE", "sandbox/mail")
    assert {
        "mails": 0,
        "mailboxes": 0,
        "duplicates": 0,
        "calls": {"mensatek": 0, "dmds": 0},
        "not_sent": 0,
    }.items() <= (caller.world.stats().items())
    assert (200, []) == await caller.control("GET", "sandbox/calls")
    assert 200 == (await caller.dmds(MANY, send("x@example.net", reuse_eeid=True, eeid=eeid)))[0]
    assert 0 == caller.world.stats()["duplicates"]
    assert 1 == caller.world.stats()["mails"]


@pytest.mark.parametrize(
    ("path", "document", "text"),
    [
        ("answers", {"api": "smtp", "shape": "xml"}, "api: must be one of mensatek, dmds"),
        ("answers", {"api": "dmds", "shape": "xml"}, "shape: must be one of document, err200"),
        ("answers", {"api": "mensatek"}, "shape: must be one of document, object, counts, xml, txt"),
        ("contacts", {"email": "x", "invalid": True}, "email: must be an address"),
        ("contacts", {"email": "x@example.net", "invalid": 1}, "invalid: must be true or false"),
        ("contacts", 7, "not a JSON object"),
    ],
)
async def test_a_bad_request_is_400_with_what_is_wrong(caller, path, document, text):
    assert (400, f"{text}\n") == await caller.control("POST", f"sandbox/{path}", document)


async def test_no_json_is_400(caller):
    status, body, _ = await caller.request("POST", f"{caller.sandbox.url}/sandbox/faults", data=b"kind=slow")
    assert (400, b"not JSON") == (status, body[:8])


async def test_the_shapes_in_use_can_be_seen(caller):
    await caller.control("POST", "sandbox/answers", {"api": "mensatek", "shape": "xml"})
    assert (200, {"mensatek": "xml", "dmds": "document"}) == await caller.control("GET", "sandbox/answers")


async def test_requests_of_a_hundred_megabytes_are_taken(caller):
    size = 100_000_000
    body = json.dumps(email(Mensaje="x" * size)).encode()
    headers = {**basic("demo-user:demo-token"), "Content-Type": "application/json"}
    status, _, _ = await caller.request(
        "POST", f"{caller.sandbox.mensatek_url}/EnviarEMAIL", data=io.BytesIO(body), headers=headers
    )
    assert 200 == status
    assert size == len(caller.world.mails[0].html)


async def test_larger_requests_than_allowed_are_413_and_stand_in_the_journal():
    async with calling(max_request_bytes=1000) as caller:
        url = f"{caller.sandbox.mensatek_url}/EnviarEMAIL"
        status, _, _ = await caller.request(
            "POST", url, json=email(Mensaje="x" * 2000), headers=basic("demo-user:demo-token")
        )
        assert 413 == status
        assert [413] == [call.status for call in caller.world.calls]


async def test_a_request_that_is_cut_short_stands_in_the_journal(caller):
    _, writer = await asyncio.open_connection("127.0.0.1", int(caller.sandbox.url.rpartition(":")[2]))
    writer.write(b"POST /mensatek/v7/EnviarEMAIL HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()
    writer.close()
    await caller.world.until(lambda world: [Delivery.LOST] == [call.answer for call in world.calls])
    assert "the request was cut" == caller.world.calls[0].error
    assert () == caller.world.mails
