"""Answers in shapes that no document shows: whatever can be understood is, and nothing else is taken for success."""

import base64
import json
from datetime import UTC, datetime

import pytest
from aiohttp import web

from relay.config.settings import DmdsSettings
from relay.errors import ApiRefused, ProviderError
from relay.providers.dmds import DmdsClient
from relay.providers.dmds.api.sends import Person
from relay.providers.dmds.api.values import Campaign, Contact, Variable

SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
MAIL = "Subject: Hola\r\n\r\nQué tal\r\n"


@pytest.fixture
async def answering():
    """Make a client of an API that gives the same answer to everything."""
    runners, clients = [], []

    async def make(body, status=200):
        said = body if isinstance(body, bytes) else json.dumps(body).encode()

        async def answer(_request):
            return web.Response(status=status, body=said)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runners.append(web.AppRunner(app, access_log=None))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runners[-1].addresses[0][1]}/{{dmdsid}}/v1"
        clients.append(DmdsClient("demo", "k-canary-k", DmdsSettings(url=url)))
        return await clients[-1].__aenter__()

    yield make
    for client in clients:
        await client.__aexit__(None, None, None)
    for runner in runners:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("body", "contact"),
    [
        ({"email": "a@example.net", "numid": "7", "invalido": "true"}, Contact("a@example.net", 7, is_invalid=True)),
        ({"contacto": {"nombre": "Ana", "edad": "40"}}, Contact("b@example.net", name="Ana", age=40)),
        (
            {"status": "ok", "contacto": {"grupos": [{"nombre": "g"}, 3], "campos": {"x": 1}}},
            Contact("b@example.net", bases=("g", "3"), fields={"x": "1"}),
        ),
        ({"contacto": {"invalido": 0, "eventos": ["?"]}}, Contact("b@example.net")),
    ],
)
async def test_a_contact(answering, body, contact):
    assert contact == await (await answering(body)).contacts.show("b@example.net")


@pytest.mark.parametrize(
    ("body", "emails"),
    [
        (["a@example.net"], ["a@example.net"]),
        ({"status": "ok", "invalidos": [{"email": "a@example.net"}]}, ["a@example.net"]),
        ({"status": "ok", "lista": ["a@example.net"]}, ["a@example.net"]),
        ({"contactos": {"7": {"email": "a@example.net"}, "8": {"email": "b@e.io"}}}, ["a@example.net", "b@e.io"]),
        ({"status": "ok"}, []),
    ],
)  # fmt: skip
async def test_invalid_contacts(answering, body, emails):
    found = await (await answering(body)).contacts.invalid()
    assert emails == [each.email for each in found]
    assert all(each.is_invalid for each in found)


@pytest.mark.parametrize(
    "body",
    [
        [{"numid": 7, "nombre": "x"}],
        {"status": "ok", "campañas": [{"NUMID": "7", "nombre": "x"}]},
        {"campania": {"numid": 7, "nombre": "x"}},
    ],
)
async def test_campaigns(answering, body):
    assert (Campaign(7, name="x"),) == await (await answering(body)).campaigns.list()


async def test_a_campaign_that_has_only_an_id(answering):
    client = await answering({"status": "ok", "campania": {"id": "9"}})
    assert Campaign(9, "9") == await client.campaigns.create("x")
    assert (Campaign(3),) == await (await answering([3])).campaigns.list()


@pytest.mark.parametrize(
    "body", [{"apikey": "k"}, {"campania": {"camp_apikey": "k"}}, {"data": {"x": {"API_KEY": "k"}}}]
)
async def test_a_key(answering, body):
    assert "k" == (await (await answering(body)).campaigns.key(7)).get_secret_value()


@pytest.mark.parametrize("body", [{"variables": {"iva": 21}}, [{"nombre": "iva", "valor": 21}]])
async def test_variables(answering, body):
    assert [Variable("iva", "21")] == list(await (await answering(body)).variables.list())


@pytest.mark.parametrize(
    "body",
    [
        MAIL.encode(),
        {"status": "ok", "eml": MAIL},
        {"data": base64.encodebytes(MAIL.encode()).decode()},
        base64.b64encode(MAIL.encode()).decode(),
    ],
)
async def test_an_archived_mail(answering, body):
    assert MAIL.encode() == await (await answering(body)).batches.eml("b", "a@example.net")


@pytest.mark.parametrize("body", [b"", b" \n", {"status": "ok"}, {"eml": ""}, 5])
async def test_an_archive_without_a_mail(answering, body):
    with pytest.raises(ProviderError):
        await (await answering(body)).batches.eml("b", "a@example.net")


@pytest.mark.parametrize("body", [{"cantidad": "5"}, {"total": 5}, {"cantidad_eventos": 5}])
async def test_a_number_of_events(answering, body):
    assert 5 == await (await answering(body)).events.count(SINCE, UNTIL)


async def test_a_page_that_comes_again_ends_the_search(answering):
    """Where the key of the page's number were another, every page would be the first, for ever."""
    client = await answering({"eventos": [{"evento": "envio", "timestamp": "soon"}] * 10})
    with pytest.raises(ProviderError, match="is the one before again: is pagina its key"):
        assert 10 == len([event async for event in client.events.between(SINCE, UNTIL, 10)])


async def test_archives_that_are_no_object(answering):
    info = await (await answering([1])).batches.info("b")
    assert (None, {"items": [1]}) == (info.archive, info.members)


NOTHING = [b"", b"<html>", b"5", b'"ok"']


@pytest.mark.parametrize("body", NOTHING)
@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.version(),
        lambda client: client.contacts.save("a@example.net"),
        lambda client: client.sends.one_inline(1, Person("a@example.net"), "x"),
        lambda client: client.campaigns.set_key(7),
    ],
)
async def test_a_success_that_says_nothing_is_none(answering, ask, body):
    """And may have been done all the same."""
    with pytest.raises(ProviderError) as caught:
        await ask(await answering(body))
    assert caught.value.maybe_accepted


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.whitelist.shows("a@example.net"),
        lambda client: client.campaigns.create("x"),
        lambda client: client.campaigns.key(7),
        lambda client: client.events.count(SINCE, UNTIL),
        lambda client: client.sends.one_inline(1, Person("a@example.net"), "x"),
    ],
)
async def test_an_ok_without_what_was_asked_for_is_none(answering, ask):
    with pytest.raises(ProviderError):
        await ask(await answering({"status": "ok"}))


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, {"status": "err", "on": "invalid email"}, "refused (200): invalid email"),
        (400, {"status": "err", "msg": "k-canary-k is no key"}, "refused (400): *** is no key"),
        (401, {}, "the credentials are refused (401): the API gives no reason"),
        (404, b"oops", "refused (404): the API gives no reason"),
    ],
)
async def test_refusals_are_told_without_secrets(answering, status, body, told):
    with pytest.raises(ApiRefused) as caught:
        await (await answering(body, status)).version()
    assert told == str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "maybe"),
    [
        (500, b"oops", True),
        (502, b"", True),
        (503, b"", False),
        (429, {"status": "err", "on": "slower"}, False),
        (200, {"status": "err", "on": "invalid email", "sent": 1}, True),
    ],
)
async def test_trouble_of_the_api_is_no_refusal(answering, status, body, maybe):
    """It may have been done before the trouble began."""
    with pytest.raises(ProviderError, match=f"HTTP {status}") as caught:
        await (await answering(body, status)).sends.one_inline(1, Person("a@example.net"), "x")
    assert maybe == caught.value.maybe_accepted
