"""A Postfix of our own: its own configuration, queue and data, on a free port; its own commands start and stop it."""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from running import Login, until

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
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
relayhost = [127.0.0.1]:{gateway}
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = texthash:{folder}/etc/sasl_passwd
smtp_sasl_security_options = noanonymous
smtp_sasl_tls_security_options = noanonymous
smtp_tls_security_level = {tls}
smtp_tls_CAfile = {authority}
smtp_tls_wrappermode = {wrapper}
minimal_backoff_time = 2s
queue_run_delay = 2s
"""


class Postfix:
    """A running smarthost client."""

    def __init__(self, gateway: int, login: Login, authority: Path, *, implicit: bool = False) -> None:
        # Not pytest's folder: only root may walk through that, and Postfix's daemons run as somebody else.
        self._folder = Path(tempfile.mkdtemp(prefix="relay-postfix-"))
        self._folder.chmod(0o755)
        self._etc = self._folder / "etc"
        self.port = _free_port()
        for name in ("etc", "queue", "data"):
            (self._folder / name).mkdir(mode=0o755)
        os.chown(self._folder / "data", pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postfix").gr_gid)
        # Postfix reads its own copy: the fixture's file may lie where only root can walk.
        shutil.copy(authority, self._etc / "authority.pem")
        (self._etc / "sasl_passwd").write_text(f"[127.0.0.1]:{gateway} {login.user}:{login.password}\n")
        (self._etc / "sasl_passwd").chmod(0o600)
        (self._etc / "master.cf").write_text(_MASTER.format(port=self.port))
        (self._etc / "main.cf").write_text(
            _MAIN.format(
                folder=self._folder,
                gateway=gateway,
                authority=self._etc / "authority.pem",
                tls="encrypt",
                wrapper="yes" if implicit else "no",
            )
        )

    def start(self) -> "Postfix":
        """Start, and return when it listens."""
        self._control("start")
        until(self._listens, 30, f"Postfix does not listen: {self.log()}")
        return self

    def stop(self) -> None:
        """Stop this Postfix, by the number in its own pid file, and remove what it kept."""
        self._control("stop")
        shutil.rmtree(self._folder)

    def log(self) -> str:
        """Return what it logged."""
        file = self._folder / "postfix.log"
        return file.read_text() if file.exists() else ""

    def wait_until_sent(self, transactions: int = 1) -> str:
        """Wait until so many recipients were answered for, and nothing is left in its queue."""
        until(lambda: self.log().count(" status=") >= transactions, 60, f"not sent: {self.log()}")
        return self.log()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
        except OSError:
            return False
        return True

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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
