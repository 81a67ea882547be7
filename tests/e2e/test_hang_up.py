"""A client that hangs up behind the final dot does not hear its 250, and sends the same mail again: one copy."""

import signal
import smtplib
import socket
import struct

from running import BODY_MARKER, SUBJECT_MARKER, until


def mail_of(address: str) -> bytes:
    return f"From: app@example.org\r\nTo: {address}\r\nSubject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n".encode()


def hang_up_behind_the_dot(gateway, login, address) -> None:
    """The gateway is held meanwhile: otherwise its 250 might be on the way already."""
    client = smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=30)
    client.login(login.user, login.password)
    client.mail("app@example.org")
    client.rcpt(address)
    client.docmd("DATA")
    gateway.tell(signal.SIGSTOP)
    client.send(mail_of(address) + b".\r\n")
    # Without lingering the connection is reset: nothing can be read from it any more.
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    gateway.tell(signal.SIGCONT)


def send(gateway, login, address) -> None:
    with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=30) as client:
        client.login(login.user, login.password)
        client.sendmail("app@example.org", [address], mail_of(address))


def test_mail_whose_250_was_not_heard_arrives_once(start_gateway, base_config, logins, sandbox, unique):
    """What arrives again later, after its 250 was heard, is meant to arrive again."""
    rules = '\n[listener.plain]\naddress = "127.0.0.1:0"\n'
    gateway, login, address = start_gateway(base_config + rules), logins["kept-dmds"], f"{unique}@inbox.example"

    hang_up_behind_the_dot(gateway, login, address)
    gateway.wait_for_event("message_accepted")
    send(gateway, login, address)

    assert len(gateway.events("message_repeated")) == 1
    assert len(sandbox.wait_for(address)) == 1
    send(gateway, login, address)
    until(lambda: len(sandbox.mails(address)) == 2, 30, "what was meant to arrive again did not")


def test_equal_mails_of_clients_that_say_all_at_once_all_arrive(start_gateway, base_config, logins, sandbox, unique):
    """`nc -N` closes its half behind the last command and reads on: two equal alerts are two."""
    rules = '\n[listener.plain]\naddress = "127.0.0.1:0"\n'
    gateway, login, address = start_gateway(base_config + rules), logins["kept-dmds"], f"{unique}@inbox.example"

    for count in (1, 2):
        with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=30) as client:
            client.login(login.user, login.password)
            client.mail("app@example.org")
            client.rcpt(address)
            client.docmd("DATA")
            gateway.tell(signal.SIGSTOP)
            client.send(mail_of(address) + b".\r\n")
            client.sock.shutdown(socket.SHUT_WR)
            gateway.tell(signal.SIGCONT)
            assert 250 == client.getreply()[0]
            client.close()
        until(lambda: len(sandbox.mails(address)) == count, 30, "an alert did not arrive")  # noqa: B023 - called at once
