"""Bytes nobody would send in good faith: nothing raises, nothing takes for ever."""

import base64
import contextlib
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mails import BOUNDS, content

from relay.errors import MailRefused
from relay.mime import inline_as_data, read

#: Pieces of real mails, to be thrown together.
PIECES = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b"\x00",
    b"\xff",
    b"--",
    b"--b",
    b"--b--",
    b"\r\n--b\r\n",
    b"\r\n--b--\r\n",
    b"From: ",
    b"Subject: ",
    b"To: ",
    b"Content-Type: ",
    b"multipart/mixed; boundary=b",
    b"multipart/alternative; boundary=b",
    b"multipart/related; boundary=b",
    b"multipart/digest; boundary=b",
    b"text/plain",
    b"text/html",
    b"text/enriched",
    b"message/rfc822",
    b"application/ms-tnef",
    b"; charset=",
    b"utf-8",
    b"utf-7",
    b"iso-2022-jp",
    b"\x1b$B",
    b"; format=flowed",
    b"Content-Transfer-Encoding: ",
    b"base64",
    b"quoted-printable",
    b"x-uuencode",
    b"Content-ID: <i>",
    b"Content-Location: l",
    b"Content-Disposition: attachment",
    b'; filename="',
    b"; filename*0*=",
    b"''",
    b"%",
    b"=?utf-8?B?",
    b"=?utf-8?Q?",
    b"?=",
    b"<",
    b">",
    b'"',
    b"(",
    b")",
    b",",
    b";",
    b":",
    b"@",
    b"a",
    b"=",
    b"cid:i",
    b"<img src=",
    b"<body>",
    b"</body>",
    b"\xc3",
]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=60).map(b"".join))
@example(b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n")
def test_any_bytes_are_read(data):
    found = content(data)
    inline_as_data(found.html, found.inline_images).encode()
    for entry in (*found.attachments, *found.inline_images):
        assert entry.name
        assert base64.b64encode(entry.body.decoded()) == b"".join(entry.body.base64())
    for line in (found.subject, found.list_unsubscribe, found.message_id, *(value for _, value in found.powers)):
        assert not set(line) & set("\r\n\x00")


HEAD = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"


@pytest.mark.parametrize(
    ("head", "unit"),
    [
        (b"", b"\n"),
        (b"", b"a\n"),
        (b"", b"a:\n"),
        (b"A: b\n", b"junk\nTo: a\n"),
        (b"Subject: ", b"=?"),
        (b"Subject: ", b"=?a?q?"),
        (b"Subject: ", b"=?a?q?b?= "),
        (b"Subject: ", b"=??q?"),
        (b"To: ", b"<a@b>"),
        (b"To: ", b"<a@b> a "),
        (b"To: ", b"a . "),
        (b"To: ", b"[mailto:"),
        (b"Subject: ", b" "),
        (b"Subject: x", b"\r\n "),
        (b"Content-Type: ", b"a "),
        (b"Content-Type: x;", b" "),
        (b"Content-Type: x;", b'a="'),
        (b"Content-Type: x;", b"a*0*=b;"),
        (b"Content-Type: x/y; name=", b"=?"),
        (b"Content-Type: multipart/mixed; boundary=b\n\n", b"--b"),
        (b"Content-Type: multipart/mixed; boundary=b\n\n", b"\n--bx"),
        (b"Content-Type: multipart/mixed; boundary=b\n\n", b"\n--b "),
        (b"Content-Type: multipart/mixed\n\n", b"\n--b"),
        (b"Content-Type: multipart/mixed\n\n", b"\n-- "),
        (b"Content-Type: text/html\n\n", b"<body "),
        (b"Content-Type: text/html\n\n", b"<meta charset"),
        (b"Content-Type: text/html\n\n<meta charset=", b" "),
        (b"Content-Type: text/html\n\n\xff<meta charset=", b" "),
        (b"Content-Type: multipart/mixed\n\n", b"--a" + b" " * 60_000 + b"x\n"),
        (b"\n=ybegin ", b"name="),
        (HEAD + b"\n\nx\n--b\nContent-Type: text/html\n\n", b"<!--"),
        (HEAD + b"\n\nx\n--b\nContent-Type: text/html\n\n", b"<!--<body>-->"),
        (HEAD + b"Content-Type: text/html\n\n<p>x\n--b\nContent-Type: text/html\n\n", b"<style>"),
        (HEAD + b"Content-Type: image/png\nContent-ID: <i>\n\n\n--b\nContent-Type: text/html\n\n", b"cid:"),
        (HEAD + b"Content-Type: image/png\nContent-Location: i\n\n\n--b\nContent-Type: text/html\n\ni", b"src='"),
        (HEAD + b"Content-Type: image/png\nContent-Location: i\n\n\n--b\nContent-Type: text/html\n\ni", b"url( "),
        (b"Content-Type: text/enriched\n\n", b"<param>"),
        (b"Content-Type: text/enriched\n\n", b"<bold>"),
        (b"Content-Type: text/plain; charset=iso-2022-jp\n\n\xff", b"\x1b(B\x1b$B"),
        (b"Content-Transfer-Encoding: base64\n\n", b"=a"),
        (b"Content-Transfer-Encoding: base64\n\n", b"a b\n"),
        (b"Content-Transfer-Encoding: base64\n\n" + b"a" * 40, b" a"),
        (b"Content-Transfer-Encoding: quoted-printable\n\n", b"="),
        (b"Content-Transfer-Encoding: x-uuencode\n\n", b"\n"),
        (b"Content-Transfer-Encoding: quoted-printable\n\n", b"= "),
    ],
)
def test_hostile_repetition_takes_linear_time(head, unit):
    begin = time.process_time()
    with contextlib.suppress(MailRefused):
        read(head + unit * (300_000 // len(unit)), BOUNDS)
    assert time.process_time() - begin < 20  # quadratic time would be hours


def test_one_image_shown_very_often_is_refused_and_not_multiplied():
    raw = (
        HEAD
        + b"Content-Type: image/png\r\nContent-ID: <i>\r\n\r\n"
        + b"x" * 100_000
        + b"\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        + b'<img src="cid:i">' * 2000
        + b"\r\n--b--"
    )
    found = content(raw)
    with pytest.raises(MailRefused, match="552"):
        inline_as_data(found.html, found.inline_images)
