"""Mail servers with the gateway as their smarthost, set up as docs/clients.md says: the way whole machines send."""

import os
import smtplib
import time
from dataclasses import replace

import pytest
from document import DOCUMENT, recipe, sections
from mailing import (
    LOGINS,
    SENDER,
    Addresses,
    assert_arrived,
    assert_everybody_got_it,
    example_words,
    mail,
    mail_to,
)
from postfix import free_port
from running import until
from smarthosts import SERVERS

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mail servers can only be started by root")

_SECONDS = 60


@pytest.fixture(scope="module")
def make_server(certificate):
    """Set a server up after a section of the document; it is stopped at the end of the module."""
    made = []

    def make(section, gateway, login, authority=certificate.authority, **options):
        listeners = ("implicit", "implicit") if section.endswith("port 465") else ("starttls", "implicit")
        words = example_words(gateway, login, authority, listeners)
        del words["/etc/ssl/relay-ca.pem"]  # each server finds its copy where the document has it
        made.append(SERVERS[section.partition(",")[0]](recipe(section, words), authority, **options))
        return made[-1].start()

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="module")
def servers(make_server, gateway, logins):
    """A server for each section and login that talks to the common gateway, started when it is first asked for."""
    running = {}

    def make(section, login="kept-dmds"):
        if (section, login) not in running:
            running[section, login] = make_server(section, gateway, logins[login])
        return running[section, login]

    return make


def keep_trying(server, holds, otherwise):
    """Have a server try again, once a second, until something holds."""
    due = time.monotonic()

    def is_so():
        nonlocal due
        if not holds() and time.monotonic() >= due:
            server.retry()
            due = time.monotonic() + 1
        return holds()

    until(is_so, _SECONDS, otherwise)


def wait_until_told(server, words):
    """Have the server try until its log says why the mail waits; the mail must still be there."""
    keep_trying(server, lambda: words in server.log(), f"the log does not say {words}")
    assert server.waiting() > 0, server.log()


def wait_until_sent(server, sandbox, address):
    """Wait until a mail arrives and nothing is left with the server; returns the mailbox."""
    until(lambda: len(sandbox.mails(address)) > 0, _SECONDS, f"{address} got nothing: {server.log()}")
    until(lambda: server.waiting() == 0, _SECONDS, "something is left")
    return sandbox.wait_for(address)


def test_every_server_of_the_document_is_tried():
    assert set(SERVERS) <= set(sections())


def test_the_readme_has_postfix_as_the_document_has_it():
    readme = (DOCUMENT.parents[1] / "README.md").read_text(encoding="utf-8")

    assert f"```\n{recipe('Postfix', {'-': '-'})['/etc/postfix/main.cf']}```\n" in readme


@pytest.mark.parametrize(
    ("section", "login"),
    [
        *(("Postfix", login) for login in LOGINS),
        ("Postfix, port 465", "kept-mensatek"),
        ("Postfix, null client", "passed-mensatek"),
        ("Exim", "kept-dmds"),
        ("Exim", "passed-mensatek"),
        ("Exim, port 465", "kept-dmds"),
        ("OpenSMTPD", "kept-dmds"),
        ("OpenSMTPD", "passed-mensatek"),
        ("OpenSMTPD, port 465", "kept-mensatek"),
        ("nullmailer", "kept-dmds"),
        ("nullmailer", "passed-mensatek"),
        ("nullmailer, port 465", "kept-dmds"),
    ],
)
def test_to_cc_bcc_and_attachment_arrive(servers, logins, sandbox, unique, section, login):
    addresses = Addresses.of(unique)
    server = servers(section, login)

    server.submit(SENDER, addresses.all, mail([addresses.to], [addresses.cc]).as_bytes())

    for address in addresses.all:
        wait_until_sent(server, sandbox, address)
    assert_everybody_got_it(sandbox, addresses, logins[login].api)


@pytest.mark.parametrize("name", SERVERS)
def test_the_log_names_the_gateways_id(servers, gateway, sandbox, unique, name):
    to = f"{unique}@inbox.example"

    servers(name).submit(SENDER, [to], mail([to]).as_bytes())

    wait_until_sent(servers(name), sandbox, to)
    accepted = {event["message_id"] for event in gateway.events("message_accepted")}
    assert any(f"queued as {message_id}" in servers(name).log() for message_id in accepted)


@pytest.mark.parametrize("name", SERVERS)
def test_a_list_of_a_hundred_in_several_domains_gets_one_each(servers, sandbox, unique, name):
    """The servers split it, each in its own way; the To header names only the list."""
    members = [f"{number}-{unique}@{number % 4}.inbox.example" for number in range(100)]
    server = servers(name)

    server.submit("lista@shop.example", members, mail([f"lista-{unique}@shop.example"]).as_bytes())

    for member in members:
        (got,) = wait_until_sent(server, sandbox, member)
        others = {other for other in members if other != member}
        assert not others & {shown.email for shown in (*got.to, *got.cc)}
    assert () == sandbox.mails(f"lista-{unique}@shop.example")


@pytest.mark.parametrize("name", SERVERS)
def test_a_bounce_of_its_own_goes_out_with_the_null_sender(servers, gateway, sandbox, unique, name):
    """A recipient is refused, so the server reports to the sender, through the gateway again (RFC 5321 §4.5.5)."""
    sender, server = f"sender-{unique}@inbox.example", servers(name)

    server.submit(sender, ["gone@nohost"], mail(["gone@nohost"]).as_bytes())

    (report,) = wait_until_sent(server, sandbox, sender)
    assert "gone@nohost" in report.html
    assert "" in {event["mail_from"] for event in gateway.events("message_accepted")}


@pytest.mark.parametrize("name", SERVERS)
def test_mail_waits_when_the_login_is_refused(make_server, gateway, logins, sandbox, unique, name):
    """A wrong password must never bounce mail: the server keeps it and says why."""
    wrong = replace(logins["kept-dmds"], password=f"wrong-{unique}")
    server, addresses = make_server(name, gateway, wrong), Addresses.of(unique)

    server.submit(SENDER, addresses.all, mail_to(addresses).as_bytes())

    wait_until_told(server, "535 5.7.8")
    assert () == sandbox.mails(addresses.to)


class ComingAndGoing:
    """One gateway after the other on one port."""

    def __init__(self, start_gateway, config, certificate) -> None:
        self.port = free_port()
        pair = f'certificate = "{certificate.chain}"\nkey = "{certificate.key}"\n'
        self._config = (
            f'{config}\n[listener.implicit]\naddress = "127.0.0.1:0"\ntls = "implicit"\n{pair}'
            f'[listener.starttls]\naddress = "127.0.0.1:{self.port}"\ntls = "starttls"\n{pair}'
        )
        self._start_gateway = start_gateway
        self._running = None

    def come(self, more="", **environ):
        """Start a gateway in the place of the last one; more lines are for its listener."""
        self.go()
        self._running = self._start_gateway(self._config + more, environ=environ)
        return self._running

    def go(self) -> None:
        """Stop it."""
        if self._running is not None:
            self._running.stop()


@pytest.fixture
def visitor(start_gateway, base_config, certificate):
    """A gateway that comes and goes."""
    gateway = ComingAndGoing(start_gateway, base_config, certificate)
    yield gateway
    gateway.go()


@pytest.mark.parametrize("name", SERVERS)
def test_mail_waits_while_the_gateway_is_away_or_full_and_then_arrives(
    make_server, visitor, logins, sandbox, unique, name
):
    """No connection, then 452 (the disk is full), then room: the same mail, once, and no bounce before."""
    server = make_server(name, visitor.come(), logins["kept-dmds"])
    visitor.go()
    sender, addresses = f"sender-{unique}@inbox.example", Addresses.of(unique)

    server.submit(sender, addresses.all, mail_to(addresses).as_bytes())
    wait_until_told(server, "onnection refused")
    visitor.come(RELAY__STORE__MIN_FREE_BYTES="1000000 GB")
    wait_until_told(server, "452 4.3.1")
    visitor.come()

    keep_trying(server, lambda: len(sandbox.mails(addresses.bcc)) > 0, "the mail did not arrive")
    for address in addresses.all:
        wait_until_sent(server, sandbox, address)
    # OpenSMTPD says at once that it takes longer.
    assert [] == [report.subject for report in sandbox.mails(sender) if "delayed" not in report.subject]


@pytest.mark.parametrize("name", ["Postfix", "Exim"])
def test_mail_waits_when_too_many_are_connected(make_server, visitor, logins, sandbox, unique, name):
    """421 instead of a greeting."""
    gateway, to = visitor.come("max_connections_per_client = 1\n"), f"{unique}@inbox.example"
    server = make_server(name, gateway, logins["kept-dmds"])

    with smtplib.SMTP("127.0.0.1", visitor.port, timeout=_SECONDS):
        server.submit(SENDER, [to], mail([to]).as_bytes())
        wait_until_told(server, "421 4.7.0")
    keep_trying(server, lambda: len(sandbox.mails(to)) > 0, "the mail did not arrive")

    assert_arrived(wait_until_sent(server, sandbox, to), "dmds")


#: By default Postfix keeps connections only where it has much mail, which depends on how fast the machine is.
KEEPING = {
    "smtp_tls_connection_reuse": "yes",
    "smtp_connection_cache_destinations": "localhost",
    "smtp_destination_concurrency_limit": "1",
}


@pytest.mark.parametrize(("name", "options"), [("Postfix", {"options": KEEPING}), ("OpenSMTPD", {})])
def test_several_messages_take_one_connection(make_server, visitor, logins, sandbox, unique, name, options):
    """A login for each message costs more than the message."""
    gateway = visitor.come(RELAY__LOG__LEVEL="debug")
    server = make_server(name, gateway, logins["kept-mensatek"], **options)
    recipients = [f"{number}-{unique}@inbox.example" for number in range(12)]

    for to in recipients:
        server.submit(SENDER, [to], mail([to]).as_bytes())

    for to in recipients:
        assert_arrived(wait_until_sent(server, sandbox, to), "mensatek")
    assert len(recipients) > len(gateway.events("login_accepted"))


@pytest.mark.parametrize("section", ["Exim", "Exim, port 465"])
def test_the_last_of_exims_messages_on_one_connection_is_sent_once(
    make_server, visitor, logins, sandbox, unique, section
):
    """Behind it come QUIT, close_notify and FIN in one go, before the 250: it lost that, and sent the message again."""
    gateway = visitor.come(RELAY__LOG__LEVEL="debug")
    server = make_server(section, gateway, logins["kept-mensatek"])
    recipients = [f"{number}-{unique}@inbox.example" for number in range(12)]

    for to in recipients:
        server.keep(SENDER, [to], mail([to]).as_bytes())
    server.retry()

    assert "in response to end of data" not in server.log()
    for to in recipients:
        assert_arrived(wait_until_sent(server, sandbox, to), "mensatek")
    assert len(recipients) == len(gateway.events("message_accepted"))
    assert len(recipients) > len(gateway.events("login_accepted"))


@pytest.mark.parametrize("chunking", [True, False])
def test_exim_sends_by_bdat_and_by_data(make_server, gateway, logins, sandbox, unique, chunking):
    """It takes BDAT wherever CHUNKING is offered; K in its log says that it did."""
    options = {} if chunking else {"hosts_try_chunking": ":"}
    server, addresses = make_server("Exim", gateway, logins["kept-dmds"], options=options), Addresses.of(unique)

    server.submit(SENDER, addresses.all, mail([addresses.to], [addresses.cc]).as_bytes())

    assert_everybody_got_it(sandbox, addresses, "dmds")
    assert chunking == (" K " in server.log())
