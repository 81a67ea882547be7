"""The sandbox's view: every golden mail goes the whole way, SMTP in, mailbox out, by both APIs.

What the calls must hold is told by the files beside the mails (tests/golden). Here it is told that the mailbox gets
just that, though the mail was stuffed with dots, kept on disk, read again and posted in between.
"""

import base64
import contextlib
import hashlib
import re
import smtplib
from pathlib import Path

import pytest
from running import until
from translating import translated

GOLDEN = [
    path
    for path in sorted((Path(__file__).parents[1] / "golden").glob("*.eml"))
    if b"X-Relay-Schedule:" not in path.read_bytes()  # what was to be sent on a day that is past is refused
]
FIELDS = {
    "mensatek": ("Asunto", "Emailremitente", "Nombreremitente", "Nombre", "Contenido"),
    "dmds": ("asunto", "remitente", "remitenteNombre", "nombre", "contenido"),
}
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\n)")


def _as_sent(mail: bytes) -> bytes:
    """Write every line end as SMTP has it; what smtplib does, too."""
    return _LINE_END.sub(b"\r\n", mail).removesuffix(b"\r\n") + b"\r\n"


@pytest.mark.parametrize("api", FIELDS)
def test_every_golden_mail_arrives_as_the_calls_say(gateway, sandbox, logins, unique, api):
    subject, email, name, file_name, file_content = FIELDS[api]
    expected = {}
    login = logins[f"kept-{api}"]
    with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=60) as smtp:
        smtp.login(login.user, login.password)
        for number, path in enumerate(GOLDEN):
            mailbox, mail = f"golden-{number}.{unique}@example.net", _as_sent(path.read_bytes())
            found = translated(mail, api, (mailbox,))
            smtp.mail("bounce@example.com")
            smtp.rcpt(mailbox)
            code, said = smtp.data(mail)
            assert (code == 250) == (found is not None), f"{path.name}: {said!r}"
            if found is None:
                continue
            (document,) = found.documents
            if document.get("campana_id", 14) != 14 or "Plantilla" in document:
                continue  # a campaign or a template that the sandbox has not
            files = [(file[file_name], base64.b64decode(file[file_content])) for file in found.files]
            expected[mailbox] = (
                path.name,
                {
                    "subject": document[subject],
                    "sender": document[email],
                    "from_name": document.get(name, ""),
                    "html": document.get("Mensaje", document.get("html")),
                    "files": [(each, len(data), hashlib.sha256(data).hexdigest()) for each, data in files],
                },
            )

    def missing():
        return [story for mailbox, (story, _) in expected.items() if not sandbox.mails(mailbox)]

    with contextlib.suppress(AssertionError):
        until(lambda: not missing(), 30, "")
    assert [] == missing()
    wrong = {}
    for mailbox, (story, told) in expected.items():
        (seen,) = sandbox.mails(mailbox)
        got = {key: getattr(seen, key) for key in told if key != "files"}
        got["files"] = [(file.name, file.size, file.sha256) for file in seen.attachments]
        if got != told:
            wrong[story] = {key: (told[key], got[key]) for key in told if told[key] != got[key]}
    assert {} == wrong
    assert len(expected) > 140
