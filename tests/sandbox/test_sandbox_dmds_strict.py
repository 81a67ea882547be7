"""What DMDS refuses, and in which words."""

import pytest
from sandbox_caller import calling, send, without

MANY = "envio/send_many_inline/"
ONE = "envio/send_one_inline/"

REFUSED = [
    (without(send(), "campana_id"), "missing campana_id"),
    (send(campana_id=99), "invalid campana_id"),
    (send(campana_id=True), "invalid campana_id"),
    (send(campana_id="x"), "invalid campana_id"),
    (without(send(), "email"), "email must be true"),
    (send(email="true"), "email must be true"),
    (send(email=1), "email must be true"),
    (send(email=False), "email must be true"),
    (without(send(), "contactos"), "missing contactos"),
    (send(contactos=[]), "missing contactos"),
    (send(contactos={"email": "a@example.net"}), "contactos must be a list of objects"),
    (send(contactos=["a@example.net"]), "contactos must be a list of objects"),
    (send(contactos=[{}]), "missing contactos[0].email"),
    (send("ana@example.net", "bad"), "invalid email 'bad'"),
    (send(contactos=[{"email": 7}]), "contactos[0].email must be a string"),
    (without(send(), "html"), "missing html"),
    (send(html=""), "missing html"),
    (send(asunto=1), "asunto must be a string"),
    (send(remitente="nobody"), "invalid email 'nobody'"),
    (send(**{"reply-to": "Ana <ana@example.net>"}), "invalid email 'Ana <ana@example.net>'"),
    (send(**{"reply-to": ["ana@example.net"]}), "reply-to must be a string"),
    (send(copia=[{"email": "c@example.net"}]), "missing copia[0].cc_email"),
    (send(copia={"cc_email": "c@example.net"}), "copia must be a list of objects"),
    (send(copia_oculta=[{"bcc_email": "bad"}]), "invalid email 'bad'"),
    (send(reuse_eeid=True), "missing eeid"),
    (send(reuse_eeid="yes"), "reuse_eeid must be true or false"),
    (send(archive=2), "archive must be true or false"),
    (send(adjuntos=[{"contenido": "aGk="}]), "missing adjuntos[0].nombre"),
    (send(adjuntos=[{"nombre": "a"}]), "adjuntos[0].contenido must be base64"),
    (send(adjuntos=[{"nombre": "a", "contenido": "?"}]), "adjuntos[0].contenido must be base64"),
    ([], "the body must be a JSON object"),
]


@pytest.mark.parametrize(("document", "on"), REFUSED, ids=[f"{i}-{on}" for i, (_, on) in enumerate(REFUSED)])
async def test_wrong_data_is_400_with_what_is_wrong(caller, document, on):
    assert (400, {"status": "err", "on": on}) == await caller.dmds(MANY, document)
    assert () == caller.world.mails
    assert on == caller.world.calls[0].error


@pytest.mark.parametrize(("contact", "on"), [(None, "missing contacto"), ([], "contacto must be an object")])
async def test_one_inline_wants_an_object(caller, contact, on):
    assert (400, {"status": "err", "on": on}) == await caller.dmds(ONE, {**send(), "contacto": contact})


@pytest.mark.parametrize("key", ["", "wrong", "Bearer demo-apikey", "Basic demo-apikey"])
async def test_a_wrong_apikey_is_403(caller, key):
    assert (403, {"status": "err", "on": "Forbidden"}) == await caller.dmds(MANY, send(), key=key)
    assert "demo" == caller.world.calls[0].user


async def test_a_key_is_good_for_its_own_customer_and_campaign():
    async with calling(dmds_campaigns={"demo-1": "one", "demo-2": "two", "acme-1": "three"}) as caller:
        assert 403 == (await caller.dmds(MANY, send(campana_id=1), key="three"))[0]
        assert (403, {"status": "err", "on": "APIKEY of another campaign"}) == await caller.dmds(
            MANY, send(campana_id=1), key="two"
        )
        assert 200 == (await caller.dmds(MANY, send(campana_id=2), key="two"))[0]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", MANY, 405),
        ("POST", "version/", 405),
        ("POST", "envio/send_many_inline", 404),
        ("POST", "envio/", 404),
        ("GET", "version", 404),
        ("GET", "contacto/", 405),
        ("PATCH", "whitelist/ana@example.net", 405),
        ("GET", "eeid_eml/some-batch/", 404),
        ("GET", "nada/", 404),
    ],
)
async def test_paths_and_methods_are_exact(caller, method, path, status):
    got, answer = await caller.dmds(path, send(), method=method)
    assert (status, "err") == (got, answer["status"])


@pytest.mark.parametrize("path", ["dmds/demo", "dmds/demo/v2/version/", "dmds/"])
async def test_what_is_not_below_v1_is_not_there(caller, path):
    status, _, _ = await caller.request("GET", f"{caller.sandbox.url}/{path}", headers={"Authorization": "demo-apikey"})
    assert status in (403, 404)


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe"])
async def test_broken_json_is_400(caller, body):
    url = f"{caller.sandbox.dmds_url.format(dmdsid='demo')}/{MANY}"
    headers = {"Authorization": "demo-apikey", "Content-Type": "text/plain"}
    status, answer, _ = await caller.request("POST", url, data=body, headers=headers)
    assert (400, b'{"status":"err","on":"not JSON, at') == (status, answer[:34])
    assert ("undocumented Content-Type: text/plain",) == caller.world.calls[0].remarks


async def test_errors_may_come_with_http_200_but_a_wrong_key_never_does(caller):
    assert 200 == (await caller.control("POST", "sandbox/answers", {"api": "dmds", "shape": "err200"}))[0]
    assert (200, {"status": "err", "on": "missing html"}) == await caller.dmds(MANY, without(send(), "html"))
    assert 403 == (await caller.dmds(MANY, send(), key="wrong"))[0]


async def test_senders_outside_the_allowed_domains_are_refused():
    async with calling(validated_domains=frozenset({"example.org"})) as caller:
        assert 200 == (await caller.dmds(MANY, send(remitente="a@example.org")))[0]
        assert 200 == (await caller.dmds(MANY, send()))[0]
        status, answer = await caller.dmds(MANY, send(remitente="a@example.com"))
        assert (400, "remitente is not in an allowed domain") == (status, answer["on"])
