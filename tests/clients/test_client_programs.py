"""Programs that send one mail and end, each as docs/clients.md sets it up."""

import email
import email.policy
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from certificates import make_certificate
from document import COMMAND, recipe, sections
from mailing import (
    ATTACHMENT,
    ATTACHMENT_NAME,
    SUBJECT,
    Addresses,
    assert_everybody_got_it,
    example_words,
    mail_to,
    run,
)
from running import BODY_MARKER, SUBJECT_MARKER, Gateway, Login

#: The sections with a command, and those whose files that command needs as well.
PROGRAMS = {
    "swaks": (),
    "curl": (),
    "msmtp": (),
    "s-nail": (),
    "mutt": (),
    "git send-email": (),
    "sendemail": (),
    "PHP": ("msmtp",),
    "Python": (),
    "Node": (),
    "Perl": (),
}
IMPLICIT = tuple(f"{name}, port 465" for name in PROGRAMS if name not in {"sendemail", "PHP"})


@dataclass(frozen=True, slots=True)
class Desk:
    """A home folder, from which one program writes to a gateway."""

    home: Path
    gateway: Gateway
    login: Login
    authority: Path
    addresses: Addresses
    listeners: tuple[str, str] = ("starttls", "implicit")

    def send(self, section: str, *, expected: int | None = 0) -> str:
        """Set a program up and run its command as the document has it; returns what it said."""
        words = example_words(self.gateway, self.login, self.authority, self.listeners) | {
            "ana@example.net": self.addresses.to,
            "luis@example.net": self.addresses.cc,
            "audit@example.net": self.addresses.bcc,
            "Invoice 42": SUBJECT_MARKER,
            "Dear": BODY_MARKER,
        }
        (self.home / "mail.eml").write_bytes(mail_to(self.addresses).as_bytes())
        (self.home / ATTACHMENT_NAME).write_bytes(ATTACHMENT)
        if section.startswith("git"):
            self._commit()
        for title in (*PROGRAMS[section.partition(",")[0]], section):
            files = recipe(title, words)
            self._put(files)
        return run("bash", "-e", "-c", files[COMMAND], env=self._environment(), cwd=self.home, expected=expected)

    def _put(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            if name != COMMAND:
                path = self.home / name.removeprefix("~").lstrip("/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
                path.chmod(0o600)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "MAILRC": str(self.home / ".mailrc"),  # s-nail takes root's home from the list of users
            "DEAD": str(self.home / "dead.letter"),
            "NODE_PATH": "/usr/share/nodejs",  # where Debian has nodemailer
            "PHP_INI_SCAN_DIR": f":{self.home}/etc/php/8.2/cli/conf.d",
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def _commit(self) -> None:
        """Make the patch that git is to send, as an attachment of its mail.

        In ASCII: git 2.39 encodes the subject of a mail twice whose parts have other bytes.
        """
        author = ("-c", "user.name=Tienda Ñandú", "-c", "user.email=app@example.org")
        (self.home / "lines.txt").write_text("".join(f"line {number}\n" for number in range(50)))
        for command in (
            ("init", "--quiet"),
            ("add", "lines.txt"),
            (*author, "commit", "--quiet", "-m", f"{SUBJECT}\n\n{BODY_MARKER} <Ana> & co"),
            (*author, "format-patch", "--quiet", "--attach", "--root", "-1", "HEAD"),
        ):
            run("git", *command, env=self._environment(), cwd=self.home)


@pytest.fixture
def desk(gateway, certificate, tmp_path, logins, unique):
    """A desk with the login that is kept for DMDS."""
    return Desk(tmp_path, gateway, logins["kept-dmds"], certificate.authority, Addresses.of(unique))


def test_every_program_of_the_document_is_tried():
    documented = {title for title, blocks in sections().items() if COMMAND in dict(blocks)}

    assert set(PROGRAMS) <= documented
    assert documented <= {*PROGRAMS, *IMPLICIT}


@pytest.mark.parametrize("login", ["kept-dmds", "passed-mensatek"])
@pytest.mark.parametrize("program", [*PROGRAMS, *IMPLICIT])
def test_to_cc_bcc_and_attachment_arrive(desk, logins, sandbox, program, login):
    desk = replace(desk, login=logins[login])

    desk.send(program)

    expected = patch_in(desk.home) if program.startswith("git") else {}
    assert_everybody_got_it(sandbox, desk.addresses, logins[login].api, **expected)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_wrong_password_is_said(desk, sandbox, program, unique):
    desk = replace(desk, login=replace(desk.login, password=f"wrong-{unique}"))

    said = desk.send(program, expected=None)

    assert re.search("535|5\\.7\\.8|login denied|authentication.* failed", said, re.IGNORECASE), said
    assert () == sandbox.mails(desk.addresses.to)


@pytest.mark.parametrize("program", [*PROGRAMS, *IMPLICIT])
def test_a_gateway_that_a_stranger_vouches_for_gets_no_password(desk, sandbox, program, tmp_path):
    """The document's settings check the certificate, every one."""
    (tmp_path / "stranger").mkdir()
    strange = replace(desk, authority=make_certificate(tmp_path / "stranger").authority)

    said = strange.send(program, expected=None)

    assert "ertificate" in said or "verif" in said, said
    assert () == sandbox.mails(desk.addresses.to)


def patch_in(home: Path) -> dict[str, object]:
    """Say what git makes of it: the subject of a patch, and the patch as the attachment, with the line ends of SMTP."""
    (file,) = home.glob("0001-*.patch")
    parsed = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    (patch,) = parsed.iter_attachments()
    data = patch.get_payload(decode=True).replace(b"\n", b"\r\n")
    return {"subject": f"[PATCH] {SUBJECT}", "attachment": (file.name, data)}
