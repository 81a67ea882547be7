"""Start gateway and sandbox, send the samples, tell what every mailbox received and what the gateway noted."""

import asyncio
import contextlib
import io
import json
import smtplib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from relay.accounts import hash_password
from relay.app import running
from relay.config import Settings
from relay.config.units import HostPort
from relay.demo.samples import Sample, samples
from relay.events import Events
from relay.log import logger
from relay.sandbox import Sandbox, SandboxOptions

#: How long the mails may take to arrive, in seconds.
_PATIENCE_SECONDS = 30.0
#: Ports that are taken where they are free, so that the pasted lines stay the same.
_SMTP_PORT, _SANDBOX_PORT, _WEB_PORT = 2525, 8025, 8080


class _Log(io.StringIO):
    """The gateway's log, which tells when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = asyncio.Event()

    def write(self, text: str) -> int:
        self.heard.set()
        return super().write(text)

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


class Demo:
    """Gateway and sandbox in this process, with a store that is thrown away."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say
        self._log = _Log()
        self._replies: list[tuple[Sample, str]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Demo"]:
        """Keep both up inside the `async with`."""
        options = SandboxOptions(port=await _free_port(_SANDBOX_PORT))
        async with Sandbox(options) as self._sandbox:
            settings = await self._settings()
            events = Events(logger("json", "info", self._log))
            async with running(settings, events) as gateway:
                self._smtp = gateway.addresses["demo"]
                self._web_url = gateway.web_url
                yield self

    async def play(self) -> None:
        """Send the samples and wait until all that should arrive has arrived."""
        for sample in samples():
            self._replies.append((sample, await asyncio.to_thread(_send, self._smtp, sample)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while self.missing():
                    self._log.heard.clear()
                    await self._log.heard.wait()

    def missing(self) -> list[str]:
        """Name what did not become of the samples as it should: mail not arrived, refusals not given."""
        got = [(mail.api, mail.mailbox) for mail in self._sandbox.world.mails]
        calls = sum(event["event"] == "call_finished" for event in self._log.events())
        wrong = [] if calls == sum(sample.arrives for sample in samples()) else [f"the gateway noted {calls} calls"]
        for sample, reply in self._replies:
            if sample.arrives != reply.startswith("250"):
                wrong.append(f"{sample.title}: the gateway said {reply}")
            elif sample.arrives:
                api = "dmds" if sample.login.startswith("demo-") else "mensatek"
                copies = {recipient: got.count((api, recipient)) for recipient in sample.recipients}
                wrong += [f"{sample.title}: {who} got {count} copies" for who, count in copies.items() if count != 1]
        return wrong

    def tell(self) -> None:
        """Say what was sent, what arrived, and what the gateway noted."""
        self._say("WHAT WAS SENT, AND THE GATEWAY'S ANSWERS")
        for sample, reply in self._replies:
            self._say(f"\n  {sample.title}\n    login {sample.login}, to {', '.join(sample.recipients)}\n    {reply}")
        self._say("\nWHAT EVERY MAILBOX RECEIVED")
        for mail in sorted(self._sandbox.world.mails, key=lambda mail: mail.mailbox):
            shown = "; ".join(
                f"{name} {', '.join(str(address) for address in addresses)}"
                for name, addresses in (("To", mail.to), ("Cc", mail.cc))
                if addresses
            )
            files = ", ".join(f"{file.name} ({file.size} bytes)" for file in mail.attachments) or "none"
            inline = " with its image inside" if mail.html and "data:image/" in mail.html else ""
            self._say(f"\n  {mail.mailbox}   by {mail.api}")
            self._say(f"    From {mail.from_name} <{mail.sender}>; Reply-To {mail.reply_to}")
            self._say(f"    {shown}\n    Subject {mail.subject}\n    HTML{inline}; attachments: {files}")
        self._say("\nWHAT THE GATEWAY NOTED")
        for event in self._log.events():
            self._tell_event(event)

    def tell_how_to_go_on(self) -> None:
        """Say how to send a mail oneself, and where to look."""
        smtp = self._smtp
        self._say(f"""
TRY IT YOURSELF

  swaks --server {smtp} --auth-user demo-12345 --auth-password demo-apikey \\
        --from app@example.org --to you@example.net --header 'Subject: Hello' --body 'It works.'

  python3 - <<'PYTHON'
import smtplib
with smtplib.SMTP("{smtp.host}", {smtp.port}) as smtp:
    smtp.login("erp", "erp-password")
    smtp.sendmail("billing@example.org", ["you@example.net"],
                  "From: billing@example.org\\r\\nTo: you@example.net\\r\\nSubject: Hello\\r\\n\\r\\nIt works.\\r\\n")
PYTHON

  the mailboxes      {self._sandbox.url}/
  the gateway        {self._web_url}/readyz   {self._web_url}/metrics
""")

    def _tell_event(self, event: dict[str, object]) -> None:
        match event["event"]:
            case "message_accepted":
                self._say(f"\n  {event['message_id']}  accepted for {event['recipients']} recipients")
                notes = event["notes"]
                for note in notes if isinstance(notes, list) else []:
                    self._say(f"    note  {note}")
            case "call_finished":
                self._say(
                    f"  {event['message_id']}  {event['function']}: accepted {event['accepted']}, "
                    f"refused {event['refused']}, deferred {event['deferred']}, batch {event['batch_id']}"
                )
            case "message_refused" | "command_refused":
                self._say(f"\n  refused: {event['code']} {event['enhanced']} {event['text']}")
            case _:
                pass

    async def _settings(self) -> Settings:
        smtp, web = await _free_port(_SMTP_PORT), await _free_port(_WEB_PORT)
        return Settings.model_validate(
            {
                "store": {"path": str(self._folder / "relay.db"), "min_free_bytes": "10MiB"},
                "listener": {"demo": {"address": f"127.0.0.1:{smtp}"}},
                "web": {"address": f"127.0.0.1:{web}"},
                "provider": {
                    "mensatek": {"url": self._sandbox.mensatek_url},
                    "dmds": {"url": self._sandbox.dmds_url},
                },
                "passthrough": {"dmds": {"enabled": True, "dmdsids": ["demo"]}},
                "login": {"erp": {"account": "erp", "password_hash": hash_password("erp-password")}},
                "account": {
                    "erp": {
                        "provider": "mensatek",
                        "user": "demo-user",
                        "token": "demo-token",
                        "senders": ["*@example.org"],
                    }
                },
            }
        )


def _send(address: HostPort, sample: Sample) -> str:
    """Send one sample as an application would; returns the reply that decided."""
    with smtplib.SMTP(address.host, address.port, timeout=_PATIENCE_SECONDS) as smtp:
        smtp.ehlo_or_helo_if_needed()
        smtp.login(sample.login, sample.password)
        code, text = smtp.mail(sample.mail_from)
        for recipient in sample.recipients if code == 250 else ():  # noqa: PLR2004 - the wire's own number
            code, text = smtp.rcpt(recipient)
        if code == 250:  # noqa: PLR2004 - the same
            code, text = smtp.data(sample.mail.as_bytes())
        return f"{code} {text.decode('ascii', 'replace')}"


async def _free_port(wanted: int) -> int:
    """Return the wanted port of the loopback address if it is free, otherwise 0: any."""
    try:
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", wanted)
    except OSError:
        return 0
    server.close()
    await server.wait_closed()
    return wanted
