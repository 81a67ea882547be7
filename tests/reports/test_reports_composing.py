"""What a report says: to a machine, to a person, and of the message itself."""

import email

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_parts import DATA, HOST, composed, entry, failed_by_flufl, parsed, parts, untold

from relay.config.reports import ReportSettings
from relay.queue.contract import Action, State
from relay.reports.composing import glance_at
from relay.reports.fields import read_status
from relay.reports.telling import lines_of, needs_no_report


def test_a_report_is_what_rfc_3464_says():
    owing = untold(
        entry(status="5.1.1", orcpt="rfc822;ana+2Bx@example.org"), envid="QQ+2B1", attempted_at={0: 1_799_999_990.0}
    )
    report = composed(owing)

    message = parsed(report)
    assert ("multipart/report", "delivery-status") == (message.get_content_type(), message.get_param("report-type"))
    kinds = [part.get_content_type() for part in parts(report)]
    assert ["text/plain", "message/delivery-status", "text/rfc822-headers"] == kinds
    assert [] == [defect for part in message.walk() for defect in part.defects]
    assert {"ana+x@example.org"} == failed_by_flufl(report)  # as the sender knew the recipient
    of_message, of_recipient = parts(report)[1].get_payload()
    assert [
        ("Original-Envelope-Id", "QQ+1"),
        ("Reporting-MTA", f"dns; {HOST}"),
        ("X-Relay-Message-Id", owing.message.id),
        ("Arrival-Date", "Fri, 15 Jan 2027 07:59:00 +0000"),
    ] == of_message.items()
    assert [
        ("Original-Recipient", "rfc822; ana+x@example.org"),
        ("Final-Recipient", "rfc822; ana@example.org"),
        ("Action", "failed"),
        ("Status", "5.1.1"),
        ("Diagnostic-Code", "x-dmds; no such user"),
        ("Last-Attempt-Date", "Fri, 15 Jan 2027 07:59:50 +0000"),
    ] == of_recipient.items()


def test_a_report_says_that_nobody_shall_answer_it_and_what_it_belongs_to():
    message = parsed(composed(untold()))

    assert "auto-replied" == message["Auto-Submitted"]
    assert f"Mail Delivery System <MAILER-DAEMON@{HOST}>" == message["From"]
    assert "app@example.com" == message["To"]
    assert "<17@app>" == message["In-Reply-To"]
    assert message["Message-ID"].endswith(f"@{HOST}>")
    assert "1.0" == message["MIME-Version"]


def test_the_postmaster_is_who_the_settings_say():
    settings = ReportSettings(postmaster="Correo de Ñandú <postmaster@example.org>")

    message = parsed(composed(untold(), settings))

    assert "Correo de Ñandú <postmaster@example.org>" == message["From"]


@pytest.mark.parametrize(
    ("facts", "status", "advice"),
    [
        ({"status": "5.1.1"}, "5.1.1", "check the address"),
        ({"status": "5.6.3"}, "5.6.3", "in another form"),
        ({"status": "5.3.4"}, "5.3.4", "in another form"),
        ({"status": ""}, "5.0.0", "whoever runs the gateway"),
        ({"state": State.EXPIRED}, "4.4.7", "send it again later"),
        ({"state": State.DROPPED}, "5.0.0", "whoever runs the gateway"),
        ({"state": State.ACCEPTED, "reason": "mailbox full"}, "5.0.0", "whoever runs the gateway"),
    ],
)
def test_who_failed_is_told_why_and_what_to_do(facts, status, advice):
    report = composed(untold(entry(**facts)))

    (fields,) = read_status(report)[1:]
    assert ("failed", status) == (fields["action"], fields["status"])
    text = " ".join(parts(report)[0].get_content().split())
    assert advice in text
    assert "<ana@example.org>" in text
    assert "Invoice 17" in text
    assert "Undelivered" in parsed(report)["Subject"]
    assert "Invoice" not in parsed(report)["Subject"]


def test_what_waits_is_told_until_when_it_is_tried():
    waits = entry(state=State.QUEUED, owed=None, reason="busy")
    report = composed(untold(waits, notice_at=1.0))

    (fields,) = read_status(report)[1:]
    assert ("delayed", "4.0.0", "Sat, 16 Jan 2027 08:00:00 +0000") == (
        fields["action"],
        fields["status"],
        fields["will_retry_until"],
    )
    assert "You need not send it again" in parts(report)[0].get_content()
    assert "Delayed" in parsed(report)["Subject"]


def test_what_was_handed_over_is_relayed():
    report = composed(untold(entry(state=State.ACCEPTED, owed=Action.RELAYED, notify={"SUCCESS"})))

    (fields,) = read_status(report)[1:]
    assert ("relayed", "2.0.0") == (fields["action"], fields["status"])
    assert "diagnostic_code" not in fields
    assert "handed over" in parts(report)[0].get_content()
    assert set() == failed_by_flufl(report)


def test_one_report_tells_of_all_recipients_that_there_is_something_to_tell_of():
    owing = untold(
        entry("failed@example.org", 0),
        entry("waits@example.org", 1, state=State.QUEUED, owed=None),
        entry("sent@example.org", 2, state=State.ACCEPTED, owed=Action.RELAYED),
        entry("quiet@example.org", 3, state=State.QUEUED, owed=None, notify={"FAILURE"}),
        entry("fine@example.org", 4, state=State.ACCEPTED, owed=None),
        entry("again@example.org", 5, state=State.QUEUED, owed=Action.FAILED, notify={"FAILURE"}),
        entry("held@example.org", 6, state=State.HELD, owed=None),
        notice_at=1.0,
    )

    found = {fields["final_recipient"]: fields["action"] for fields in read_status(composed(owing))[1:]}

    assert {
        "rfc822; failed@example.org": "failed",
        "rfc822; waits@example.org": "delayed",
        "rfc822; sent@example.org": "relayed",
    } == found


@pytest.mark.parametrize("action", [Action.FAILED, Action.RELAYED])
@pytest.mark.parametrize("ret", ["", "HDRS", "FULL"])
@pytest.mark.parametrize("size", [10, 300 * 1024])
def test_the_whole_message_comes_back_only_where_it_failed_is_asked_for_and_small(action, ret, size):
    """RFC 3461 section 4.3: RET says what a report of failure holds; any other has the header only."""
    data = DATA + b"x" * 70 + b"\r\n" + (b"x" * 70 + b"\r\n") * (size // 72)
    state = State.ACCEPTED if action is Action.RELAYED else State.REFUSED
    report = composed(untold(entry(owed=action, state=state), data=data, ret=ret))

    last = parts(report)[-1]
    if ret == "FULL" and action is Action.FAILED and size < 1000:
        assert "message/rfc822" == last.get_content_type()
        assert data in report
    else:
        assert "text/rfc822-headers" == last.get_content_type()
        assert b"xxxx" not in report
        assert "Subject: Invoice 17" in last.as_string()


@pytest.mark.parametrize(
    "data",
    [DATA.replace(b"\r\n", b"\n"), DATA + b"\x00\r\n", DATA + b"x" * 999 + b"\r\n", DATA + b"bare\rreturn\r\n"],
    ids=["bare LF", "NUL", "long line", "bare CR"],
)
def test_what_cannot_travel_as_it_is_comes_back_as_header(data):
    report = composed(untold(data=data, ret="FULL"))

    assert "text/rfc822-headers" == parts(report)[-1].get_content_type()
    assert "Subject: Invoice 17" in parts(report)[-1].as_string()
    assert not [line for line in report.split(b"\r\n") if len(line) > 998 or b"\n" in line or b"\r" in line]


def test_bytes_beyond_ascii_come_back_byte_for_byte():
    data = DATA.replace(b"17\r\n", b"\xe9\r\n")

    whole = composed(untold(data=data, ret="FULL"))
    header = composed(untold(data=data))

    assert data in whole
    assert "8bit" == parsed(whole)["Content-Transfer-Encoding"]
    assert header.isascii()
    last = email.message_from_bytes(header).get_payload()[-1]
    assert b"Subject: Invoice \xe9\r\n" in last.get_payload(decode=True).replace(b"\n", b"\r\n").replace(b"\r\r", b"\r")


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"no header at all", b"X: " + b"y" * 100_000 + b"\r\n\r\nz"])
def test_a_message_without_a_usable_header_is_reported_all_the_same(data):
    report = composed(untold(data=data))

    assert {"ana@example.org"} == failed_by_flufl(report)
    assert len(report) < 80_000


def test_international_addresses_are_told_in_utf_8():
    """RFC 6533: the types of parts, and of addresses."""
    owing = untold(entry("josé@ñandú.example", reason="buzón lleno"), sender="señor@example.com", ret="FULL")
    report = composed(owing)

    kinds = [part.get_content_type() for part in parts(report)]
    assert ["text/plain", "message/global-delivery-status", "message/global"] == kinds
    (fields,) = read_status(report)[1:]
    assert ("utf-8; josé@ñandú.example", "x-dmds; buzón lleno") == (
        fields["final_recipient"],
        fields["diagnostic_code"],
    )
    assert "señor@example.com" == parsed(report)["To"]


def test_an_international_recipient_is_told_to_an_ordinary_sender_in_ascii():
    report = composed(untold(entry("josé@example.org"), ret="HDRS"))

    assert report.isascii()
    assert "message/global-headers" == parts(report)[-1].get_content_type()


def test_a_report_speaks_spanish_where_it_shall():
    report = composed(untold(entry(status="5.1.1")), ReportSettings(language="es"))

    assert "no entregado" in parsed(report)["Subject"]
    assert "revise la dirección" in parts(report)[0].get_content()


def test_a_reason_beyond_ascii_is_an_encoded_word():
    reason = "el buzón no existe, y nadie sabe adónde se fue su dueño, ni si volverá algún día"
    report = composed(untold(entry(reason=reason)))

    assert report.isascii()
    assert f"x-dmds; {reason}" == read_status(report)[1]["diagnostic_code"]


@pytest.mark.parametrize(
    "told",
    [
        "a\r\nX-Injected: yes",
        "a\nb",
        "a\x00b",
        "\u2028b",
        "a" * 400,
        "--=_report_\r\n--",
        "\r\n\r\nFinal-Recipient: x",
    ],
)
@pytest.mark.parametrize("place", ["reason", "orcpt", "envid"])
def test_nothing_that_others_wrote_becomes_a_field(told, place):
    xtext = "".join(letter if letter.isalnum() else f"+{ord(letter) & 255:02X}" for letter in told)
    facts = {"reason": told} if place == "reason" else {}
    orcpt = f"rfc822;{xtext}" if place == "orcpt" else ""
    report = composed(untold(entry(orcpt=orcpt, **facts), envid=xtext if place == "envid" else ""))

    groups = read_status(report)
    assert 2 == len(groups)
    assert not {"x_injected"} & {name for group in groups for name in group}
    assert "rfc822; ana@example.org" == groups[1]["final_recipient"]
    assert 1 == len(failed_by_flufl(report))


@given(st.text(), st.binary(max_size=300), st.sampled_from(["", "FULL"]))
def test_whatever_the_message_and_the_reason_the_report_can_be_read_and_sent(reason, data, ret):
    report = composed(untold(entry(reason=reason), data=data, ret=ret))

    assert {"ana@example.org"} == failed_by_flufl(report)
    assert "failed" == read_status(report)[1]["action"]
    lines = report.split(b"\r\n")
    assert not [line for line in lines if b"\r" in line or b"\n" in line or b"\x00" in line or len(line) > 998]


@pytest.mark.parametrize(
    ("header", "is_told"),
    [
        (b"Subject: x\r\n", True),
        (b"Auto-Submitted: no\r\n", True),
        (b"Auto-Submitted: auto-generated\r\n", True),  # cron, monitoring, ERP: their owners want to know
        (b"Auto-Submitted: Auto-Replied (vacation); owner-email=x\r\n", False),
        (b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n", False),
        (b"Content-Type: Multipart/Report;\r\n report-type=disposition-notification\r\n", False),
        (b"Content-Type: text/plain\r\n", True),
    ],
)
def test_reports_and_automatic_answers_are_not_reported_on(header, is_told):
    assert is_told is not bool(needs_no_report(glance_at(untold(data=header + b"\r\nbody"))))


def test_a_report_of_our_own_is_not_reported_on_even_with_a_sender():
    assert needs_no_report(glance_at(untold(data=composed(untold()))))


def test_a_failure_of_who_waits_again_is_not_told():
    assert () == lines_of(untold(entry(state=State.QUEUED)))
