"""Two gateways on one database share the work; what one died over goes on in its next life."""

import signal
import smtplib

from running import BODY_MARKER, SUBJECT_MARKER, Gateway, until

DOOR = '\n[defaults]\nunconfirmed_wait = "0.5s"\n[listener.plain]\naddress = "127.0.0.1:0"\n'


def send(gateway: Gateway, login, address: str) -> None:
    with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=60) as smtp:
        smtp.login(login.user, login.password)
        smtp.sendmail("app@example.org", [address], f"Subject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n")


def test_two_nodes_share_a_database_and_one_may_die(start_gateway, base_config, logins, sandbox, unique, store_environ):
    environ = store_environ("postgres")
    one = start_gateway(base_config + DOOR, environ=environ, name="one")
    two = start_gateway(base_config + DOOR, environ=environ | {"RELAY__STORE__NODE": "two"}, name="two")
    addresses = [f"{unique}-{number}@example.net" for number in range(20)]
    for number, address in enumerate(addresses):
        send((one, two)[number % 2], logins["kept-dmds"], address)
    two.stop(signal.SIGKILL)
    send(one, logins["kept-dmds"], f"{unique}-alone@example.net")

    two.start()  # under its name: it goes on with what it had under way

    for address in [*addresses, f"{unique}-alone@example.net"]:
        until(lambda address=address: sandbox.mails(address), 60, f"{address} got nothing")
    twice = {address for address in addresses if len(sandbox.mails(address)) > 1}
    told = [event for node in (one, two) for event in node.events("retried_unconfirmed")]
    assert twice <= {event["recipient"] for event in told}
    for node in (one, two):
        node.stop()
