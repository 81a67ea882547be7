"""A campaign becomes SMTP settings that an application pastes, and the running gateway takes."""

import json
import os
import smtplib
import ssl
import subprocess
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import pytest
from running import RELAY


@pytest.fixture
def provision(sandbox, gateway, certificate):
    """Run `relay dmds provision` for a listener of the gateway; returns code, output and complaints."""

    def run(listener, *arguments):
        environ = {
            **os.environ,
            "RELAY_DMDS_ID": "demo",
            "RELAY_DMDS_APIKEY": sandbox.options.dmds_campaigns["demo-12345"],
            "RELAY_DMDS_URL": f"{sandbox.url}/dmds/{{dmdsid}}/v1",
        }
        done = subprocess.run(
            [RELAY, "dmds", "provision", "--gateway", f"localhost:{gateway.port(listener)}", "--ca-file",
             certificate.authority, *arguments],
            capture_output=True, text=True, env=environ, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return run


def send(settings, certificate, recipient):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "app@example.org", recipient, "Provisioned"
    mail.set_content("It works.")
    context = ssl.create_default_context(cafile=certificate.authority)
    with smtplib.SMTP(settings["host"], int(settings["port"])) as server:
        server.starttls(context=context)
        server.login(settings["user"], settings["password"])
        server.send_message(mail)


def test_the_settings_of_a_campaign_work_as_printed(provision, certificate, sandbox, unique):
    code, out, err = provision("starttls", "--campaign", "12345", "--format", "env")
    assert 0 == code, err
    settings = {line.split("=")[0].removeprefix("SMTP_").lower(): line.split("=", 1)[1] for line in out.splitlines()}
    send(settings, certificate, f"{unique}@example.net")
    sandbox.wait_for(f"{unique}@example.net")


def test_a_campaign_is_made_for_an_application(provision, certificate, sandbox, unique):
    code, out, err = provision("starttls", "--create", "Invoices", "--json")
    settings = json.loads(out)
    assert (0, True) == (code, settings["checked"]), err
    assert "demo-12345" != settings["user"]
    send(settings, certificate, f"{unique}@example.net")
    sandbox.wait_for(f"{unique}@example.net")


def test_other_forms_hold_the_same(provision):
    _, out, _ = provision("implicit", "--campaign", "12345", "--tls", "implicit", "--json")
    settings = json.loads(out)
    code, url, _ = provision("implicit", "--campaign", "12345", "--tls", "implicit", "--format", "url")
    parts = urlsplit(url.strip())
    assert (0, "smtps", "demo-12345", settings["password"]) == (
        code,
        parts.scheme,
        parts.username,
        unquote(parts.password),
    )
    _, text, _ = provision("implicit", "--campaign", "12345", "--tls", "implicit", "--format", "postfix")
    assert f"[localhost]:{settings['port']} demo-12345:{settings['password']}" in text.splitlines()
    assert "smtp_tls_wrappermode = yes" in text.splitlines()
    _, table, _ = provision("plain", "--campaign", "12345", "--tls", "none")
    assert ["user", "demo-12345"] in [line.split() for line in table.splitlines()]


@pytest.mark.parametrize(
    ("listener", "tls", "said"),
    [("plain", "starttls", "STARTTLS"), ("required", "none", "AUTH"), ("plain", "implicit", "SSL")],
)
def test_what_the_gateway_does_not_take_is_said(provision, listener, tls, said):
    """The settings are printed all the same: the campaign is right, the way to the gateway is not."""
    code, out, err = provision(listener, "--campaign", "12345", "--tls", tls)
    assert (1, True, True) == (code, "demo-12345" in out, said in err), err
