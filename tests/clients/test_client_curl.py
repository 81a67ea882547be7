"""curl, as shell scripts and cron jobs use it."""

import pytest
from mailing import BODY_MARKER, LOGINS, SUBJECT, SUBJECT_MARKER, assert_arrived, assert_attached, mail, run

#: curl's own exit codes, see its manual page.
LOGIN_DENIED = 67


@pytest.fixture
def curl(gateway, certificate):
    """Run curl against a listener: `curl(listener, login, recipients, *more)`."""

    def make(listener, login, recipients, *more, expected=0):
        scheme = "smtps" if listener == "implicit" else "smtp"
        tls = [] if listener in {"plain", "implicit"} else ["--ssl-reqd"]
        return run(
            *("curl", "--silent", "--show-error", "--url", f"{scheme}://127.0.0.1:{gateway.port(listener)}"),
            *("--cacert", str(certificate.authority), "--user", f"{login.user}:{login.password}", *tls),
            *("--mail-from", "tienda@shop.example"),
            *(word for address in recipients for word in ("--mail-rcpt", address)),
            *more,
            expected=expected,
        )

    return make


@pytest.fixture
def mail_file(tmp_path):
    def make(*arguments):
        file = tmp_path / "mail.eml"
        file.write_bytes(mail(*arguments).as_bytes())
        return file

    return make


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("listener", ["starttls", "implicit"])
def test_a_ready_made_mail_is_uploaded(curl, logins, sandbox, unique, mail_file, login, listener):
    to, cc, bcc = (f"{role}-{unique}@inbox.example" for role in ("to", "cc", "bcc"))

    curl(listener, logins[login], [to, cc, bcc], "--upload-file", str(mail_file([to], [cc])))

    for address in (to, cc, bcc):
        assert_arrived(sandbox.wait_for(address), logins[login].api, cc=[cc])
        assert_attached(sandbox.mails(address))


def test_a_mail_that_curl_composes_arrives(curl, logins, sandbox, unique, tmp_path):
    to = f"{unique}@inbox.example"
    (tmp_path / "list.csv").write_bytes(b"a;b\r\n1;2\r\n")

    curl(
        "required",
        logins["kept-dmds"],
        [to],
        *("-H", f"Subject: {SUBJECT_MARKER} curl", "-H", f"To: {to}", "-H", "From: Cron <tienda@shop.example>"),
        *("-F", f"={BODY_MARKER};type=text/plain", "-F", f"file=@{tmp_path}/list.csv;type=text/csv;encoder=base64"),
    )

    (got,) = sandbox.wait_for(to)
    assert (f"{SUBJECT_MARKER} curl", "Cron") == (got.subject, got.from_name)
    assert_attached([got], "list.csv", b"a;b\r\n1;2\r\n")


def test_a_mail_of_ten_megabytes_arrives_whole(curl, logins, sandbox, unique, tmp_path):
    to, data = f"{unique}@inbox.example", bytes(range(256)) * (40 * 1024)
    message = mail([to])
    message.get_payload()[1].set_content(data, maintype="image", subtype="x-scan", filename="scan.bin")
    (tmp_path / "big.eml").write_bytes(message.as_bytes())

    curl("starttls", logins["kept-mensatek"], [to], "--upload-file", str(tmp_path / "big.eml"))

    assert_attached(sandbox.wait_for(to), "scan.bin", data)
    assert SUBJECT == sandbox.mails(to)[0].subject


def test_a_wrong_password_is_a_denied_login(curl, logins, unique, mail_file):
    wrong = type(logins["kept-dmds"])(logins["kept-dmds"].user, f"wrong-{unique}", "dmds")
    file = mail_file(["nobody@inbox.example"])

    said = curl("starttls", wrong, ["nobody@inbox.example"], "-v", "--upload-file", str(file), expected=LOGIN_DENIED)

    assert "535" in said
