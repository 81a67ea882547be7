"""Postfix with the gateway as its smarthost: the way whole servers hand over their mail."""

import os
import smtplib
from email.message import EmailMessage

import pytest
from mailing import BODY_MARKER, LOGINS, SUBJECT_MARKER, assert_arrived, assert_attached, mail
from postfix import Postfix

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="Postfix can only be started by root")


@pytest.fixture(scope="module")
def smarthosts(gateway, certificate, logins):
    """A Postfix for each login, started when it is first asked for."""
    running: dict[str, Postfix] = {}

    def make(name, listener="starttls"):
        key = f"{name} {listener}"
        if key not in running:
            implicit = listener == "implicit"
            running[key] = Postfix(gateway.port(listener), logins[name], certificate.authority, implicit=implicit)
            running[key].start()
        return running[key]

    yield make
    for postfix in running.values():
        postfix.stop()


def submit(postfix, sender, recipients, message):
    """Hand a mail to Postfix, as a program on its machine would."""
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=60) as client:
        client.sendmail(sender, recipients, message.as_bytes())


@pytest.mark.parametrize("login", LOGINS)
def test_mail_with_a_blind_copy_reaches_everybody_once(smarthosts, logins, sandbox, unique, login):
    postfix = smarthosts(login)
    to, cc, bcc = (f"{role}-{unique}@inbox.example" for role in ("to", "cc", "bcc"))

    submit(postfix, "tienda@shop.example", [to, cc, bcc], mail([to], [cc]))

    for address in (to, cc, bcc):
        assert_arrived(sandbox.wait_for(address), logins[login].api, cc=[cc])
        assert_attached(sandbox.mails(address))
        assert bcc == address or bcc not in str(sandbox.mails(address))


def test_an_ordinary_mail_is_answered_with_the_gateways_id(smarthosts, logins, sandbox, gateway, unique):
    postfix = smarthosts("kept-mensatek")

    submit(postfix, "tienda@shop.example", [f"{unique}@inbox.example"], mail([f"{unique}@inbox.example"]))

    assert_arrived(sandbox.wait_for(f"{unique}@inbox.example"), "mensatek")
    lines = [line for line in postfix.log().splitlines() if f"to=<{unique}@inbox.example>" in line]
    assert "status=sent (250 2.0.0 " in lines[-1]
    accepted = {event["message_id"] for event in gateway.events("message_accepted")}
    assert any(message_id in lines[-1] for message_id in accepted)


def test_tls_from_the_first_byte(smarthosts, sandbox, unique):
    postfix = smarthosts("kept-dmds", "implicit")

    submit(postfix, "tienda@shop.example", [f"{unique}@inbox.example"], mail([f"{unique}@inbox.example"]))

    assert_arrived(sandbox.wait_for(f"{unique}@inbox.example"), "dmds")


def test_a_bounce_with_the_null_sender_passes(smarthosts, sandbox, unique):
    """A mail server's own reports go the same way out; RFC 5321 section 4.5.5 wants them taken."""
    to = f"{unique}@inbox.example"
    report = EmailMessage()
    report["From"] = "Mail Delivery System <mailer-daemon@shop.example>"
    report["To"] = to
    report["Subject"] = f"{SUBJECT_MARKER} Undelivered Mail Returned to Sender"
    report["Auto-Submitted"] = "auto-replied"
    report.set_content(f"{BODY_MARKER}: the user is unknown\n")
    report.add_attachment(
        b"Reporting-MTA: dns; smarthost.example\n\nFinal-Recipient: rfc822; gone@inbox.example\nAction: failed\n"
        b"Status: 5.1.1\n",
        maintype="text",
        subtype="x-delivery-status",
    )

    submit(smarthosts("kept-mensatek"), "", [to], report)

    (got,) = sandbox.wait_for(to)
    assert "mailer-daemon@shop.example" == got.sender
    assert BODY_MARKER in got.html


@pytest.mark.parametrize("login", ["kept-mensatek", "kept-dmds"])
def test_a_list_of_a_hundred_gets_one_each(smarthosts, logins, sandbox, unique, login):
    """Postfix splits it into transactions of fifty; the To header names only the list."""
    members = [f"{number}-{unique}@inbox.example" for number in range(100)]

    submit(smarthosts(login), "lista@shop.example", members, mail([f"lista-{unique}@shop.example"]))

    for member in members:
        (got,) = sandbox.wait_for(member)
        others = {other for other in members if other != member}
        assert not others & {shown.email for shown in (*got.to, *got.cc)}
    assert () == sandbox.mails(f"lista-{unique}@shop.example")


def test_mail_waits_in_postfix_when_the_login_is_refused(gateway, certificate, logins, sandbox, unique):
    """A wrong password must never bounce mail: Postfix keeps it and says why."""
    wrong = type(logins["kept-dmds"])(logins["kept-dmds"].user, f"wrong-{unique}", "dmds")
    postfix = Postfix(gateway.port("starttls"), wrong, certificate.authority).start()
    try:
        submit(postfix, "tienda@shop.example", [f"{unique}@inbox.example"], mail([f"{unique}@inbox.example"]))
        log = postfix.wait_until_sent()
    finally:
        postfix.stop()

    assert "status=deferred" in log
    assert "535 5.7.8" in log
    assert () == sandbox.mails(f"{unique}@inbox.example")
