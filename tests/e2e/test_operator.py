"""An operator at work beside a running gateway, by the commands of another process."""

import json
import smtplib
import subprocess
import urllib.request
from email.message import EmailMessage

import pytest
from running import BODY_MARKER, RELAY, SUBJECT_MARKER, until

PATIENT = """
[retry]
first = "1h"
"""


@pytest.fixture(scope="module")
def patient(_make_gateway, base_config, doors):
    """A gateway that tries nothing again by itself within the time of a test, alone with its store."""
    return _make_gateway(base_config + "\n" + doors + PATIENT)


@pytest.fixture(scope="module")
def crew(_make_gateway, base_config, doors):
    """The same with two workers."""
    return _make_gateway("workers = 2\n" + base_config + "\n" + doors + PATIENT)


def queue(gateway, *arguments):
    done = subprocess.run(
        [RELAY, "queue", *arguments, "--config", gateway.config],
        env=gateway._environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def listed(gateway, recipient):
    found = json.loads(queue(gateway, "list", "--json", "--recipient", recipient))
    return [(message["id"], message["entries"][0]["state"], message["leased_by"]) for message in found["messages"]]


def send_in_vain(gateway, sandbox, login, recipient):
    """Send a mail that the API is too busy for; return its id once it waits for an hour."""
    fault = {"api": login.api, "match": recipient, "kind": "status", "status": 503}
    body = json.dumps(fault).encode()
    request = urllib.request.Request(f"{sandbox.url}/sandbox/faults", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10):
        pass
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "app@example.org", recipient, SUBJECT_MARKER
    mail.set_content(BODY_MARKER)
    with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=60) as smtp:
        smtp.login(login.user, login.password)
        smtp.send_message(mail)
    until(
        lambda: [("queued", "")] == [(state, owner) for _, state, owner in listed(gateway, recipient)],
        30,
        f"it does not wait: {listed(gateway, recipient)}",
    )
    ((message_id, *_),) = listed(gateway, recipient)
    return message_id


@pytest.mark.parametrize("which", ["patient", "crew"])
def test_what_waits_is_tried_as_soon_as_the_operator_says_so(request, sandbox, logins, unique, which):
    gateway, recipient = request.getfixturevalue(which), f"{unique}@example.net"
    message_id = send_in_vain(gateway, sandbox, logins["kept-dmds"], recipient)
    assert not sandbox.mails(recipient)

    queue(gateway, "retry", message_id)

    sandbox.wait_for(recipient)
    told = [event for event in gateway.wait_for_event("operator_acted") if event["verb"] == "retry"]
    assert ("dmds", "dmds", 1, 1, 0) == tuple(
        told[-1][name] for name in ("account", "provider", "messages", "recipients", "doubtful")
    )
    assert told[-1]["who"]
    until(lambda: [] == listed(gateway, recipient), 30, "it does not end")


def test_what_is_held_waits_for_its_release_and_what_is_dropped_never_goes(patient, sandbox, logins, unique):
    kept, gone = f"kept-{unique}@example.net", f"gone-{unique}@example.net"
    kept_id, gone_id = [send_in_vain(patient, sandbox, logins["kept-dmds"], address) for address in (kept, gone)]

    queue(patient, "hold", kept_id, gone_id)
    assert [(kept_id, "held", "")] == listed(patient, kept)
    assert BODY_MARKER in queue(patient, "export", kept_id)
    queue(patient, "drop", gone_id)
    queue(patient, "release", "--recipient", kept)

    sandbox.wait_for(kept)
    assert [] == listed(patient, gone)
    assert not sandbox.mails(gone)
    status, metrics = patient.get("/metrics")
    assert status == 200
    assert 'relay_queue_recipients{state="dropped"} 1.0' in metrics
