"""Delivery reports as Mensatek posts them: typed, and read whatever comes."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from relay.config.settings import MensatekSettings
from relay.providers.mensatek import MensatekClient
from relay.providers.mensatek.api.values import Order, Recipient
from relay.providers.mensatek.reports import DeliveryReport, Standing, read_report
from relay.sandbox import Sandbox, SandboxOptions

#: The sample of the vendor's document.
SAMPLE = {
    "Servicio": "EMAILTRANSACCIONAL",
    "Estado": "11",
    "Remitente": "tucorreo@tudominio.example",
    "Destinatario": "destino@dominio.com",
    "RefCampaign": "12333-4545-23233",
    "RefMensaje": "12345678T",
    "Fecha": "2020-12-03 11:14:24",
    "idCampaign": "10573758",
    "idMensaje": "33434444443",
    "Aperturas": "1",
    "IP": "10.10.20.200",
    "Dispositivo": "2",
    "SistOperativo": "3",
}
READ = DeliveryReport(
    state=11,
    recipient="destino@dominio.com",
    service="EMAILTRANSACCIONAL",
    sender="tucorreo@tudominio.example",
    reference="12333-4545-23233",
    recipient_reference="12345678T",
    at=datetime(2020, 12, 3, 10, 14, 24, tzinfo=UTC),
    send_id="10573758",
    message_id="33434444443",
    opens=1,
    ip="10.10.20.200",
    device=2,
    system=3,
    members={key.casefold(): value for key, value in SAMPLE.items()},
)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps(SAMPLE).encode(), "application/json"),
        (json.dumps([SAMPLE]).encode(), "application/json; charset=utf-8"),
        (json.dumps({**SAMPLE, "Estado": 11, "Aperturas": 1}).encode(), "text/plain"),
        (urlencode(SAMPLE).encode(), "application/x-www-form-urlencoded"),
        (
            b"".join(
                f'--xx\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
                for key, value in SAMPLE.items()
            )
            + b"--xx--\r\n",
            "multipart/form-data; boundary=xx",
        ),
    ],
)
def test_the_documents_sample_is_read_in_every_form(body, content_type):
    assert read_report(body, content_type) == READ


@pytest.mark.parametrize(
    ("state", "standing", "link"),
    [
        (1000, Standing.IN_PROGRESS, None),
        (1002, Standing.IN_PROGRESS, None),
        (11, Standing.DELIVERED, None),
        (10, Standing.ENGAGED, None),
        (14, Standing.ENGAGED, None),
        (101, Standing.ENGAGED, 1),
        (120, Standing.ENGAGED, 20),
        (121, Standing.UNKNOWN, None),
        (50, Standing.BOUNCED, None),
        (55, Standing.BOUNCED, None),
        (53, Standing.GIVEN_UP, None),
        (54, Standing.GIVEN_UP, None),
        (56, Standing.REFUSED, None),
        (58, Standing.REFUSED, None),
        (59, Standing.UNKNOWN, None),
    ],
)
def test_states_mean_what_they_mean_at_siblings(state, standing, link):
    report = read_report(json.dumps({"Resultado": state, "DESTINATARIO": "a@example.net"}).encode(), "application/json")
    assert report is not None
    assert (state, standing, link) == (report.state, report.standing, report.link)


def test_what_is_missing_or_odd_fails_nothing():
    report = read_report(b'{"Estado": "?", "Destinatario": "a@example.net", "Fecha": "soon", "IP": null}', "")
    assert report is not None
    assert (None, Standing.UNKNOWN, None, "", None) == (
        report.state,
        report.standing,
        report.at,
        report.ip,
        report.link,
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b'"x"', "application/json"),
        (b'{"Estado": 11}', "application/json"),
        (b"Estado=11", "application/x-www-form-urlencoded"),
        (b"--xx--", "multipart/form-data"),
    ],
)
def test_what_is_no_report_is_none(body, content_type):
    assert read_report(body, content_type) is None


@given(
    st.binary(max_size=300),
    st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=xx", "\r\n"]
    ),
)
def test_nothing_that_is_posted_breaks_the_reading(body, content_type):
    read_report(body, content_type)


async def test_reports_of_the_sandbox_are_read():
    """Posted as the platform posts them, in both forms."""
    heard = []

    async def take(request):
        heard.append(read_report(await request.read(), request.headers["Content-Type"]))
        return web.Response()

    app = web.Application()
    app.router.add_post("/reports", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/reports"
    for form in ("json", "form"):
        options = SandboxOptions(port=0, report_url=url, report_format=form, report_delay_seconds=0)
        async with (
            Sandbox(options) as sandbox,
            MensatekClient("demo-user", "demo-token", MensatekSettings(url=sandbox.mensatek_url)) as client,
        ):
            people = [Recipient("bounce@example.net", reference="B-1")]
            sent = await client.send(
                Order("app@example.org", people, "Hola", "<p>Hola</p>", reference="c-1", report=True)
            )
            await sandbox.world.until(lambda world: bool(world.reports))
        report = heard.pop()
        assert ("bounce@example.net", Standing.BOUNCED, "c-1", "B-1", sent.send_id) == (
            report.recipient,
            report.standing,
            report.reference,
            report.recipient_reference,
            report.send_id,
        )
    await runner.cleanup()
