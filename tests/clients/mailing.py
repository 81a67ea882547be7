"""What the tests of real clients share: the mail of the examples, and what must become of it."""

import hashlib
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from running import BODY_MARKER, SUBJECT_MARKER, Gateway, Login, RunningSandbox

SENDER = "app@example.org"
SENDER_NAME = "Tienda Ñandú"
SUBJECT = f"{SUBJECT_MARKER}: año nuevo, 50 €"
TEXT = f"{BODY_MARKER} <Ana> & co\n"
ATTACHMENT_NAME = "invoice.pdf"
ATTACHMENT = bytes(range(256)) * 40
LOGINS = ("kept-mensatek", "kept-dmds", "passed-mensatek", "passed-dmds")

_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Addresses:
    """One recipient of each role, that no other test has."""

    to: str
    cc: str
    bcc: str

    @classmethod
    def of(cls, unique: str) -> "Addresses":
        """Make three addresses of a word."""
        return cls(*(f"{role}-{unique}@inbox.example" for role in ("to", "cc", "bcc")))

    @property
    def all(self) -> list[str]:
        """To, Cc and Bcc in that order."""
        return [self.to, self.cc, self.bcc]


def run(
    *command: str | Path,
    stdin: bytes = b"",
    expected: int | None = 0,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a program to its end and return everything that it said; expected None is any exit code that is a failure."""
    done = subprocess.run(
        command,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_SECONDS,
        check=False,
        env=env,
        cwd=cwd,
    )
    said = done.stdout.decode("utf-8", "replace")
    is_right = done.returncode != 0 if expected is None else done.returncode == expected
    assert is_right, f"{command} ended with {done.returncode}:\n{said}"
    return said


def example_words(gateway: Gateway, login: Login, authority: Path, listeners: tuple[str, str]) -> dict[str, str]:
    """Say what the words of docs/clients.md mean here; the listeners are those for port 587 and port 465."""
    return {
        "gateway.example.org": "localhost",
        "587": str(gateway.port(listeners[0])),
        "465": str(gateway.port(listeners[1])),
        "demo-12345": login.user,
        "APIKEY": login.password,
        "/etc/ssl/relay-ca.pem": str(authority),
    }


def mail(to: Sequence[str], cc: Sequence[str] = (), bcc: Sequence[str] = ()) -> EmailMessage:
    """Make the mail of the examples."""
    message = EmailMessage()
    message["From"] = f"{SENDER_NAME} <{SENDER}>"
    message["To"] = ", ".join(to)
    if cc:
        message["Cc"] = ", ".join(cc)
    if bcc:
        message["Bcc"] = ", ".join(bcc)
    message["Subject"] = SUBJECT
    message.set_content(TEXT)
    message.add_attachment(ATTACHMENT, maintype="application", subtype="pdf", filename=ATTACHMENT_NAME)
    return message


def mail_to(addresses: Addresses) -> EmailMessage:
    """Make the mail of the examples, with every role in its header."""
    return mail([addresses.to], [addresses.cc], [addresses.bcc])


def assert_everybody_got_it(
    sandbox: RunningSandbox,
    addresses: Addresses,
    api: str,
    *,
    subject: str = SUBJECT,
    attachment: tuple[str, bytes] = (ATTACHMENT_NAME, ATTACHMENT),
) -> None:
    """Compare what each role's mailbox got, once, with the example; nobody but the blind one sees the blind one."""
    for address in addresses.all:
        mails = sandbox.wait_for(address)
        assert_arrived(mails, api, subject=subject, to=[addresses.to], cc=[addresses.cc])
        assert_attached(mails, *attachment)
        assert address == addresses.bcc or addresses.bcc not in str(mails)


def assert_arrived(mails, api, *, subject=SUBJECT, to=(), cc=()):
    """Compare one mailbox with what was sent to it."""
    (got,) = mails
    assert (api, SENDER, SENDER_NAME, subject) == (got.api, got.sender, got.from_name, got.subject)
    assert f"{BODY_MARKER} &lt;Ana&gt; &amp; co" in got.html
    if api == "dmds":  # Mensatek shows each only itself
        assert list(cc) == [shown.email for shown in got.cc]
        assert not to or list(to) == [shown.email for shown in got.to]


def assert_attached(mails, name=ATTACHMENT_NAME, data=ATTACHMENT):
    """Compare the one attachment byte for byte, by its digest."""
    (file,) = mails[0].attachments
    assert (name, len(data), hashlib.sha256(data).hexdigest()) == (file.name, file.size, file.sha256)
