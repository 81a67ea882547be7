"""Python's smtplib, as thousands of applications use it."""

import smtplib
import ssl

import pytest
from mailing import LOGINS, assert_arrived, mail


@pytest.fixture
def context(certificate):
    return ssl.create_default_context(cafile=certificate.authority)


@pytest.fixture
def connect(gateway, context):
    """Open a connection to a listener, TLS on, not logged in."""
    opened = []

    def make(listener="starttls"):
        port = gateway.port(listener)
        if listener == "implicit":
            client = smtplib.SMTP_SSL("127.0.0.1", port, timeout=60, context=context)
        else:
            client = smtplib.SMTP("127.0.0.1", port, timeout=60)
        opened.append(client)
        if listener in {"starttls", "required"}:
            client.starttls(context=context)
        return client

    yield make
    for client in opened:
        client.close()


@pytest.mark.parametrize("listener", ["starttls", "required", "implicit"])
@pytest.mark.parametrize("mechanism", ["plain", "login"])
@pytest.mark.parametrize("initial", [True, False], ids=["initial response", "asked"])
def test_both_mechanisms_work_at_every_door_with_tls(connect, logins, sandbox, unique, listener, mechanism, initial):
    account = logins["kept-dmds"]
    client = connect(listener)
    client.ehlo()
    client.user, client.password = account.user, account.password
    code, _ = client.auth(mechanism.upper(), getattr(client, f"auth_{mechanism}"), initial_response_ok=initial)

    client.send_message(mail([f"{unique}@inbox.example"]))

    assert 235 == code
    assert_arrived(sandbox.wait_for(f"{unique}@inbox.example"), "dmds")


@pytest.mark.parametrize("login", LOGINS)
def test_a_wrong_password_is_a_535(connect, logins, login):
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        connect().login(logins[login].user, "wrong")

    assert 535 == refused.value.smtp_code
    assert refused.value.smtp_error.startswith(b"5.7.8 ")


def test_many_mails_go_through_one_connection(connect, logins, sandbox, unique):
    account = logins["passed-mensatek"]
    client = connect()
    client.login(account.user, account.password)

    for number in range(20):
        client.send_message(mail([f"{number}-{unique}@inbox.example"]))
        client.rset()

    for number in range(20):
        assert_arrived(sandbox.wait_for(f"{number}-{unique}@inbox.example"), "mensatek")


def test_a_refused_recipient_does_not_harm_the_others(connect, logins, sandbox, unique):
    account = logins["kept-mensatek"]
    client = connect()
    client.login(account.user, account.password)

    refused = client.sendmail(
        "app@example.org", [f"{unique}@inbox.example", "no-host@"], mail([f"{unique}@inbox.example"]).as_bytes()
    )

    assert ["no-host@"] == list(refused)
    assert_arrived(sandbox.wait_for(f"{unique}@inbox.example"), "mensatek")


def test_the_options_of_a_smarthost_are_taken(connect, logins, sandbox, unique):
    """Postfix, Exchange and others send AUTH=<> with MAIL; RFC 4954 section 5 wants it parsed."""
    account = logins["kept-mensatek"]
    client = connect()
    client.login(account.user, account.password)

    client.sendmail(
        "app@example.org",
        [f"{unique}@inbox.example"],
        mail([f"{unique}@inbox.example"]).as_bytes(),
        mail_options=["AUTH=<>", "BODY=8BITMIME"],  # and SIZE, by smtplib itself,
    )

    assert_arrived(sandbox.wait_for(f"{unique}@inbox.example"), "mensatek")


def test_nobody_sends_without_login(connect):
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        connect().sendmail("app@example.org", ["somebody@inbox.example"], b"Subject: x\r\n\r\nx\r\n")

    assert 530 == refused.value.smtp_code


def test_nothing_goes_before_starttls_where_it_is_required(gateway, logins):
    account = logins["kept-mensatek"]
    with smtplib.SMTP("127.0.0.1", gateway.port("required"), timeout=60) as client:
        code, text = client.docmd("MAIL", "FROM:<app@example.org>")
        with pytest.raises(smtplib.SMTPNotSupportedError):
            client.login(account.user, account.password)

    assert (530, b"5.7.0") == (code, text[:5])
