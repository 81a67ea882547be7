"""swaks, the tool with which people try out mail servers."""

import pytest
from mailing import ATTACHMENT, BODY_MARKER, LOGINS, SUBJECT_MARKER, assert_attached, run

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
            *("--from", "tienda@shop.example", "--auth-user", login.user, "--auth-password", login.password),
            *("--header", f"Subject: {SUBJECT_MARKER} swaks", "--body", BODY_MARKER, "--ehlo", "client.example"),
            *tls,
            *trust,
            *more,
            expected=expected,
        )

    return make


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_mail_arrives_by_each_login_and_mechanism(swaks, logins, sandbox, unique, login, mechanism):
    said = swaks("starttls", logins[login], "--auth", mechanism, "--to", f"{unique}@inbox.example")

    (got,) = sandbox.wait_for(f"{unique}@inbox.example")
    assert " 235 2.7.0 " in said
    assert (logins[login].api, f"{SUBJECT_MARKER} swaks") == (got.api, got.subject)


@pytest.mark.parametrize("listener", ["plain", "starttls", "required", "implicit"])
def test_a_mail_arrives_through_every_door(swaks, logins, sandbox, unique, listener):
    """`plain` lets a client on the same machine log in without TLS, and nobody else."""
    swaks(listener, logins["kept-mensatek"], "--auth", "--to", f"{unique}@inbox.example")

    assert 1 == len(sandbox.wait_for(f"{unique}@inbox.example"))


@pytest.mark.parametrize("login", ["kept-mensatek", "kept-dmds"])
def test_to_cc_and_bcc_with_attachment(swaks, logins, sandbox, unique, tmp_path, login):
    to, cc, bcc = (f"{role}-{unique}@inbox.example" for role in ("to", "cc", "bcc"))
    file = tmp_path / "data.bin"
    file.write_bytes(ATTACHMENT)

    swaks(
        "implicit",
        logins[login],
        *("--auth", "--to", f"{to},{cc},{bcc}", "--header", f"To: {to}", "--header", f"Cc: {cc}"),
        *("--attach-type", "application/octet-stream", "--attach-name", "data.bin", "--attach", f"@{file}"),
    )

    for address in (to, cc, bcc):
        mails = sandbox.wait_for(address)
        assert_attached(mails, "data.bin")
        assert bcc == address or bcc not in f"{mails[0].to}{mails[0].cc}"
    if logins[login].api == "dmds":
        assert [cc] == [shown.email for shown in sandbox.mails(to)[0].cc]


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
