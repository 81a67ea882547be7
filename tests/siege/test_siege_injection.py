"""Nothing that stands in an address, a name, a header or a file name becomes structure: no header, line, field or mark.

From SMTP in to the call that the sandbox recorded, with names that were made to break out.
"""

import base64
import json
import re
import smtplib
from email.header import Header
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import BODY_MARKER, SUBJECT_MARKER

FORGED = '{"event":"forged"}'
PIECES = (
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\x0b",
    "\x1b[31m",
    "\x85",
    "\u2028",
    "\u202e",
    "###",
    "###Nombre###",
    '"',
    "\\",
    "<",
    ">",
    ",",
    ";",
    "Bcc: evil@example.org",
    "250 2.0.0 Ok",
    FORGED,
    "ñ",
    "漢字",
    "name",
    " ",
)
evil = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


def word(text: str) -> bytes:
    """Encode as an RFC 2047 word, line ends and all: what a careless program makes of what its users type."""
    return b"=?utf-8?b?" + base64.b64encode(text.encode()) + b"?="


def raw(text: str) -> bytes:
    """Write as it is, where it does not end the header."""
    return re.sub(rb"[\r\n]+", b" ", text.encode())


def mail(mailbox: str, texts: tuple[str, ...]) -> bytes:
    subject, name, to_name, reply, file = texts
    return b"\r\n".join(
        [
            b"From: " + word(name) + b" <app@example.org>",
            b"To: " + word(to_name) + b" <" + mailbox.encode() + b">",
            b"Reply-To: " + word(reply) + b" <help@example.org>",
            b"Subject: " + word(SUBJECT_MARKER + subject) + b" " + raw(subject),
            b"X-" + Header(FORGED).encode().encode() + b": x",
            b"MIME-Version: 1.0",
            b"Content-Type: multipart/mixed; boundary=b",
            b"",
            b"--b",
            b"Content-Type: text/plain; charset=utf-8",
            b"",
            BODY_MARKER.encode() + raw(subject),
            b"--b",
            b"Content-Type: application/octet-stream",
            b"Content-Disposition: attachment; filename*=utf-8''" + quote(file).encode(),
            b"",
            b"x",
            b"--b--",
            b"",
        ]
    )


@pytest.mark.parametrize("api", ["mensatek", "dmds"])
def test_names_and_headers_stay_text_up_to_the_recorded_call(gateway, logins, sandbox, unique, size, api):
    sent: list[str] = []
    login = logins[f"kept-{api}"]
    with smtplib.SMTP("127.0.0.1", gateway.port("plain")) as client:
        client.login(login.user, login.password)

        @settings(max_examples=size.of(30, 2000), deadline=None, derandomize=not size.is_long, database=None)
        @given(texts=st.tuples(evil, evil, evil, evil, evil))
        def attack(texts):
            mailbox = f"inject.{unique}.{len(sent)}@example.net"
            client.mail("app@example.org")
            client.rcpt(mailbox)
            code, said = client.data(mail(mailbox, texts))
            assert code in (250, 554), said
            assert b"\n" not in said
            if code == 250:
                sent.append(mailbox)

        attack()
    assert sent
    for mailbox in sent:
        (seen,) = sandbox.wait_for(mailbox)
        fields = [seen.sender, seen.from_name, seen.reply_to, seen.subject, seen.mailbox]
        fields += [part for shown in (*seen.to, *seen.cc) for part in (shown.email, shown.name)]
        fields += [file.name for file in seen.attachments]
        assert not [field for field in fields if _CONTROL.search(field)]
        if api == "mensatek":
            marked = [seen.subject, seen.html or ""]
            assert not [field for field in marked if "###" in field]
        assert (seen.sender, seen.mailbox) == ("app@example.org", mailbox)
    evil_mail = sandbox.mails("evil@example.org")
    assert evil_mail == ()


def test_no_line_of_the_log_was_forged(gateway):
    """Each line is one event of the gateway's own making, or a library's."""
    lines = gateway.log().splitlines()
    events = [json.loads(line)["event"] for line in lines if line.startswith("{")]
    assert events
    assert "forged" not in events


@pytest.mark.parametrize(
    "line",
    [
        b"MAIL FROM:<app@example.org\x0d250 Ok>",
        b'MAIL FROM:<"a\\\x0bb"@example.org>',
        b'MAIL FROM:<"\x85"@example.org> SMTPUTF8',
        b"MAIL FROM:<app@example.org> ENVID=" + FORGED.encode(),
        b"MAIL FROM:<app@example.org> " + FORGED.encode(),
        b"MAIL FROM:<app@example.org> X\x1b[31m=1",
        b"EHLO \x00\x1b[2J",
        b"AUTH \x1b[2J",
    ],
)
def test_what_stands_in_a_command_comes_back_in_no_reply(gateway, logins, line):
    login = logins["kept-dmds"]
    with smtplib.SMTP("127.0.0.1", gateway.port("plain")) as client:
        client.login(login.user, login.password)
        client.sock.sendall(line + b"\r\n")
        _, said = client.getreply()
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|forged", said)
