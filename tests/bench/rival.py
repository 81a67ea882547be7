"""What the gateway is measured against: a Postfix of our own, on free ports, with its own configuration and queue."""

import grp
import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path

from certificates import Certificate
from running import until
from servers import NullServer

_POSTFIX = "/usr/sbin/postfix"
_START_SECONDS = 30.0
_STOP_SECONDS = 60.0
_SCRIPT = Path(__file__).with_name("pipe_to_api.py")

# What stands in Debian's, as far as it is needed; nothing in a chroot, which would have to be made.
_MASTER = """\
127.0.0.1:{plain} inet n - n - - smtpd
127.0.0.1:{tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
api unix - n n - - pipe flags=Rq user=nobody null_sender= argv={python} {script} {api} ${{sender}} ${{recipient}}
"""

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = rival.example.org
mydestination =
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
message_size_limit = 36700160
smtpd_client_connection_count_limit = 0
smtpd_tls_chain_files = {folder}/etc/key.pem, {folder}/etc/chain.pem
default_transport = api:api.example.org
api_destination_recipient_limit = 1
{hold}
"""
_HOLD = "smtpd_recipient_restrictions = check_recipient_access static:HOLD, permit_mynetworks, reject"


class PostfixUnderTest:
    """Postfix with its defaults, without AUTH. Held: mail stays queued; otherwise pipe(8) hands it to a script."""

    name = "postfix"
    login = None

    def __init__(self, folder: Path, certificate: Certificate, api: NullServer, *, held: bool) -> None:
        folder.mkdir(mode=0o755)
        etc = folder / "etc"
        for name in ("etc", "queue", "data"):
            (folder / name).mkdir(mode=0o755)
        os.chown(folder / "data", pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postfix").gr_gid)
        for file, name in ((certificate.chain, "chain.pem"), (certificate.key, "key.pem")):
            shutil.copy(file, etc / name)
        shutil.copy(_SCRIPT, etc)
        self.ports = {False: _free_port(), True: _free_port()}
        listens = {"plain": self.ports[False], "tls": self.ports[True], "api": api.port}
        runs = {"python": "/usr/bin/python3", "script": etc / _SCRIPT.name}
        (etc / "master.cf").write_text(_MASTER.format(**listens, **runs))
        (etc / "main.cf").write_text(_MAIN.format(folder=folder, hold=_HOLD if held else ""))
        self._etc = etc
        self._log = (folder / "control.log").open("ab")
        self._run("check")
        self._master = subprocess.Popen([_POSTFIX, "-c", etc, "start-fg"], stdout=self._log, stderr=self._log)
        until(self._listens, _START_SECONDS, f"Postfix does not listen: see {folder}")

    @property
    def pid(self) -> int:
        """The number of master(8)."""
        return self._master.pid

    def wait_until_held(self) -> None:
        """Nothing to wait for: it holds from the first mail on."""

    def stop(self) -> None:
        """Stop it."""
        self._run("stop")
        self._master.wait(_STOP_SECONDS)
        self._log.close()

    def _run(self, command: str) -> None:
        subprocess.run([_POSTFIX, "-c", self._etc, command], stdout=self._log, stderr=self._log, check=True)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.ports[False]), 5).close()
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
