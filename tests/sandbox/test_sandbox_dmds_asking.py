"""Version, campaigns, contacts and events of DMDS."""

import itertools

import aiohttp
import pytest
from sandbox_caller import Caller, calling, send

from relay.sandbox import Sandbox, SandboxOptions

MANY = "envio/send_many_inline/"
ALL_DAYS = {"desde": "2000-01-01T00:00:00", "hasta": "2100-01-01T00:00:00"}


async def test_the_version(caller):
    assert (200, {"status": "ok", "version": "1.5"}) == await caller.dmds("version/", method="GET")


@pytest.mark.parametrize(
    ("document", "numbers"),
    [
        (None, [1, 22]),
        ({"tipo": "api"}, [1, 22]),
        ({"tipo": "api", "numid": 22}, [22]),
        ({"numid": 3}, []),
        ({"tipo": "web"}, []),
    ],
)
async def test_campaigns_of_the_customer_without_their_keys(document, numbers):
    async with calling(dmds_campaigns={"demo-1": "one", "demo-22": "two", "acme-3": "three"}) as caller:
        status, answer = await caller.dmds("campania/", document, method="GET", key="one")
        assert (200, numbers) == (status, [campaign["numid"] for campaign in answer["campanias"]])
        assert not {"one", "two", "three"} & set(str(answer).replace("'", " ").split())


async def test_campaign_numbers_are_numeric(caller):
    assert (400, {"status": "err", "on": "numid must be numeric"}) == await caller.dmds(
        "campania/", {"numid": "1234"}, method="GET"
    )


async def test_a_contact_is_told_with_its_events(caller):
    await caller.dmds(MANY, send(contactos=[{"email": "ana@example.net", "nombre": "Ana", "apellido": "Ruiz"}]))
    status, answer = await caller.dmds("contacto/ANA@example.net", method="GET")
    contact = answer["contacto"]
    assert (200, "ok") == (status, answer["status"])
    documented = ["numid", "email", "nombre", "apellido", "edad", "sexo", "operacion", "invalido", "eventos"]
    assert [*documented, "bases", "campos"] == list(contact)
    assert ("ana@example.net", "Ana", "Ruiz", False) == tuple(
        contact[n] for n in ("email", "nombre", "apellido", "invalido")
    )
    assert ["envio"] == [event["evento"] for event in contact["eventos"]]


async def test_a_contact_that_nobody_knows_is_404(caller):
    assert (404, {"status": "err", "on": "contact not found"}) == await caller.dmds(
        "contacto/x@example.net/", method="GET"
    )


async def test_times_are_argentinas_without_a_zone():
    # 2020-10-15T11:25:11Z is the documented 08:25:11
    clock = itertools.count(1602761111.9, 0).__next__
    async with Sandbox(SandboxOptions(port=0), clock=clock) as sandbox, aiohttp.ClientSession() as session:
        caller = Caller(sandbox, session)
        _, sent = await caller.dmds(MANY, send())
        _, answer = await caller.dmds(f"eventos/{sent['eeid']}", method="GET")
        assert [
            {"evento": "envio", "timestamp": "2020-10-15T08:25:11", "email": "ana@example.net", "eeid": sent["eeid"]}
        ] == answer["eventos"]


async def test_events_of_an_unknown_batch_are_404(caller):
    assert (404, {"status": "err", "on": "invalid eeid"}) == await caller.dmds("eventos/x", method="GET")


async def test_events_come_in_pages(caller):
    await caller.dmds(MANY, send(*(f"m{i}@example.net" for i in range(23))))
    pages = []
    for page in (1, 2, 3, 4):
        _, answer = await caller.dmds("ver_eventos/", {**ALL_DAYS, "pagina": page, "cantidad": 10}, method="GET")
        assert (23, page, 10) == (answer["total"], answer["pagina"], answer["cantidad"])
        pages.append([event["email"] for event in answer["eventos"]])
    assert [10, 10, 3, 0] == [len(page) for page in pages]
    assert [f"m{i}@example.net" for i in range(23)] == list(itertools.chain(*pages))
    assert ("assumed key: desde", "assumed key: hasta") == caller.world.calls[1].remarks


async def test_events_of_other_days_and_customers_are_not_shown(caller):
    await caller.dmds(MANY, send())
    caller.world.book.note("acme", "eeid", "x@example.net", caller.world.book.events("demo")[0].happening)
    past = {"desde": "2000-01-01 00:00:00", "hasta": "2000-02-01", "pagina": 1, "cantidad": 10}
    assert 0 == (await caller.dmds("ver_eventos/", past, method="GET"))[1]["total"]
    assert 1 == (await caller.dmds("ver_eventos/", {**past, "hasta": "2100-01-01"}, method="POST"))[1]["total"]


@pytest.mark.parametrize(
    ("change", "on"),
    [
        ({"pagina": "1"}, "pagina must be numeric"),
        ({"cantidad": "10"}, "cantidad must be numeric"),
        ({"cantidad": True}, "cantidad must be numeric"),
        ({"cantidad": 9}, "cantidad must be at least 10"),
        ({"pagina": 0}, "pagina must be at least 1"),
        ({"pagina": None}, "missing pagina"),
        ({"desde": None}, "missing desde"),
        ({"hasta": "soon"}, "hasta must be a date and time like 2020-10-15T08:25:11"),
        ({"hasta": "2020-10-15T08:25:11Z"}, "hasta must be a date and time like 2020-10-15T08:25:11"),
    ],
)
async def test_pages_are_asked_for_exactly(caller, change, on):
    document = {**ALL_DAYS, "pagina": 1, "cantidad": 10, **change}
    assert (400, {"status": "err", "on": on}) == await caller.dmds("ver_eventos/", document, method="GET")
