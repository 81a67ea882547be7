"""A Postfix of our own: its own configuration, queue and data, on a free port; its own commands start and stop it."""

import grp
import os
import pwd
import shutil
import smtplib
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from running import until

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
tlsproxy unix - - n - 0 tlsproxy
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""

#: Where mail waits.
_QUEUES = ("incoming", "active", "deferred", "hold")

#: What the test's machine asks for; the rest is the document's.
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = smarthost.example
mydestination =
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
smtp_host_lookup = native
"""


class Postfix:
    """A Postfix that takes mail on a port of its own."""

    def __init__(self, files: Mapping[str, str], authority: Path, *, options: Mapping[str, str] | None = None) -> None:
        """Write its files; the options are added to main.cf."""
        # Not pytest's folder: only root may walk through that, and Postfix's daemons run as somebody else.
        self._folder = Path(tempfile.mkdtemp(prefix="relay-postfix-"))
        self._folder.chmod(0o755)
        self._etc = self._folder / "etc"
        self.port = free_port()
        for name in ("etc", "queue", "data"):
            (self._folder / name).mkdir(mode=0o755)
        os.chown(self._folder / "data", pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postfix").gr_gid)
        shutil.copy(authority, self._etc / "relay-ca.pem")
        (self._etc / "relay-ca.pem").chmod(0o644)
        (self._etc / "master.cf").write_text(_MASTER.format(port=self.port))
        more = "".join(f"{name} = {value}\n" for name, value in (options or {}).items())
        for name, text in files.items():
            own = text.replace("/etc/postfix", str(self._etc)).replace("/etc/ssl", str(self._etc))
            is_main = name.endswith("/main.cf")
            file = self._etc / Path(name).name
            file.write_text(_MAIN.format(folder=self._folder) + own + more if is_main else own)
            file.chmod(0o644 if is_main else 0o600)

    def start(self) -> Self:
        """Start, and return when it listens."""
        self._control("start")
        until(lambda: listens(self.port), 30, f"Postfix does not listen: {self.log()}")
        return self

    def stop(self) -> None:
        """Stop this Postfix, by the number in its own pid file, and remove what it kept."""
        self._control("stop")
        shutil.rmtree(self._folder)

    def log(self) -> str:
        """Return what it logged."""
        file = self._folder / "postfix.log"
        return file.read_text() if file.exists() else ""

    def submit(self, sender: str, recipients: Sequence[str], message: bytes) -> None:
        """Hand it a mail over its port."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            client.sendmail(sender, recipients, message)

    def retry(self) -> None:
        """Have it try what waits."""
        self._control("flush")

    def waiting(self) -> int:
        """Count the messages in its queue."""
        return sum(1 for name in _QUEUES for path in (self._folder / "queue" / name).rglob("*") if path.is_file())

    def _control(self, command: str) -> None:
        # Into a file and not a pipe: the daemon would keep the other end open.
        with (self._folder / "control.log").open("ab") as log:
            done = subprocess.run(
                ["/usr/sbin/postfix", "-c", self._etc, command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=60,
                check=False,
            )
        said = (self._folder / "control.log").read_text()
        assert done.returncode == 0, f"postfix {command} ended with {done.returncode}: {said}{self.log()}"


def free_port() -> int:
    """Find a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port: int) -> bool:
    """Tell whether somebody answers on a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True
