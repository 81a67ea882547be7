"""Trouble around the gateway: nobody at the API, no room, wrong passwords, clients that hang up."""

import http.server
import json
import smtplib
import socket
import threading
from contextlib import contextmanager

import pytest
from running import BODY_MARKER, SUBJECT_MARKER, until

DOOR = '\n[listener.plain]\naddress = "127.0.0.1:0"\n'
MAIL = f"From: app@example.org\r\nSubject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n"


@contextmanager
def session(gateway, login=None):
    with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=30) as smtp:
        if login is not None:
            smtp.login(login.user, login.password)
        yield smtp


def send(gateway, login, recipient, mail=MAIL):
    with session(gateway, login) as smtp:
        smtp.mail("app@example.org")
        smtp.rcpt(recipient)
        return smtp.data(mail)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ScriptedApi(http.server.BaseHTTPRequestHandler):
    """EnviarEMAIL as documented, for one recipient; keeps what it was sent."""

    taken: list[dict]

    def do_POST(self):
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).taken.append(document)
        entry = {"Email": document["Destinatarios"][0]["Email"], "idMensaje": "108366478"}
        answer = [{"Res": "1", "idEnvio": "1228853777", "Destinatarios": "1", "Enviados": json.dumps([entry]),
                   "NoEnviados": "[]", "Duplicados": "0"}]  # fmt: skip
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_mail_waits_for_an_api_that_is_not_there_and_arrives_once(start_gateway, base_config, logins, unique):
    port = free_port()
    config = base_config.replace(
        '[provider.mensatek]\nurl = "', f'[provider.mensatek]\nurl = "http://127.0.0.1:{port}/v7"\n#'
    )
    gateway = start_gateway(config + DOOR + '[retry]\nfirst = "0.2s"\njitter = 0.0\nlongest = "0.5s"\n')
    code, _ = send(gateway, logins["kept-mensatek"], f"{unique}@example.net")
    assert code == 250
    until(lambda: len(gateway.events("call_finished")) >= 3, 30, "it is not tried again")
    assert {event["reason"].split(" (")[0] for event in gateway.events("call_finished")} == {
        "could not connect to 127.0.0.1"
    }
    ScriptedApi.taken = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), ScriptedApi) as api:
        thread = threading.Thread(target=api.serve_forever)
        thread.start()
        until(lambda: len(ScriptedApi.taken) == 1, 30, "it does not arrive")
        until(lambda: gateway.events("call_finished")[-1]["accepted"] == 1, 10, "it is not noted")
        api.shutdown()
        thread.join()
    assert len(ScriptedApi.taken) == 1
    assert ScriptedApi.taken[0]["Destinatarios"][0]["Email"] == f"{unique}@example.net"


def test_a_full_store_says_452_and_takes_mail_again_when_there_is_room(
    start_gateway, base_config, sandbox, logins, unique
):
    tight = '[retry]\nfirst = "0.5s"\n[store]\nmax_bytes = "100KiB"\n'
    gateway = start_gateway(base_config + DOOR + 'max_message_bytes = "90KiB"\n' + tight)
    login, big = logins["kept-dmds"], MAIL + "x" * 70 * 1024 + "\r\n"
    fault = {"api": "dmds", "kind": "status", "status": 503, "times": None, "match": f"*{unique}*"}
    sandbox.ask(lambda world: world.faults.ask(fault))
    assert send(gateway, login, f"first.{unique}@example.net", big)[0] == 250
    code, text = send(gateway, login, f"second.{unique}@example.net", big)
    assert (code, text[:5]) == (452, b"4.3.1")
    sandbox.ask(lambda world: world.faults.clear())
    sandbox.wait_for(f"first.{unique}@example.net")
    until(lambda: send(gateway, login, f"third.{unique}@example.net", big)[0] == 250, 30, "there is no room again")
    sandbox.wait_for(f"third.{unique}@example.net")


def test_a_wrong_password_is_refused_and_the_next_client_is_not_harmed(gateway, logins):
    login = logins["kept-dmds"]
    with session(gateway) as smtp, pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        smtp.login(login.user, "wrong")
    assert refused.value.smtp_code == 535
    assert refused.value.smtp_error.startswith(b"5.7.8")
    with session(gateway, login) as smtp:
        assert smtp.noop()[0] == 250


def test_unknown_login_and_wrong_password_look_the_same(gateway, logins):
    said = set()
    for user in (logins["kept-dmds"].user, "nobody-there", "nobody"):
        with session(gateway) as smtp, pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            smtp.login(user, "wrong")
        said.add((refused.value.smtp_code, refused.value.smtp_error))
    assert len(said) == 1


def test_a_provider_is_not_asked_again_for_a_password_it_has_just_refused(gateway, sandbox):
    """A gateway that passes guesses on would get its own address blocked."""
    asked_before = sandbox.ask(lambda world: len([call for call in world.calls if call.function == "campania"]))
    for _ in range(3):
        with session(gateway) as smtp, pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("demo-12345", "the-same-wrong-apikey")
    asked = sandbox.ask(lambda world: len([call for call in world.calls if call.function == "campania"]))
    assert asked - asked_before == 1


def test_a_dmdsid_that_is_not_listed_goes_nowhere(gateway, sandbox):
    asked_before = sandbox.ask(lambda world: len(world.calls))
    for user in ("other-12345", "demo/../x-12345", "demo.example.org-12345"):
        with session(gateway) as smtp, pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login(user, "apikey")
    assert sandbox.ask(lambda world: len(world.calls)) == asked_before


def test_nobody_sends_without_a_login(gateway):
    with session(gateway) as smtp:
        smtp.ehlo()
        code, text = smtp.mail("app@example.org")
        assert (code, text[:5]) == (530, b"5.7.0")


def test_a_trusted_network_sends_as_its_account(start_gateway, base_config, sandbox, unique):
    gateway = start_gateway(base_config + DOOR + '[listener.plain.trusted]\n"127.0.0.0/8" = "dmds"\n')
    with session(gateway) as smtp:
        smtp.sendmail("app@example.org", [f"{unique}@example.net"], MAIL)
    sandbox.wait_for(f"{unique}@example.net")


def test_a_client_that_hangs_up_before_the_final_dot_has_sent_nothing(gateway, sandbox, logins, unique):
    with session(gateway, logins["kept-dmds"]) as smtp:
        smtp.mail("app@example.org")
        smtp.rcpt(f"{unique}@example.net")
        smtp.putcmd("data")
        assert smtp.getreply()[0] == 354
        smtp.send(MAIL)
        smtp.close()
    with session(gateway, logins["kept-dmds"]) as smtp:
        smtp.sendmail("app@example.org", [f"after.{unique}@example.net"], MAIL)
    sandbox.wait_for(f"after.{unique}@example.net")
    assert sandbox.mails(f"{unique}@example.net") == ()


def test_a_client_that_hangs_up_after_the_final_dot_has_sent_it(gateway, sandbox, logins, unique):
    with session(gateway, logins["kept-dmds"]) as smtp:
        smtp.mail("app@example.org")
        smtp.rcpt(f"{unique}@example.net")
        smtp.putcmd("data")
        assert smtp.getreply()[0] == 354
        smtp.send(MAIL + ".\r\n")
        smtp.close()
    sandbox.wait_for(f"{unique}@example.net", 1)


def test_a_sender_that_the_account_may_not_use_is_refused_at_mail_or_at_data(
    start_gateway, base_config, logins, unique
):
    rules = base_config.replace("[account.dmds]", '[account.dmds]\nsenders = ["*@example.org"]')
    gateway = start_gateway(rules + DOOR)
    with session(gateway, logins["kept-dmds"]) as smtp:
        code, text = smtp.mail("stranger@example.net")
        assert (code, text[:5]) == (550, b"5.7.1")
        assert b"*@example.org" in text
        smtp.mail("app@example.org")
        smtp.rcpt(f"{unique}@example.net")
        code, text = smtp.data(MAIL.replace("app@example.org", "stranger@example.net"))
        assert (code, text[:5]) == (550, b"5.7.1")
        smtp.mail("")  # the null sender is always allowed
        smtp.rcpt(f"{unique}@example.net")
        assert smtp.data(MAIL)[0] == 250


def test_limits_say_when_to_come_back(start_gateway, base_config, logins, unique):
    rules = base_config.replace("[account.dmds]", "[account.dmds]\nmessages_per_minute = 2\nrecipients_per_day = 3")
    gateway = start_gateway(rules + DOOR)
    login = logins["kept-dmds"]
    assert send(gateway, login, f"1.{unique}@example.net")[0] == 250
    assert send(gateway, login, f"2.{unique}@example.net")[0] == 250
    code, text = send(gateway, login, f"3.{unique}@example.net")
    assert (code, text[:5]) == (452, b"4.7.1")
    assert b"minute" in text
    gateway.stop()
    gateway.start()  # the day's count is in the store
    with session(gateway, login) as smtp:
        smtp.mail("app@example.org")
        for number in range(2):
            smtp.rcpt(f"r{number}.{unique}@example.net")
        code, text = smtp.data(MAIL)
    assert (code, text[:5]) == (452, b"4.7.1")
    assert b"UTC" in text
