"""msmtp, the sendmail of machines without a mail server."""

import pytest
from mailing import assert_arrived, mail, run


@pytest.fixture
def msmtp(gateway, certificate, tmp_path):
    """Run msmtp against a listener, with a configuration file of its own."""

    def make(listener, login, *arguments, stdin, mechanism="plain"):
        file = tmp_path / "msmtprc"
        file.write_text(
            "account default\n"
            f"host 127.0.0.1\nport {gateway.port(listener)}\nfrom app@example.org\ntimeout 60\n"
            f"auth {mechanism}\nuser {login.user}\npassword {login.password}\n"
            f"tls on\ntls_starttls {'off' if listener == 'implicit' else 'on'}\n"
            f"tls_trust_file {certificate.authority}\n"
        )
        file.chmod(0o600)
        return run("msmtp", "--file", str(file), *arguments, stdin=stdin)

    return make


@pytest.mark.parametrize("listener", ["starttls", "required", "implicit"])
@pytest.mark.parametrize("mechanism", ["plain", "login"])
def test_every_door_and_mechanism(msmtp, logins, sandbox, unique, listener, mechanism):
    to = f"{unique}@inbox.example"

    msmtp(listener, logins["kept-dmds"], "--", to, stdin=mail([to]).as_bytes(), mechanism=mechanism)

    assert_arrived(sandbox.wait_for(to), "dmds")


def test_a_bcc_header_that_the_client_leaves_in_names_nobody(msmtp, logins, sandbox, unique):
    """The envelope decides: without -t and with undisclosed off, msmtp passes the header on as it is."""
    to, named = f"to-{unique}@inbox.example", f"named-{unique}@inbox.example"
    message = mail([to], bcc=[named]).as_bytes()

    msmtp("starttls", logins["kept-dmds"], "--remove-bcc-headers=off", "--", to, stdin=message)

    (got,) = sandbox.wait_for(to)
    assert () == sandbox.mails(named)
    assert named not in str(got)
