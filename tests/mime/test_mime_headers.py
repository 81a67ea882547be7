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
        (set(), b"Auto-Submitted: no"),
        (set(), b"Received: from x"),
        (set(), b"DKIM-Signature: v=1"),
        (set(), b"X-Spam-Status: No"),
        (set(), b"Message-ID: <1@x.example>"),
        ({"automation_marks_lost"}, b"Auto-Submitted: auto-generated"),
        ({"automation_marks_lost"}, b"Precedence: bulk"),
        ({"automation_marks_lost"}, b"X-Auto-Response-Suppress: OOF"),
        ({"list_fields_lost"}, b"List-Id: <a.x.example>"),
        ({"list_fields_lost"}, b"List-Archive: <https://x.example/>"),
        ({"headers_not_carried"}, b"X-Campaign: 1"),
        ({"headers_not_carried"}, b"Organization: X"),
        ({"addresses_cut", "from_first_only"}, b"From: a@x.example, b@x.example, " + b"c, " * 5000),
        ({"addresses_cut"}, b"Cc: " + b"c@x.example, " * 5000),
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


def test_headers_that_no_api_carries_are_named_in_one_note():
    """They were dropped in silence: a shop's X-Campaign was missed weeks later."""
    fields = [b"X-Campaign: 1", b"Organization: secret", *(b"X-%d: y" % number for number in range(20))]
    (note,) = content(mail(b"x", *fields, b"X-Mailer: z")).notes
    assert note.text.endswith(": X-Campaign, Organization, " + ", ".join(f"X-{n}" for n in range(10)) + " and 10 more")
    assert Fidelity.CHANGED is note.fidelity


def test_an_ordinary_mail_gets_no_note_at_all():
    """Notes on what every mail client writes would teach people to overlook them."""
    fields = [b"Date: x", b"Message-ID: <1@x.example>", b"User-Agent: Mozilla Thunderbird", b"Content-Language: es"]
    outlook = [b"Thread-Topic: x", b"Thread-Index: AdY", b"X-MS-Has-Attach:", b"X-Originating-IP: 192.0.2.1"]
    assert () == content(mail(b"x", b"MIME-Version: 1.0", *fields, *outlook)).notes


RAW = "Заказ"


@pytest.mark.parametrize(
    ("charset", "fields"),
    [
        ("cp1251", [b"Content-Type: text/plain; charset=windows-1251"]),
        ("koi8-r", [b"Content-Type: text/plain; charset=koi8-r"]),
        ("cp866", [b"Content-Type: multipart/mixed; boundary=b; charset=dos-866"]),
        ("iso8859-5", [b"Content-Type: multipart/mixed; boundary=b"]),
        ("utf-8", [b"Content-Type: text/plain; charset=windows-1251"]),
    ],
)
def test_raw_headers_are_read_in_the_charset_of_the_mail(charset, fields):
    """Old programs write the Subject as they write the text; in any charset but Latin-1 it arrived as mojibake."""
    raw = RAW.encode(charset)
    parts = b"--b\r\nContent-Type: image/png\r\n\r\n\r\n--b\r\nContent-Type: text/html; charset=iso-8859-5\r\n\r\nx"
    found = content(mail(parts, *fields, b"Subject: " + raw, b'From: "' + raw + b'" <a@x.example>'))
    assert (RAW, Mailbox("a@x.example", RAW)) == (found.subject, found.sender)
    assert ("charset_guessed" in codes(found)) is (charset != "utf-8")


@pytest.mark.parametrize("label", [b"utf-16", b"utf-7", b"hz", b"cp037", b"x-unknown", b"iso-2022-jp", b""])
def test_a_charset_that_no_header_can_have_is_not_used_for_one(label):
    found = content(mail(b"", b"Content-Type: text/plain; charset=" + label, b"Subject: a\xf1o", b"To: a@x.example"))
    assert ("año", (Mailbox("a@x.example"),)) == (found.subject, found.to)


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
