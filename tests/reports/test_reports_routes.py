"""The return routes, each against a real receiver."""

import asyncio
import json
import mailbox
import ssl
import stat
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult
from certificates import make_certificate
from pydantic import SecretStr
from report_parts import HOST, NOON, composed, entry, untold
from standardwebhooks import Webhook

from relay.config.reports import ReportSettings, SmtpRouteSettings
from relay.config.units import HostPort
from relay.message import MessageId
from relay.providers import HttpClient, trust
from relay.queue.contract import Action, State
from relay.queue.reporting import Report
from relay.reports import reporter
from relay.reports.contract import RouteTrouble
from relay.reports.routes import smtp
from relay.reports.routes.directory import DirectoryRoute
from relay.reports.routes.smtp import SmtpRoute
from relay.reports.routes.webhook import WebhookRoute, event
from relay.reports.routing import Routing

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def report(owing=None) -> Report:
    owing = owing or untold()
    sender = owing.message.envelope.mail_from
    return Report(MessageId("01M82ETYZYR7QBS7PRRWBMP6HA"), owing.message.id, "acme", sender, composed(owing), NOON)


# --- a directory ---


async def test_a_report_is_one_file_of_a_maildir_for_its_owner_alone(tmp_path):
    folder = tmp_path / "a" / "reports"
    sent = report()

    await DirectoryRoute(folder).send(sent)

    (found,) = mailbox.Maildir(folder)
    assert message_from_bytes(sent.data)["Message-ID"] == found["Message-ID"]
    (file,) = (folder / "new").iterdir()
    assert sent.data.replace(b"\r\n", b"\n") == file.read_bytes()
    assert (0o600, 0o700) == (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE((folder / "new").stat().st_mode))
    assert [] == list((folder / "tmp").iterdir())


async def test_the_same_report_again_is_the_same_file(tmp_path):
    """Killed between the file and the store's knowing of it, the next life writes it again."""
    for _ in range(2):
        await DirectoryRoute(tmp_path).send(report())
    (file,) = (tmp_path / "new").iterdir()
    file.rename(tmp_path / "cur" / f"{file.name}:2,S")

    await DirectoryRoute(tmp_path).send(report())

    assert [] == list((tmp_path / "new").iterdir())


async def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "reports").write_text("a file")

    with pytest.raises(RouteTrouble, match="directory") as told:
        await DirectoryRoute(tmp_path / "reports").send(report())
    assert not told.value.is_permanent


# --- a mail server ---


class Mailbox:
    """A scripted mail server's handler: keeps what comes, or says what the script wants."""

    def __init__(self, **replies: str) -> None:
        self.replies = replies
        self.mails = []
        self.rcpt_options = []
        self.mail_options = []

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - the name that aiosmtpd calls
        self.mail_options.append(options)
        envelope.mail_from = address
        return self.replies.get("mail", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - the name that aiosmtpd calls
        self.rcpt_options.append(options)
        envelope.rcpt_tos.append(address)
        return self.replies.get("rcpt", "250 OK")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the name that aiosmtpd calls
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return self.replies.get("data", "250 OK")


@asynccontextmanager
async def mail_server(handler, **options):
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, hostname="mx", **options), "127.0.0.1", 0
    )
    try:
        yield HostPort("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


def smtp_route(address, trusted=None, **settings) -> SmtpRoute:
    return SmtpRoute(address, SmtpRouteSettings(address=address, **{"tls": "none", **settings}), HOST, trusted)


async def test_a_report_is_sent_from_the_null_sender():
    handler = Mailbox()
    sent = report()
    async with mail_server(handler) as address:
        await smtp_route(address).send(sent)

    ((mail_from, recipients, data),) = handler.mails
    assert ("", ["app@example.com"]) == (mail_from.strip("<>"), recipients)
    assert sent.data == data


async def test_an_international_report_needs_a_server_for_it():
    owing = untold(entry("josé@example.org"), sender="señor@example.com")
    handler = Mailbox()
    async with mail_server(handler, enable_SMTPUTF8=True) as address:
        await smtp_route(address).send(report(owing))
    assert ["señor@example.com"] == handler.mails[0][1]
    assert "SMTPUTF8" in handler.mail_options[0]

    async with mail_server(Mailbox(), enable_SMTPUTF8=False) as address:
        with pytest.raises(RouteTrouble, match="SMTPUTF8") as told:
            await smtp_route(address).send(report(owing))
    assert told.value.is_permanent


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
@pytest.mark.parametrize(("reply", "is_permanent"), [("451 4.3.0 later", False), ("550 5.1.1 no such user", True)])
async def test_what_the_server_says_of_the_report_counts(step, reply, is_permanent):
    async with mail_server(Mailbox(**{step: reply})) as address:
        with pytest.raises(RouteTrouble, match=reply[:3]) as told:
            await smtp_route(address).send(report())

    assert is_permanent is told.value.is_permanent


async def test_trouble_on_the_way_passes():
    """A wrong password, a server that is down or has no TLS: the settings are at fault, and somebody mends them."""
    async with mail_server(Mailbox()) as address:
        with pytest.raises(RouteTrouble) as no_tls:
            await smtp_route(address, tls="starttls").send(report())
    with pytest.raises(RouteTrouble) as down:
        await smtp_route(address).send(report())
    assert not no_tls.value.is_permanent
    assert not down.value.is_permanent


async def test_a_server_that_takes_its_time_does_not_outlast_the_lease(monkeypatch):
    """Each reply may come in its time and all of them too late: then somebody else sends the report as well."""
    assert smtp._WHOLE_SECONDS < reporter._LEASE_SECONDS
    monkeypatch.setattr(smtp, "_WHOLE_SECONDS", 0.2)
    handler, never = Mailbox(), asyncio.Event()

    async def wait(*_):
        await never.wait()

    handler.handle_RCPT = wait
    async with mail_server(handler) as address:
        with pytest.raises(RouteTrouble, match="mail server") as told:
            await smtp_route(address).send(report())
    assert not told.value.is_permanent


@pytest.mark.parametrize("password", ["right", "wrong"])
async def test_a_login_goes_over_tls(tmp_path, password):
    certificate = make_certificate(tmp_path)
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(certificate.chain, certificate.key)

    def authenticate(server, session, envelope, mechanism, auth):
        return AuthResult(success=auth.password == b"right", handled=False)

    handler = Mailbox()
    rules = {"auth_require_tls": True, "auth_required": True, "authenticator": authenticate, "require_starttls": True}
    async with mail_server(handler, tls_context=server_side, **rules) as address:
        settings = SmtpRouteSettings(address=address, tls="starttls", user="relay", password=SecretStr(password))
        route = SmtpRoute(HostPort("localhost", address.port), settings, HOST, trust(certificate.authority))
        if password == "right":
            await route.send(report())
        else:
            with pytest.raises(RouteTrouble, match="535") as told:
                await route.send(report())
            assert not told.value.is_permanent
    assert (password == "right") is bool(handler.mails)


# --- a program ---


@asynccontextmanager
async def receiver(status=200):
    """A web server that keeps what is posted to it."""
    posted = []

    async def take(request):
        posted.append((dict(request.headers), await request.read()))
        return web.Response(status=status)

    app = web.Application()
    app.add_routes([web.post("/reports", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/reports", posted
    finally:
        await runner.cleanup()


async def post(url, sent, clock=lambda: NOON):
    async with HttpClient(1) as http:
        await WebhookRoute(http, url, SECRET, None, clock).send(sent)


async def test_a_program_gets_a_signed_event_that_tells_all():
    owing = untold(
        entry(status="5.1.1"), entry("b@example.org", 1, state=State.ACCEPTED, owed=Action.RELAYED), envid="E1"
    )
    sent = report(owing)
    async with receiver() as (url, posted):
        await post(url, sent, time.time)

    ((headers, body),) = posted
    event = Webhook(SECRET).verify(body, headers)
    assert "application/json" == headers["Content-Type"]
    assert sent.id == headers["webhook-id"]
    assert ("report.failed", "app@example.com", "acme") == (
        event["type"],
        event["data"]["sender"],
        event["data"]["account"],
    )
    assert ("2027-01-15T08:00:00+00:00", owing.message.id) == (event["timestamp"], event["data"]["message_id"])
    assert ["failed", "relayed"] == [recipient["action"] for recipient in event["data"]["recipients"]]
    assert ["5.1.1", "2.0.0"] == [recipient["status"] for recipient in event["data"]["recipients"]]
    assert json.loads(body) == event


@pytest.mark.parametrize("address", ["=?x?q?a?=@example.org", "=?utf-8?q?a?=@example.org"])
@pytest.mark.parametrize("reason", ["bad =?zz?b?YQ==?= value", "bad =?utf-8?b?a?= value", "bad =?utf-8?b?/w==?= value"])
def test_what_only_looks_like_an_encoded_word_is_told_as_it_is(address, reason):
    told = event(report(untold(entry(address, orcpt=f"rfc822;{address.replace('=', '+3D')}", reason=reason))))

    (recipient,) = told["data"]["recipients"]
    assert (f"rfc822; {address}", f"rfc822; {address}", f"x-dmds; {reason}") == (
        recipient["final_recipient"],
        recipient["original_recipient"],
        recipient["diagnostic_code"],
    )


@pytest.mark.parametrize("ret", ["", "FULL"])
@pytest.mark.parametrize("length", range(20, 60))
def test_a_subject_that_looks_like_a_part_is_none(length, ret):
    """The text for people gives it back, broken into lines."""
    subject = f"{'x' * length} delivery-status Content-Transfer-Encoding: 7bit".encode()
    data = b"Subject: " + subject + b"\r\n\r\nx\r\n"
    told = event(report(untold(data=data, ret=ret)))

    assert "report.failed" == told["type"]
    (recipient,) = told["data"]["recipients"]
    assert "rfc822; ana@example.org" == recipient["final_recipient"]


def test_the_signature_is_the_one_of_the_specification():
    """The example of Standard Webhooks: a receiver in any language agrees on it."""
    at = datetime.fromtimestamp(1614265330, UTC)
    signed = Webhook(SECRET).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
    assert "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" == signed


@pytest.mark.parametrize(("status", "is_permanent"), [(500, False), (404, False), (429, False), (410, True)])
async def test_a_program_that_does_not_take_it_is_asked_again_until_it_is_gone(status, is_permanent):
    async with receiver(status) as (url, _):
        with pytest.raises(RouteTrouble, match=str(status)) as told:
            await post(url, report())

    assert is_permanent is told.value.is_permanent


async def test_a_program_that_is_not_there_is_asked_again():
    async with receiver() as (url, _):
        pass

    with pytest.raises(RouteTrouble) as told:
        await post(url, report())
    assert not told.value.is_permanent


# --- which one ---


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (ReportSettings(), "DirectoryRoute"),
        (ReportSettings(postmaster="a@example.org"), "ApiRoute"),
        (ReportSettings(route="directory", postmaster="a@example.org"), "DirectoryRoute"),
        (ReportSettings(route="smtp", smtp={"address": "mx.example.org:25"}), "SmtpRoute"),
        (ReportSettings(route="webhook", webhook={"url": "https://example.org", "secret": SECRET}), "WebhookRoute"),
    ],
)
def test_the_settings_choose_the_route(tmp_path, settings, kind):
    assert kind == type(routing(tmp_path).route_of(settings)).__name__


@pytest.mark.parametrize(
    "settings",
    [
        ReportSettings(route="none"),
        ReportSettings(route="smtp"),
        ReportSettings(route="smtp", smtp={"address": "mx.example.org:25", "ca_file": "/nowhere.pem"}),
    ],
)
def test_a_route_that_cannot_be_had_is_told(tmp_path, settings):
    with pytest.raises(RouteTrouble):
        routing(tmp_path).route_of(settings)


def routing(folder) -> Routing:
    return Routing(
        gatekeeper=None,
        preparation=None,
        intake=None,
        view=None,
        http=HttpClient(1),
        hostname=HOST,
        directory=folder,
        clock=lambda: NOON,
    )
