"""Delivery reports, as Mensatek posts them to its customers."""

import base64
import contextlib
import json
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web
from sandbox_caller import Caller, calling, email

from relay.sandbox import Sandbox, SandboxOptions

FIELDS = [
    "Servicio",
    "Estado",
    "Remitente",
    "Destinatario",
    "RefCampaign",
    "RefMensaje",
    "Fecha",
    "idCampaign",
    "idMensaje",
    "Aperturas",
    "IP",
    "Dispositivo",
    "SistOperativo",
]


@contextlib.asynccontextmanager
async def customer(status=200):
    """Somebody who takes reports; yields the address and what came."""
    came = []

    async def take(request):
        came.append((request.content_type, request.headers.get("Authorization"), await request.text()))
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/reports/secret", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/reports/secret", came
    finally:
        await runner.cleanup()


async def reports_of(caller, count):
    await caller.world.until(lambda world: len(world.reports) >= count)
    return caller.world.reports


def entry(address, reference):
    return {"Email": address, "Referencia": reference}


async def test_each_delivered_mail_is_reported_with_every_documented_field():
    async with customer() as (url, came), calling(report_url=url, report_delay_seconds=0) as caller:
        document = email(Destinatarios=[entry("ana@example.net", "m1")], Referenciausuario="order-7", Report=1)
        answer = await caller.mensatek(document)
        (report,) = await reports_of(caller, 1)
        ((content_type, authorization, text),) = came
        fields = json.loads(text)
        (mail,) = caller.world.mails
        assert ("application/json", None) == (content_type, authorization)
        assert FIELDS == list(fields)
        assert {str} == {type(value) for value in fields.values()}
        assert {
            "Servicio": "EMAILTRANSACCIONAL",
            "Estado": "11",
            "Remitente": "sender@example.org",
            "Destinatario": "ana@example.net",
            "RefCampaign": "order-7",
            "RefMensaje": "m1",
            "idCampaign": answer["idEnvio"],
            "idMensaje": mail.message_id,
            "Aperturas": "0",
        }.items() <= fields.items()
        assert (200, "", 11, mail.id) == (report.status, report.error, report.estado, report.mail_id)
        _, seen = await caller.control("GET", "sandbox/reports")
        assert [("ana@example.net", 11)] == [(one["mailbox"], one["estado"]) for one in seen]


async def test_a_form_with_authorization():
    options = {"report_format": "form", "report_user": "ñ", "report_password": "p:w", "report_delay_seconds": 0}
    async with customer() as (url, came), calling(report_url=url, **options) as caller:
        await caller.mensatek(email(Report="1"))
        await reports_of(caller, 1)
        ((content_type, authorization, text),) = came
        assert "application/x-www-form-urlencoded" == content_type
        assert "Basic " + base64.b64encode("ñ:p:w".encode()).decode() == authorization
        assert FIELDS == list(parse_qs(text, keep_blank_values=True))


async def test_a_sequence_is_reported_in_order_and_bounces_instead_of_it():
    options = {"report_states": (1002, 11, 10), "report_delay_seconds": 0, "bounces": {"Full@": 54, "gone": 55}}
    async with customer() as (url, _), calling(report_url=url, **options) as caller:
        await caller.mensatek(email("ana@example.net", "full@example.net", "x@gone.example", Report=1))
        reports = await reports_of(caller, 5)
        by_mailbox = {}
        for report in reports:
            by_mailbox.setdefault(report.mailbox, []).append(report.estado)
        assert {"ana@example.net": [1002, 11, 10], "full@example.net": [54], "x@gone.example": [55]} == by_mailbox
        assert ["delivered", "bounced-soft", "bounced-hard"] == [mail.fate for mail in caller.world.mails]


async def test_an_opened_mail_tells_by_what():
    async with (
        customer() as (url, came),
        calling(report_url=url, report_states=(10,), report_delay_seconds=0) as caller,
    ):
        await caller.mensatek(email(Report=1))
        await reports_of(caller, 1)
        assert '"Aperturas": "1", "IP": "10.10.20.200", "Dispositivo": "2", "SistOperativo": "3"' in came[0][2]


@pytest.mark.parametrize("report", [{"Report": 0}, {}])
async def test_without_report_nothing_is_posted(report):
    async with customer() as (url, came), calling(report_url=url, report_delay_seconds=0) as caller:
        await caller.mensatek(email("first@example.net", **report))
        await caller.mensatek(email("second@example.net", Report=1))
        assert ["second@example.net"] == [one.mailbox for one in await reports_of(caller, 1)]
        assert 1 == len(came)


async def test_a_customer_that_refuses_or_is_not_there_is_noted():
    async with customer(status=500) as (url, _), calling(report_url=url, report_delay_seconds=0) as caller:
        await caller.mensatek(email(Report=1))
        assert [(500, "")] == [(one.status, one.error) for one in await reports_of(caller, 1)]
    async with calling(report_url="http://127.0.0.1:1/", report_delay_seconds=0) as caller:
        await caller.mensatek(email(Report=1))
        assert [(0, "ClientConnectorError")] == [(one.status, one.error) for one in await reports_of(caller, 1)]


async def test_it_stops_while_reports_wait():
    async with calling(report_url="http://127.0.0.1:1/", report_delay_seconds=3600) as caller:
        await caller.mensatek(email(Report=1))
        assert () == caller.world.reports


async def test_the_time_is_spains():
    async with customer() as (url, came):
        options = SandboxOptions(port=0, report_url=url, report_delay_seconds=0)
        async with Sandbox(options, clock=lambda: 1606990464.0) as sandbox, aiohttp.ClientSession() as session:
            caller = Caller(sandbox, session)
            await caller.mensatek(email(Report=1))
            await reports_of(caller, 1)
        assert '"Fecha": "2020-12-03 11:14:24"' in came[0][2]  # as in the document's sample
