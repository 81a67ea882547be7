"""A message made to come from somebody else: From replaced, the original kept for answers, nothing else touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.config.settings import MimeSettings
from relay.errors import MailRefused
from relay.mime import read, sent_as

BOUNDS = MimeSettings()
SENDER = "Scanner <scan@example.org>"


def seen(data, sender=SENDER):
    made, _ = sent_as(data, sender, BOUNDS.max_header_bytes)
    content = read(made, BOUNDS)
    reply_to = content.reply_to.email if content.reply_to else ""
    return content.sender.name, content.sender.email, reply_to


@pytest.mark.parametrize(
    ("header", "reply_to"),
    [
        (b"From: Ana <ana@example.net>\r\n", "ana@example.net"),
        (b"from:ana@example.net\n", "ana@example.net"),
        (b"Subject: x\r\nFROM :\r\n =?utf-8?q?An=C3=A1?=\r\n <ana@example.net>\r\n", "ana@example.net"),
        (b"From: ana@example.net\r\nFrom: bob@example.net\r\n", "ana@example.net"),
        (b"From: ana@example.net\r\nSender: bob@example.net\r\n", "ana@example.net"),
        (b"From: ana@example.net, bob@example.net\r\nSender: bob@example.net\r\n", "ana@example.net"),
        (b"From: ana@example.net\r\nReply-To: desk@example.net\r\n", "desk@example.net"),
        (b"From: scanner\r\n", ""),
        (b"From: scanner@printer.local\r\n", "scanner@printer.local"),
        (b"From:\r\n", ""),
        (b"Subject: no sender at all\r\n", ""),
        (b"Sender: bob@example.net\r\n", ""),
        (b"", ""),
        (b"From scanner Mon Jan 1\nFrom: ana@example.net\n", "ana@example.net"),
        (b"\r\n\r\nFrom: ana@example.net\r\n", "ana@example.net"),
        (b"From: ana@example.net\r\nno field at all\r\nTo: bob@example.net\r\n", "ana@example.net"),
    ],
)
def test_whatever_it_said_it_comes_from_the_fixed_sender(header, reply_to):
    assert seen(header + b"\r\nbody") == ("Scanner", "scan@example.org", reply_to)


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r", b"\r\r\n"])
@pytest.mark.parametrize("field", [b"From", b"Sender"])
def test_a_broken_fold_stays_in_the_header_when_the_field_behind_it_goes(end, field):
    header = end.join([b"To: bob@example.net", b"Subject: one", b"two", b"three", field + b": ana@example.net"])
    made, _ = sent_as(header + end + end + b"body", SENDER, BOUNDS.max_header_bytes)
    assert read(made, BOUNDS).subject == "one two three"
    assert made.endswith(b"\r\n\r\nbody")


def test_the_body_and_the_other_fields_stay_as_they_are():
    fields = b"Received: by a\r\nSubject: =?utf-8?q?=C3=A9?=\r\n folded\r\nX-Relay-Reference: 7\r\nReceived: by b\r\n"
    body = b"From: in the body\r\n.\r\n\0\xff\r\r\n"
    made, _ = sent_as(b"From: a@example.net\r\n" + fields + b"\r\n" + body, SENDER, BOUNDS.max_header_bytes)
    assert made.partition(b"\r\n\r\n")[2] == body
    assert fields in made
    assert b"a@example.net" in made.partition(b"\r\nReply-To: ")[2]


@pytest.mark.parametrize(
    ("sender", "name", "email"),
    [
        ("scan@example.org", "Ana", "scan@example.org"),
        ('"Scanner, 2nd floor" <scan@example.org>', "Scanner, 2nd floor", "scan@example.org"),
        ("Escáner <scan@example.org>", "Escáner", "scan@example.org"),
        ("Scanner <scan@españa.example>", "Scanner", "scan@españa.example"),
    ],
)
def test_every_way_to_write_the_sender_arrives(sender, name, email):
    assert seen(b"From: Ana <ana@example.net>\r\n\r\nx", sender)[:2] == (name, email)


@given(
    st.lists(
        st.sampled_from(
            [
                b"From: a@example.net",
                b"\r\n",
                b"\n",
                b"\r",
                b" ",
                b":",
                b"Sender: b@example.net",
                b"x",
                b"From:",
                b"Reply-To: c@example.net",
                b"\0",
                b"\xe9",
                b"From :",
            ]
        )
    ).map(b"".join)
)
def test_no_message_keeps_another_sender(data):
    assert seen(data)[1] == "scan@example.org"


def test_a_header_that_is_too_large_is_refused_as_when_it_is_read():
    with pytest.raises(MailRefused):
        sent_as(b"X: y\r\n" * 1000 + b"\r\n", SENDER, 1000)
