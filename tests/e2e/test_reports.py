"""The sender learns of failure: at the program's own doors, in every mode, over kills, through real routes."""

import email
import json
import mailbox
import signal
import smtplib
import urllib.request

import pytest
from flufl.bounce import scan_message
from running import BODY_MARKER, SUBJECT_MARKER, until

APP = "app@example.org"
DOOR = '\n[listener.plain]\naddress = "127.0.0.1:0"\n'


def set_fault(sandbox, **fault) -> None:
    request = urllib.request.Request(
        f"{sandbox.url}/sandbox/faults", json.dumps(fault).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()


def refuse(sandbox, api, who) -> None:
    """Have an API refuse every call for somebody, for good."""
    fault = {"kind": "res", "res": -4} if api == "mensatek" else {"kind": "err", "on": "bad content"}
    set_fault(sandbox, api=api, match=f"*{who}*", times=None, **fault)


def send(gateway, login, recipients, *, sender=APP, rcpt_options=(), mail_options=(), header="") -> int:
    with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=60) as smtp:
        smtp.ehlo()
        smtp.login(login.user, login.password)
        smtp.mail(sender, mail_options)
        for recipient in recipients:
            smtp.rcpt(recipient, rcpt_options)
        data = f"From: {APP}\r\nTo: {recipients[0]}\r\nSubject: {SUBJECT_MARKER}\r\n{header}\r\n{BODY_MARKER}\r\n"
        return smtp.data(data.encode())[0]


def in_directory(gateway) -> list[email.message.Message]:
    folder = gateway.folder / "relay.db.reports"
    return list(mailbox.Maildir(folder)) if (folder / "cur").exists() else []  # made last


def wait_for_reports(gateway, count=1):
    until(lambda: len(in_directory(gateway)) >= count, 60, f"no {count} reports")
    return in_directory(gateway)


def failed(report) -> set[str]:
    return {address.decode() for address in scan_message(report)}


@pytest.fixture
def open_gateway(start_gateway, base_config):
    """Start a gateway by the rules of a test."""

    def opened(rules=""):
        return start_gateway(base_config + rules + DOOR)

    return opened


@pytest.mark.parametrize("api", ["mensatek", "dmds"])
@pytest.mark.parametrize("mode", ["queue", "auto", "direct"])
def test_who_was_refused_after_the_250_is_reported(open_gateway, logins, sandbox, unique, mode, api):
    """One report for one message, whatever the mode, where the others got it; nothing where all was refused at DATA."""
    gateway = open_gateway(f'\n[defaults]\nmode = "{mode}"\nrecipients_per_call = 1\n')
    good, bad = f"good.{unique}@example.net", f"bad.{unique}@example.net"
    refuse(sandbox, api, bad)

    assert 250 == send(gateway, logins[f"kept-{api}"], [good, bad])

    (report,) = wait_for_reports(gateway)
    assert {bad} == failed(report)
    gateway.wait_for_event("report_sent")
    metrics = gateway.get("/metrics")[1]
    assert "relay_reports_waiting 0.0" in metrics
    assert 'relay_reports_total{outcome="sent",route="directory"} 1.0' in metrics
    assert (APP, "auto-replied") == (email.utils.parseaddr(report["To"])[1], report["Auto-Submitted"])
    sandbox.wait_for(good, 1)
    code = send(gateway, logins[f"kept-{api}"], [bad])
    if mode == "queue":
        assert 250 == code
        wait_for_reports(gateway, 2)
    else:
        assert 500 <= code
        assert 1 == len(in_directory(gateway))
    assert gateway.stop() == 0


@pytest.mark.parametrize(
    ("rcpt_options", "sender", "is_told"),
    [
        ((), APP, True),
        (("NOTIFY=FAILURE",), APP, True),
        (("NOTIFY=NEVER",), APP, False),
        (("NOTIFY=SUCCESS",), APP, False),
        ((), "", False),
    ],
)
def test_the_sender_hears_of_failure_as_it_asked_to(
    open_gateway, logins, sandbox, unique, rcpt_options, sender, is_told
):
    gateway = open_gateway()
    bad, other = f"bad.{unique}@example.net", f"other.{unique}@example.net"
    refuse(sandbox, "dmds", unique)
    send(gateway, logins["kept-dmds"], [bad], sender=sender, rcpt_options=rcpt_options)
    send(gateway, logins["kept-dmds"], [other])

    reports = wait_for_reports(gateway, 2 if is_told else 1)

    assert {bad, other} if is_told else {other} == set().union(*map(failed, reports))


def test_success_is_told_to_who_asks(open_gateway, logins, sandbox, unique):
    """RFC 3461 section 5.2: what is handed on to who tells no more is `relayed`."""
    gateway = open_gateway()
    address = f"ana.{unique}@example.net"
    options = ["ENVID=order+2B17", "RET=HDRS"]
    send(gateway, logins["kept-dmds"], [address], rcpt_options=["NOTIFY=SUCCESS,FAILURE"], mail_options=options)

    (report,) = wait_for_reports(gateway)

    text = report.as_string()
    assert "Action: relayed" in text
    assert "Original-Envelope-Id: order+17" in text
    sandbox.wait_for(address, 1)


def test_the_report_comes_to_the_senders_mailbox_through_the_api(open_gateway, logins, sandbox, unique):
    rules = f'\n[defaults.reports]\npostmaster = "Postmaster <postmaster.{unique}@example.org>"\n'
    gateway = open_gateway(rules)
    sender, bad = f"sender.{unique}@example.org", f"bad.{unique}@example.net"
    refuse(sandbox, "mensatek", bad)

    assert 250 == send(gateway, logins["kept-mensatek"], [bad], sender=sender)

    (mail,) = sandbox.wait_for(sender, 1)
    assert "Undelivered" in mail.subject
    assert bad in mail.html
    assert [] == in_directory(gateway)


def test_a_delay_is_told_once_and_then_the_end(open_gateway, logins, sandbox, unique):
    rules = """
    [defaults]
    max_age = "6s"
    [defaults.reports]
    delay_notice = "1s"
    [retry]
    first = "0.5s"
    longest = "1s"
    """
    gateway = open_gateway(rules)
    address = f"late.{unique}@example.net"
    set_fault(sandbox, api="dmds", kind="status", status=429, match=address, times=None)
    send(gateway, logins["kept-dmds"], [address])

    wait_for_reports(gateway, 2)

    texts = [report.as_string() for report in in_directory(gateway)]
    assert ["Action: delayed", "Action: failed"] == sorted(
        line for text in texts for line in text.splitlines() if line.startswith("Action")
    )
    assert "Status: 4.4.7" in "".join(texts)


@pytest.mark.parametrize("moment", range(3))
def test_a_kill_between_the_end_of_a_message_and_its_report_loses_none(open_gateway, logins, sandbox, unique, moment):
    """Killed as soon as the refusals are logged: what is owed, made and sent is in the store."""
    gateway = open_gateway('\n[defaults]\nunconfirmed_wait = "0.2s"\n')
    people = [f"bad-{number}.{unique}@example.net" for number in range(8)]
    refuse(sandbox, "dmds", unique)
    for person in people:
        send(gateway, logins["kept-dmds"], [person])
    gateway.wait_for_event("recipient_finished", 2 + 3 * moment)
    gateway.stop(signal.SIGKILL)
    gateway.start()
    reports = wait_for_reports(gateway, len(people))

    assert sorted(people) == sorted(address for report in reports for address in failed(report))
