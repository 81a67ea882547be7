"""What the header of a mail says beside its bodies: senders, lists, powers, and what cannot be carried."""

import pytest
from mails import codes, content, mail

from relay.message import Mailbox
from relay.mime import NOTES, Fidelity
from relay.mime.notes import Code

ANA, BOB, EVA = Mailbox("a@x.example", "Ana"), Mailbox("b@x.example"), Mailbox("e@x.example")


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        (ANA, [b"From: Ana <a@x.example>"]),
        (ANA, [b"From: Ana <a@x.example>", b"Sender: b@x.example"]),
        (BOB, [b"From: Ana <a@x.example>, e@x.example", b"Sender: b@x.example"]),
        (ANA, [b"From: Ana <a@x.example>, e@x.example"]),
        (ANA, [b"From: Ana <a@x.example>", b"From: a@x.example"]),
        (BOB, [b"Sender: b@x.example"]),
        (BOB, [b"From: root", b"Sender: b@x.example"]),
        (None, [b"From: root"]),
        (None, [b"From: nobody at all"]),
        (None, []),
    ],
)
def test_the_sender_is_the_mailbox_of_from(expected, fields):
    assert expected == content(mail(b"", *fields)).sender


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        (None, []),
        (ANA, [b"Reply-To: Ana <a@x.example>"]),
        (ANA, [b"Reply-To: Ana <a@x.example>, b@x.example"]),
        (BOB, [b"Reply-To: ", b"Reply-To: b@x.example"]),
        (None, [b"Reply-To: nobody"]),
    ],
)
def test_reply_to_is_its_first_mailbox(expected, fields):
    assert expected == content(mail(b"", *fields)).reply_to


def test_further_addresses_of_reply_to_are_kept_for_the_case_that_the_first_is_of_no_use():
    read_content = content(mail(b"", b"Reply-To: visitor; Ana <a@x.example>", b"Reply-To: Bob <b@x.example>"))
    assert (ANA, ("visitor", "b@x.example")) == (
        read_content.reply_to,
        tuple(each.email for each in read_content.more_reply_to),
    )


@pytest.mark.parametrize(
    ("expected", "field"),
    [
        (set(), b"X-Mailer: anything"),
        (set(), b"Importance: normal"),
        (set(), b"X-Priority: 3 (Normal)"),
        (set(), b"Priority: non-urgent"),
        (set(), b"Sensitivity: Normal"),
        (set(), b"Reply-To: a@x.example, A@X.example"),
        (set(), b"From: a@x.example, Ana <a@x.example>"),
        ({"priority_lost"}, b"Importance: High"),
        ({"priority_lost"}, b"X-Priority: 1 (Highest)"),
        ({"priority_lost"}, b"X-MSMail-Priority: Low"),
        ({"sensitivity_lost"}, b"Sensitivity: Company-Confidential"),
        ({"receipt_request_lost"}, b"Disposition-Notification-To: a@x.example"),
        ({"receipt_request_lost"}, b"Return-Receipt-To: a@x.example"),
        ({"threading_lost"}, b"In-Reply-To: <1@x.example>"),
        ({"threading_lost"}, b"References: <1@x.example>"),
        ({"reply_to_first_only"}, b"Reply-To: a@x.example, b@x.example"),
        ({"from_first_only"}, b"From: a@x.example, b@x.example"),
        ({"unsubscribe_post_lost"}, b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"),
    ],
)
def test_what_a_header_asks_for_in_vain_is_noted(expected, field):
    assert expected == codes(content(mail(b"x", field)))


def test_an_ordinary_mail_loses_nothing():
    """What mail clients write every day must pass a strict account."""
    ordinary = mail(
        b"--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>hi</p>\r\n--b--\r\n",
        b"Received: from x",
        b"Date: Mon, 2 Mar 2026 10:00:00 +0000",
        b"Message-ID: <1@x.example>",
        b"MIME-Version: 1.0",
        b"User-Agent: Mozilla Thunderbird",
        b"Content-Language: es",
        b"References: <0@x.example>",
        b"In-Reply-To: <0@x.example>",
        b"X-Priority: 3",
        b"Importance: Normal",
        b"Thread-Topic: x",
        b"Thread-Index: AdY",
        b"X-MS-Has-Attach:",
        b"From: a@x.example",
        b"To: b@x.example",
        b"Subject: s",
        b'Content-Type: multipart/alternative; boundary="b"',
    )
    assert Fidelity.LOST not in {note.fidelity for note in content(ordinary).notes}


def test_every_note_is_in_the_table():
    assert set(Code) == set(NOTES)
    assert all(meaning and "\n" not in meaning for _, meaning in NOTES.values())


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("<1@x.example>", b"<1@x.example>"),
        ("<1@x.example>", b" <1@x.example> (added by x)"),
        ("<1@x.example>", b"1@x.example"),
        ("<1@x.example>", b"\r\n <1@x.example>"),
        ("", b""),
        ("", b"what is this"),
    ],
)
def test_the_message_id(expected, value):
    assert expected == content(mail(b"", b"Message-ID: " + value)).message_id


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        ("", []),
        (
            "<mailto:u@x.example>, <https://x.example/u>",
            [b"List-Unsubscribe: <mailto:u@x.example>, <https://x.example/u>"],
        ),
        ("<https://x.example/unsubscribe/me>", [b"List-Unsubscribe: <https://x.example/\r\n unsubscribe/me>"]),
        ("<https://x.example/u>", [b"List-Unsubscribe: =?us-ascii?Q?=3Chttps=3A=2F=2Fx=2Eexample=2Fu=3E?="]),
        (
            "<mailto:u@x.example>, <https://x.example/u>",
            [b"List-Unsubscribe: <mailto:u@x.example>", b"List-Unsubscribe: <https://x.example/u>"],
        ),
    ],
)
def test_list_unsubscribe_is_one_line(expected, fields):
    found = content(mail(b"", *fields, b"List-Help: <mailto:help@x.example>"))
    assert expected == found.list_unsubscribe
    assert "<mailto:help@x.example>" == found.list_help


def test_the_powers_come_in_order_and_decoded():
    found = content(
        mail(
            b"",
            b"X-Relay-Template: 42",
            b"Subject: s",
            b"x-relay-reference: =?utf-8?Q?a=C3=B1o?=",
            b"X-RELAY-Template:  43 ",
            b"X-Relayed: no",
        )
    )
    assert (("x-relay-template", "42"), ("x-relay-reference", "año"), ("x-relay-template", "43")) == found.powers


@pytest.mark.parametrize(
    ("expected", "field"),
    [
        (False, b"X: y"),
        (False, b"Auto-Submitted: no"),
        (False, b"Auto-Submitted: No; why=x"),
        (True, b"Auto-Submitted: auto-generated"),
        (True, b"Auto-Submitted: auto-replied; owner=x"),
        (True, b"X-Auto-Response-Suppress: All"),
        (True, b"X-Auto-Response-Suppress: DR, NDR, RN"),
        (False, b"X-Auto-Response-Suppress: OOF, AutoReply"),
    ],
)
def test_what_a_program_wrote_gets_no_report(expected, field):
    assert expected is content(mail(b"", field)).auto_submitted


def test_to_and_cc_keep_the_order_of_the_header():
    found = content(
        mail(b"", b"Cc: e@x.example", b"To: Ana <a@x.example>", b"To: b@x.example", b"Bcc: hidden@x.example")
    )
    assert ((ANA, BOB), (EVA,)) == (found.to, found.cc)
    assert "hidden" not in repr(found)
