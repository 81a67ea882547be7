"""A report as the real Postfix takes it, and as its local delivery leaves it in the sender's mailbox."""

import email
import json
import os
import smtplib
import tempfile
import urllib.request
from pathlib import Path

import pytest
from flufl.bounce import scan_message
from postfix import Postfix
from running import BODY_MARKER, SUBJECT_MARKER, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mail servers can only be started by root")

#: A user of every system, whom Postfix can deliver to.
_SENDER = "nobody@example.org"


@pytest.fixture
def spool():
    """A folder for mailboxes, where whoever delivers may write."""
    with tempfile.TemporaryDirectory(prefix="relay-spool-") as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


@pytest.fixture
def return_host(certificate, spool):
    """A Postfix that is home to the sender."""
    options = {"mydestination": "example.org", "local_recipient_maps": "", "mail_spool_directory": f"{spool}/"}
    postfix = Postfix({"/etc/postfix/main.cf": ""}, certificate.authority, options=options).start()
    yield postfix
    postfix.stop()


def test_a_report_comes_home_through_postfix(return_host, spool, start_gateway, base_config, logins, sandbox, unique):
    rules = f"""
    [defaults.reports]
    route = "smtp"
    postmaster = "Postmaster <postmaster@gateway.example>"
    [defaults.reports.smtp]
    address = "127.0.0.1:{return_host.port}"
    tls = "none"
    [listener.plain]
    address = "127.0.0.1:0"
    """
    gateway = start_gateway(base_config + rules)
    bad = f"bad.{unique}@example.net"
    fault = {"api": "dmds", "kind": "err", "on": "bad content", "match": bad, "times": None}
    request = urllib.request.Request(
        f"{sandbox.url}/sandbox/faults", json.dumps(fault).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()
    login = logins["kept-dmds"]
    with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=60) as smtp:
        smtp.login(login.user, login.password)
        data = f"From: {_SENDER}\r\nTo: {bad}\r\nSubject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n"
        smtp.sendmail(_SENDER, [bad], data)

    new = spool / "nobody" / "new"
    until(lambda: new.exists() and any(new.iterdir()), 60, return_host.log())
    (file,) = new.iterdir()
    report = email.message_from_bytes(file.read_bytes())

    assert {bad.encode()} == set(scan_message(report))
    assert "<>" == report["Return-Path"]
    assert SUBJECT_MARKER in report.as_string()
