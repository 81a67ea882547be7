"""Mail servers that have the gateway as their smarthost, each set up as docs/clients.md says.

All have the same handles: `start`, `stop`, `log`, `submit` a mail as a program on that machine would, `retry` what
waits, and tell how many files of mail are `waiting`.
"""

import os
import smtplib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, Self

from jail import Jail
from postfix import Postfix, free_port, listens
from running import until

_START_SECONDS = 60
_TOOLS = ("sh", "sed", "tr", "grep", "getopt", "mktemp", "cat", "id", "chown", "chmod")
_MORE_TOOLS = ("mv", "rm", "fold", "expr", "ls", "dirname", "touch", "hostname")


class MailServer(Protocol):
    """What the tests want of each."""

    def start(self) -> Self:
        """Start what has to run."""

    def stop(self) -> None:
        """Stop it, and remove everything that it kept."""

    def log(self) -> str:
        """Return what it told of its deliveries."""

    def submit(self, sender: str, recipients: Sequence[str], message: bytes) -> None:
        """Hand it a mail."""

    def retry(self) -> None:
        """Have it try at once what waits."""

    def waiting(self) -> int:
        """Count the mail that it keeps."""


class Exim:
    """Debian's Exim, without a daemon: each mail and each queue run is a process that ends with the attempt."""

    _SPOOL = "/var/spool/exim4"
    _OWNER = "Debian-exim"

    def __init__(self, files: Mapping[str, str], authority: Path, *, options: Mapping[str, str] | None = None) -> None:
        """Unpack it; the options are added to the transport that goes to the gateway."""
        self._jail = Jail("exim4-daemon-light", [self._OWNER])
        self._jail.admit("/usr/sbin/exim4", *_TOOLS, *_MORE_TOOLS)
        for folder in (self._SPOOL, "/var/log/exim4", "/run/exim4"):
            self._jail.folder(folder, owner=self._OWNER)
        self._jail.folder("/var/lib/exim4")
        for name, text in files.items():
            self._jail.write(name, text, group=self._OWNER, mode=0o640)
        self._jail.write("/etc/ssl/relay-ca.pem", authority.read_text(encoding="utf-8"))
        self._jail.write("/etc/aliases", "")
        # The machine of the tests has no name that a server could use.
        macros = "/etc/exim4/exim4.conf.localmacros"
        self._jail.write(macros, self._jail.read(macros) + "MAIN_HARDCODE_PRIMARY_HOSTNAME = client.example.org\n")
        # The gateway stands on the same machine; the document says this, too.
        template = self._jail.read("/etc/exim4/exim4.conf.template")
        template = template.replace("driver = manualroute\n", "driver = manualroute\n  self = send\n")
        more = "".join(f"  {name} = {value}\n" for name, value in (options or {}).items())
        before, title, transport = template.partition("\nremote_smtp_smarthost:\n")
        transport = transport.replace("driver = smtp\n", f"driver = smtp\n{more}", 1)
        self._jail.write("/etc/exim4/exim4.conf.template", before + title + transport)

    def start(self) -> Self:
        """Make the configuration, as the document says."""
        self._jail.run("/usr/sbin/update-exim4.conf")
        return self

    def stop(self) -> None:
        """Remove it."""
        self._jail.remove()

    def log(self) -> str:
        """Return its main log."""
        return self._jail.read("/var/log/exim4/mainlog")

    def submit(self, sender: str, recipients: Sequence[str], message: bytes) -> None:
        """Hand it a mail, and wait for the first attempt."""
        self.keep(sender, recipients, message)
        self.retry()

    def keep(self, sender: str, recipients: Sequence[str], message: bytes) -> None:
        """Hand it a mail as `sendmail` takes it, for the next run of its queue."""
        self._jail.run("/usr/sbin/exim4", "-odq", "-i", "-f", sender, "--", *recipients, stdin=message)

    def retry(self) -> None:
        """Run the queue: routing first, so that mail for one host shares its connection."""
        self._jail.run("/usr/sbin/exim4", "-qqff")

    def waiting(self) -> int:
        """Count the messages in its spool."""
        return len(list(self._jail.root.glob(f"{self._SPOOL[1:]}/input/**/*-H")))


class OpenSmtpd:
    """OpenSMTPD in the foreground."""

    _USERS = ("opensmtpd", "opensmtpq")

    def __init__(self, files: Mapping[str, str], authority: Path) -> None:
        self._port = free_port()
        self._jail = Jail("opensmtpd", self._USERS)
        self._jail.admit("/usr/sbin/smtpd", "/usr/sbin/smtpctl", "sh")
        for folder, mode in (("/var/lib/opensmtpd/empty", 0o755), ("/var/spool/smtpd", 0o711), ("/var/run", 0o755)):
            self._jail.folder(folder, mode=mode)
        self._jail.give("/usr/sbin/smtpctl", "", 0o2755, "opensmtpq")
        for name, text in files.items():
            own = text.replace("listen on localhost", f"listen on localhost port {self._port}")
            self._jail.write(name, own, group="opensmtpd", mode=0o640)
        self._jail.write("/etc/aliases", "")
        self._jail.write("/etc/ssl/certs/ca-certificates.crt", authority.read_text(encoding="utf-8"))

    def start(self) -> Self:
        """Start it, and return when it listens."""
        self._jail.start("/usr/sbin/smtpd", "-d", "-v")
        until(lambda: listens(self._port), _START_SECONDS, "OpenSMTPD does not listen")
        return self

    def stop(self) -> None:
        """Stop it by its own number, and remove it."""
        self._jail.remove()

    def log(self) -> str:
        """Return what it said."""
        return self._jail.log()

    def submit(self, sender: str, recipients: Sequence[str], message: bytes) -> None:
        """Hand it a mail over its port."""
        with smtplib.SMTP("127.0.0.1", self._port, timeout=_START_SECONDS) as client:
            client.sendmail(sender, recipients, message)

    def retry(self) -> None:
        """Ask for an attempt at everything, and at the host that it found wanting."""
        self._jail.run("/usr/sbin/smtpctl", "schedule", "all")

    def waiting(self) -> int:
        """Count the messages in its queue."""
        return len(list(self._jail.root.glob("var/spool/smtpd/queue/*/*/message")))


class Nullmailer:
    """nullmailer, told to look at its queue every second."""

    def __init__(self, files: Mapping[str, str], authority: Path) -> None:
        self._jail = Jail("nullmailer")
        programs = ("nullmailer-send", "nullmailer-queue", "sendmail")
        self._jail.admit(*(f"/usr/sbin/{name}" for name in programs), "/usr/lib/nullmailer/smtp")
        self._jail.admit("/usr/bin/nullmailer-dsn", "/usr/bin/nullmailer-inject")
        for name, text in files.items():
            self._jail.write(name, text, owner="mail", mode=0o600)
        self._jail.write("/etc/ssl/relay-ca.pem", authority.read_text(encoding="utf-8"))
        for name in ("pausetime", "maxpause"):
            self._jail.write(f"/etc/nullmailer/{name}", "1\n")
        trigger = self._jail.root / "var/spool/nullmailer/trigger"
        os.mkfifo(trigger)
        trigger.chmod(0o666)

    def start(self) -> Self:
        """Start what sends the queue."""
        self._jail.start("/usr/sbin/nullmailer-send", user="mail")
        return self

    def stop(self) -> None:
        """Stop it by its own number, and remove it."""
        self._jail.remove()

    def log(self) -> str:
        """Return what it said."""
        return self._jail.log()

    def submit(self, sender: str, recipients: Sequence[str], message: bytes) -> None:
        """Hand it a mail as `sendmail` takes it."""
        self._jail.run("/usr/sbin/sendmail", "-i", "-f", sender, "--", *recipients, stdin=message)

    def retry(self) -> None:
        """Leave it to itself: it tries every second."""

    def waiting(self) -> int:
        """Count the files in its queue."""
        return len(list((self._jail.root / "var/spool/nullmailer/queue").iterdir()))


SERVERS = {"Postfix": Postfix, "Exim": Exim, "OpenSMTPD": OpenSmtpd, "nullmailer": Nullmailer}
