"""What DMDS's keeping functions refuse, in the words of the document's one sample."""

import pytest
from sandbox_caller import calling, send

MANY = "envio/send_many_inline/"


@pytest.mark.parametrize(
    ("method", "path", "document", "status", "on"),
    [
        ("POST", "contacto/", {}, 400, "missing email"),
        ("POST", "contacto/", {"email": "nonsense"}, 400, "invalid email 'nonsense'"),
        ("PUT", "contacto/", {"email": "a@example.net", "bases": "x"}, 400, "bases must be a list of strings"),
        ("POST", "contacto/", {"email": "a@example.net", "campos": []}, 400, "campos must be an object of strings"),
        ("GET", "invalidar/nonsense", None, 400, "invalid email"),
        ("GET", "invalidar/a@example.net", None, 404, "contact not found"),
        ("GET", "revalidar/a@example.net/", None, 404, "contact not found"),
        ("DELETE", "whitelist/nonsense", None, 400, "invalid email"),
        ("POST", "campania/", {"nombre": "x"}, 400, "missing tipo"),
        ("GET", "campania_apikey/", {"numid": 9}, 404, "invalid numid"),
        ("GET", "campania_apikey/", {"numid": "1"}, 400, "numid must be numeric"),
        ("POST", "campania_apikey/", {"numid": 1, "camp_apikey": "a b"}, 400, "invalid camp_apikey"),
        ("POST", "campania_apikey/", {"numid": 1, "camp_apikey": "two"}, 400, "camp_apikey is in use"),
        ("POST", "grupo/", {}, 400, "missing nombre"),
        ("DELETE", "variables/", {"nombre": "x"}, 404, "unknown variable"),
        ("GET", "cantidad_eventos/", {"desde": "2020-01-01"}, 400, "missing hasta"),
        ("GET", "eeid_info/x", None, 404, "invalid eeid"),
        ("POST", "envio/send_one/", {}, 400, "missing viaUrl"),
    ],
)
async def test_refusals(method, path, document, status, on):
    async with calling(dmds_campaigns={"demo-1": "one", "demo-22": "two"}) as caller:
        got, answer = await caller.dmds(path, document, method=method, key="one")
        assert (status, "err") == (got, answer["status"])
        assert answer["on"].startswith(on), answer


async def test_a_campaign_without_a_key_has_none(caller):
    _, made = await caller.dmds("campania/", {"nombre": "News", "tipo": "web"})
    assert "camp_apikey" not in made
    assert (404, {"status": "err", "on": "campaign has no apikey"}) == await caller.dmds(
        "campania_apikey/", {"numid": made["numid"]}, method="GET"
    )


async def test_assumed_keys_are_remarked_on(caller):
    await caller.dmds("contacto/", {"email": "a@example.net", "bases": ["x"], "foo": 1})
    assert ("assumed key: bases", "unknown key: foo") == caller.world.calls[0].remarks


async def test_an_address_with_a_slash_is_one_step(caller):
    assert 200 == (await caller.dmds("whitelist/a%2Fb@example.net"))[0]
    assert (200, {"status": "ok", "msg": "a/b@example.net whitelisted"}) == await caller.dmds(
        "whitelist/a%2Fb@example.net", method="GET"
    )


async def test_invalidating_a_whitelisted_contact_answers_as_documented(caller):
    await caller.dmds("whitelist/ana@example.net")
    assert (200, {"status": "ok", "msg": "whitelisted"}) == await caller.dmds("invalidar/ana@example.net", method="GET")
    assert 1 == (await caller.dmds(MANY, send("ana@example.net")))[1]["sent"]
