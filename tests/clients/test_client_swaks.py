"""swaks, the tool with which people try out mail servers."""

import pytest
from mailing import BODY_MARKER, LOGINS, SUBJECT_MARKER, run

#: swaks' own exit codes, see its manual page, EXIT CODES.
AUTHENTICATION_FAILED = 28
TLS_FAILED = 29


@pytest.fixture
def swaks(gateway, certificate):
    """Run swaks against a listener: `swaks(listener, login, *more)`."""

    def make(listener, login, *more, expected=0, verify=True):
        tls = {"plain": [], "starttls": ["--tls"], "required": ["--tls"], "implicit": ["--tls-on-connect"]}[listener]
        trust = ["--tls-verify", "--tls-ca-path", str(certificate.authority)] if tls and verify else []
        return run(
            "swaks",
            *("--server", "127.0.0.1", "--port", str(gateway.port(listener))),
            *("--from", "app@example.org", "--auth-user", login.user, "--auth-password", login.password),
            *("--header", f"Subject: {SUBJECT_MARKER} swaks", "--body", BODY_MARKER, "--ehlo", "client.example"),
            *tls,
            *trust,
            *more,
            expected=expected,
        )

    return make


@pytest.mark.parametrize("login", LOGINS)
def test_a_wrong_password_is_an_authentication_failure(swaks, logins, unique, login):
    wrong = type(logins[login])(logins[login].user, f"wrong-{unique}", logins[login].api)

    said = swaks("starttls", wrong, "--auth", "--to", "nobody@inbox.example", expected=AUTHENTICATION_FAILED)

    assert "535 5.7.8 " in said


def test_the_200_recipients_of_one_mail_get_one_each(swaks, logins, sandbox, unique):
    addresses = [f"{number}-{unique}@inbox.example" for number in range(200)]

    swaks("starttls", logins["kept-mensatek"], "--auth", "--to", ",".join(addresses))

    for address in addresses:
        sandbox.wait_for(address)


def test_a_pipelining_client_is_understood(swaks, logins, sandbox, unique):
    swaks("starttls", logins["kept-mensatek"], "--auth", "--pipeline", "--to", f"{unique}@inbox.example")

    assert 1 == len(sandbox.wait_for(f"{unique}@inbox.example"))
