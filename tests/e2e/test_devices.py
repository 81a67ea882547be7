"""A device door from end to end: what a scanner says, and what arrives, over a refusal of the API and a restart."""

import signal
import smtplib
import socket

from running import BODY_MARKER, SUBJECT_MARKER, until

from relay.sandbox.faults import SlowAfter

DOOR = """
[listener.printers]
profile = "device"
address = "127.0.0.1:0"
auth = false
sender = "Scanner <scan@example.org>"
[listener.printers.trusted]
"127.0.0.1" = "mensatek"
[retry]
first = "0.2s"
jitter = 0.0
"""
API = '[provider.mensatek]\nurl = "'


def scan(gateway, recipient, header=b"From: The Copier <copier@floor2.example>\n"):
    """Speak as an old scanner does: HELO, LF, no brackets, one dot with CR LF at the end."""
    message = header + f"Subject: {SUBJECT_MARKER}\n\n{BODY_MARKER} one\n..dotted\rtwo\r\r\nthree\n".encode()
    with socket.create_connection(("127.0.0.1", gateway.port("printers")), 30) as line:
        answers = line.makefile("rb")
        said = [answers.readline()[:3]]
        for command in (b"helo copier\n", b"mail from: copier\n", f"rcpt to: {recipient}\n".encode(), b"data\n"):
            line.sendall(command)
            said.append(answers.readline()[:3])
        line.sendall(message + b"\r\n.\r\nquit\n")
        line.shutdown(socket.SHUT_WR)
        return [*said, answers.readline()[:3], answers.readline()[:3]]


def test_a_scan_arrives_from_the_fixed_sender(start_gateway, base_config, sandbox, unique):
    gateway = start_gateway(base_config + DOOR)
    assert scan(gateway, f"{unique}@inbox.example") == [b"220", b"250", b"250", b"250", b"354", b"250", b"221"]
    (got,) = sandbox.wait_for(f"{unique}@inbox.example")
    assert (got.from_name, got.sender, got.reply_to) == ("Scanner", "scan@example.org", "copier@floor2.example")
    for text in (f"{BODY_MARKER} one", ".dotted", "two", "three"):
        assert text in got.html
    assert "..dotted" not in got.html
    (accepted,) = gateway.events("message_accepted")
    assert "sender_replaced: the sender copier@floor2.example became scan@example.org" in accepted["notes"]


def test_the_fixed_sender_survives_retries_and_a_kill(start_gateway, base_config, sandbox, unique):
    """It stands in the kept message itself: the worker of another life knows neither listener nor client."""
    away = base_config.replace(API, f'{API}http://127.0.0.1:9/v7"\n#')
    gateway = start_gateway(away + DOOR)
    assert scan(gateway, f"{unique}@inbox.example", b"")[5] == b"250"
    until(lambda: len(gateway.events("call_finished")) >= 2, 30, "it is not tried again")
    gateway.stop(signal.SIGKILL)
    gateway.config.write_text(base_config + '\n[listener.plain]\naddress = "127.0.0.1:0"\n', encoding="utf-8")
    gateway.start()
    (got,) = sandbox.wait_for(f"{unique}@inbox.example")
    assert (got.from_name, got.sender, got.reply_to) == ("Scanner", "scan@example.org", "")


def test_a_client_that_is_told_to_come_back_gets_no_second_copy(start_gateway, base_config, sandbox, logins, unique):
    """The API takes longer than a client waits: it hears 421, sends the same again, and hears 250 of the first."""
    door = '\n[listener.plain]\naddress = "127.0.0.1:0"\nfinal_timeout = "0.5s"\n[defaults]\nmode = "direct"\n'
    gateway = start_gateway(base_config + door)
    recipient = f"{unique}@inbox.example"
    sandbox.ask(lambda world: world.faults.add(SlowAfter(api="mensatek", seconds=3.0, match=recipient)))
    login = logins["kept-mensatek"]

    def send():
        with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=30) as smtp:
            smtp.login(login.user, login.password)
            smtp.mail("app@example.org")
            smtp.rcpt(recipient)
            return smtp.data(f"From: app@example.org\r\nSubject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n")[0]

    assert send() == 421
    gateway.wait_for_event("message_accepted")
    assert send() == 250
    assert len(sandbox.wait_for(recipient)) == 1
