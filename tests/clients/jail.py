"""A mail server that is unpacked and not installed: it takes a folder of its own for the whole system.

Two mail servers cannot be installed at once, and each has the paths of its files compiled in. In a changed root they
are where they belong, as docs/clients.md names them, and the machine stays as it is.
"""

import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mailing import run

PARTS = Path(__file__).parents[1] / ".parts"

_SERVICES = "smtp 25/tcp\nsubmissions 465/tcp smtps\nsubmission 587/tcp\n"
_FIRST_USER = 910  # a number for those that the package would have made
_STOP_SECONDS = 30


class Jail:
    """The folder, and the programs that run in it."""

    def __init__(self, package: str, users: Sequence[str] = ()) -> None:
        assert (PARTS / package).is_dir(), f"{package} is not unpacked: .ci/system-packages does that, as root"
        # Not pytest's folder: only root may walk through that, and servers run as somebody else.
        self.root = Path(tempfile.mkdtemp(prefix=f"relay-{package}-"))
        self.root.chmod(0o755)
        self._package = package
        self._process: subprocess.Popen[bytes] | None = None
        run("cp", "--archive", f"{PARTS / package}/.", self.root)
        (self.root / "dev").mkdir()
        for name, major, minor in (("null", 1, 3), ("zero", 1, 5), ("urandom", 1, 9)):
            os.mknod(self.root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(major, minor))
            (self.root / "dev" / name).chmod(0o666)
        self._users = {name: number for number, name in enumerate(users, _FIRST_USER)}
        for file, line in (("passwd", "{0}:x:{1}:{1}::/:/bin/false\n"), ("group", "{0}:x:{1}:\n")):
            known = Path(f"/etc/{file}").read_text(encoding="utf-8")
            self.write(f"/etc/{file}", known + "".join(line.format(*user) for user in self._users.items()))
        self.write("/etc/hosts", "127.0.0.1 localhost\n")
        self.write("/etc/resolv.conf", "")
        self.write("/etc/services", _SERVICES)
        self.write("/etc/mailname", "client.example.org\n")

    def folder(self, path: str, *, owner: str = "", mode: int = 0o755) -> None:
        """Make a folder, and those above it."""
        (self.root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        self.give(path, owner, mode)

    def write(self, path: str, text: str, *, owner: str = "", group: str = "", mode: int = 0o644) -> None:
        """Write a file."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        self.give(path, owner, mode, group)

    def give(self, path: str, owner: str, mode: int, group: str = "") -> None:
        """Set who owns a file, and its mode."""
        inside = self.root / path.lstrip("/")
        shutil.chown(inside, self._users.get(owner, owner or 0), self._users.get(group, group or 0))
        inside.chmod(mode)

    def read(self, path: str) -> str:
        """Read a file; what is not there is empty."""
        file = self.root / path.lstrip("/")
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def admit(self, *programs: str) -> None:
        """Make programs able to run: those of the system are copied, and for all of them the libraries that they need.

        A name with a slash is a program of the package.
        """
        for program in programs:
            inside = self.root / (program if "/" in program else f"usr/bin/{program}").lstrip("/")
            if "/" not in program:
                found = shutil.which(program)
                assert found, f"{program} is missing on this system"
                self._copy(Path(found).resolve(), inside)
            libraries = ":".join(str(folder) for folder in self.root.glob("**/*-linux-gnu") if folder.is_dir())
            linked = run("ldd", inside, env={"LD_LIBRARY_PATH": libraries, "PATH": os.environ["PATH"]})
            for library in re.findall(r"(/\S+) \(0x", linked):
                if not library.startswith(str(self.root)):
                    self._copy(Path(library), self.root / library.lstrip("/"))
        self.folder("/bin")
        if "sh" in programs:
            self._copy(self.root / "usr/bin/sh", self.root / "bin/sh")

    def run(self, *command: str, stdin: bytes = b"", expected: int | None = 0) -> str:
        """Run a program in the jail to its end, as root."""
        return run("chroot", self.root, *command, stdin=stdin, expected=expected, env={"PATH": "/usr/sbin:/usr/bin"})

    def start(self, *command: str, user: str = "root") -> None:
        """Start a program that stays; what it says goes to its log."""
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                ["chroot", f"--userspec={user}:{user}", self.root, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": "/usr/sbin:/usr/bin"},
            )

    def log(self) -> str:
        """Return what the started program said."""
        return self._log_file.read_text(encoding="utf-8", errors="replace") if self._log_file.exists() else ""

    def remove(self) -> None:
        """Stop what was started, and remove the folder."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)
        shutil.rmtree(self.root)

    @property
    def _log_file(self) -> Path:
        return self.root / "said.log"

    def _copy(self, source: Path, target: Path) -> None:
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
