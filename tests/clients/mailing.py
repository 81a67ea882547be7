"""What the tests of real programs share: running one, and a mail that every API can carry whole."""

import hashlib
import subprocess
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path

from running import BODY_MARKER, SUBJECT_MARKER

SUBJECT = f"{SUBJECT_MARKER}: año nuevo, 50 €"
TEXT = f"{BODY_MARKER}\n  indented, <escaped> & kept\n"
ATTACHMENT = bytes(range(256)) * 40
SENDER = "Tienda Ñandú <tienda@shop.example>"
LOGINS = ("kept-mensatek", "kept-dmds", "passed-mensatek", "passed-dmds")

_SECONDS = 120


def run(*command: str | Path, stdin: bytes = b"", expected: int = 0) -> str:
    """Run a program to its end, compare its exit code, and return everything that it said."""
    done = subprocess.run(
        command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_SECONDS, check=False
    )
    said = done.stdout.decode("utf-8", "replace")
    assert expected == done.returncode, f"{command[0]} ended with {done.returncode}:\n{said}"
    return said


def mail(to: Sequence[str], cc: Sequence[str] = (), bcc: Sequence[str] = ()) -> EmailMessage:
    """Make a mail with a text body and one attachment."""
    message = EmailMessage()
    message["From"] = SENDER
    message["To"] = ", ".join(to)
    if cc:
        message["Cc"] = ", ".join(cc)
    if bcc:
        message["Bcc"] = ", ".join(bcc)
    message["Subject"] = SUBJECT
    message["Reply-To"] = "ayuda@shop.example"
    message.set_content(TEXT)
    message.add_attachment(ATTACHMENT, maintype="application", subtype="octet-stream", filename="datos año.bin")
    return message


def assert_arrived(mails, api, *, subject=SUBJECT, cc=()):
    """Compare one mailbox with what was sent to it."""
    (got,) = mails
    assert api == got.api
    assert "tienda@shop.example" == got.sender
    assert "Tienda Ñandú" == got.from_name
    assert subject == got.subject
    assert BODY_MARKER in got.html
    assert "&lt;escaped&gt; &amp; kept" in got.html
    if api == "dmds":  # Mensatek shows each only itself
        assert list(cc) == [shown.email for shown in got.cc]


def assert_attached(mails, name="datos año.bin", data=ATTACHMENT):
    """Compare the one attachment byte for byte, by its digest."""
    (file,) = mails[0].attachments
    assert (name, len(data), hashlib.sha256(data).hexdigest()) == (file.name, file.size, file.sha256)
