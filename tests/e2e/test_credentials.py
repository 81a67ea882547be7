"""What becomes of mail whose credential was refused, once there is a better one."""

import smtplib

from running import BODY_MARKER, SUBJECT_MARKER, RunningSandbox, until

from relay.sandbox import SandboxOptions


def send(gateway, password, recipient):
    with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=30) as smtp:
        smtp.login("acme-77", password)
        smtp.sendmail("app@example.org", [recipient], f"Subject: {SUBJECT_MARKER}\r\n\r\n{BODY_MARKER}\r\n")


def test_mail_that_waited_for_a_key_goes_when_the_application_logs_in_with_the_new_one(start_gateway, unique):
    """The campaign gets a new APIKEY while mail waits; the account is paused for the old one."""
    keys = {"acme-77": "the-first-apikey"}
    with RunningSandbox(SandboxOptions(port=0, dmds_campaigns=keys)) as sandbox:
        gateway = start_gateway(
            f'[provider.dmds]\nurl = "{sandbox.url}/dmds/{{dmdsid}}/v1"\n'
            '[passthrough.dmds]\nenabled = true\ndmdsids = ["acme"]\n'
            '[listener.plain]\naddress = "127.0.0.1:0"\n[retry]\nfirst = "0.3s"\n[delivery]\npause_first = "10m"\n'
        )
        send(gateway, "the-first-apikey", f"before.{unique}@example.net")
        sandbox.wait_for(f"before.{unique}@example.net")
        sandbox.ask(lambda world: world.campaigns.set_key(world.campaigns.find("acme", 77), "the-second-apikey"))
        send(gateway, "the-first-apikey", f"waiting.{unique}@example.net")  # remembered as right
        gateway.wait_for_event("account_paused")
        send(gateway, "the-second-apikey", f"after.{unique}@example.net")
        sandbox.wait_for(f"waiting.{unique}@example.net", 1)
        sandbox.wait_for(f"after.{unique}@example.net", 1)
        until(lambda: "relay_accounts_paused 0.0" in gateway.get("/metrics")[1], 10, "the account stays paused")
