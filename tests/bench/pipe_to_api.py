"""What people put behind Postfix's pipe(8): reads a mail from standard input and posts it to an API as JSON.

    pipe_to_api.py PORT SENDER RECIPIENT

Standard library alone, as it stands on any machine.
"""

import base64
import email
import email.policy
import json
import sys
import urllib.request

_TEMPORARY_FAILURE = 75  # EX_TEMPFAIL of sysexits.h: Postfix tries again


def main(port: str, sender: str, recipient: str) -> int:
    """Translate and post; returns the exit code."""
    mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
    body = mail.get_body(("html", "plain"))
    document = {
        "remitente": sender,
        "contactos": [{"email": recipient}],
        "asunto": str(mail["subject"]),
        "html": body.get_content() if body else "",
        "adjuntos": [
            {"nombre": part.get_filename(), "contenido": base64.b64encode(part.get_content()).decode("ascii")}
            for part in mail.iter_attachments()
        ],
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/send",
        json.dumps(document).encode(),
        {"Content-Type": "application/json", "Authorization": "apikey"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        said = json.load(answer)
    return 0 if said["status"] == "ok" else _TEMPORARY_FAILURE


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
