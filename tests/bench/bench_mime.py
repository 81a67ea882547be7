"""How much faster than `email.parser` a message is read: python tests/bench/bench_mime.py.

Both sides end with what a translation needs: the HTML as str, and every attachment as base64 text. Of a mail of text
alone the standard library makes no HTML; it is spared that.
"""

import base64
import binascii
import email.parser
import email.policy
import random
import statistics
import time
from collections.abc import Callable, Iterator

from relay.config.settings import MimeSettings
from relay.mime import read

_BOUNDS = MimeSettings()
_HEADER = (
    b"Received: from app.example.org (app.example.org [192.0.2.7]) by mx.example.org with ESMTPS id 4X;\r\n"
    b" Mon, 2 Mar 2026 10:00:00 +0000\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n"
    b"From: =?utf-8?q?Mar=C3=ADa_P=C3=A9rez?= <maria@example.org>\r\nTo: Ana <ana@example.com>, bob@example.com\r\n"
    b'Cc: "Ruiz, Eva" <eva@example.net>\r\nSubject: =?utf-8?B?RmFjdHVyYSBuwrogMTIz?=\r\nMIME-Version: 1.0\r\n'
)
_TEXT = "Hola María, aquí está la factura. Un saludo.\r\n".encode()
_LOG = b"2026-03-02T10:00:00 INFO  app[17]: request <GET /x?a=1&b=2> took 12 ms for ana@example.com\r\n"
_TITLE = "        mail     bytes  email.parser  relay.mime   ratio  scan only   memcpy     x"
_WITH_FILE = 10_000  # bytes; smaller mails have none
_HTML = "<p>Hola <b>María</b>, aquí está la factura.<br>Un saludo.</p>\r\n".encode()


def message(size: int) -> bytes:
    """Make a mail of about so many bytes: text and HTML, and a file where there is room."""
    small = size < _WITH_FILE
    bodies = (
        b'Content-Type: multipart/alternative; boundary="alt"\r\n\r\n'
        b"--alt\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + _TEXT * 5
        + b"\r\n--alt\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + _HTML * (12 if small else 60)
        + b"\r\n--alt--\r\n"
    )
    if small:
        return _HEADER + bodies
    room = (size - len(_HEADER) - len(bodies)) * 57 // 78
    encoded = base64.encodebytes(random.Random(1).randbytes(room)).replace(b"\n", b"\r\n")
    return (
        _HEADER
        + b'Content-Type: multipart/mixed; boundary="mixed"\r\n\r\n--mixed\r\n'
        + bodies
        + b'\r\n--mixed\r\nContent-Type: application/pdf; name="factura.pdf"\r\n'
        + b'Content-Disposition: attachment; filename="factura.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + encoded
        + b"\r\n--mixed--\r\n"
    )


def lone(kind: bytes, encoding: bytes, line: bytes, size: int) -> bytes:
    """Make a mail of one body of about so many bytes."""
    body = line * (size // len(line))
    if encoding == b"quoted-printable":
        body = binascii.b2a_qp(body)
    return (
        _HEADER
        + b"Content-Type: "
        + kind
        + b"; charset=utf-8\r\nContent-Transfer-Encoding: "
        + encoding
        + b"\r\n\r\n"
        + body
    )


def mails() -> Iterator[tuple[str, bytes, int]]:
    """Give every kind of mail with its name and how often it is read."""
    for size, rounds in ((2_000, 300), (50_000, 100), (5_000_000, 7), (20_000_000, 3)):
        yield "text+html" if size < _WITH_FILE else "base64 file", message(size), rounds
    for size, rounds in ((5_000_000, 5), (20_000_000, 2)):
        yield "text", lone(b"text/plain", b"8bit", _TEXT, size), rounds
        yield "log", lone(b"text/plain", b"7bit", _LOG, size), rounds
        yield "html", lone(b"text/html", b"8bit", _HTML, size), rounds
        yield "html, qp", lone(b"text/html", b"quoted-printable", _HTML, size), rounds


def ours(data: bytes) -> int:
    """Read with this room."""
    content = read(data, _BOUNDS)
    return len(content.html) + len(content.subject) + sum(len(file.body.base64()) for file in content.attachments)


def theirs(data: bytes) -> int:
    """Read with the standard library."""
    parsed = email.parser.BytesParser(policy=email.policy.default).parsebytes(data)
    body = parsed.get_body(("html", "plain"))
    size = len(body.get_content()) + len(parsed["subject"]) if body else 0
    size += sum(len(field.addresses) for name in ("from", "to", "cc") for field in parsed.get_all(name, []))
    return size + sum(len(base64.b64encode(part.get_content())) for part in parsed.iter_attachments())


def copied(data: bytes) -> int:
    """Copy the bytes once."""
    return len(bytearray(data))


def milliseconds(work: Callable[[bytes], int], data: bytes, rounds: int) -> float:
    """Return the median CPU time of one run."""
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        work(data)
        times.append((time.process_time() - begin) * 1000)
    return statistics.median(times)


def main() -> None:
    """Print one line for each mail."""
    print(_TITLE)  # noqa: T201
    for name, data, rounds in mails():
        them, us = milliseconds(theirs, data, rounds), milliseconds(ours, data, rounds)
        scan = milliseconds(lambda raw: len(read(raw, _BOUNDS).html), data, rounds)
        copy = milliseconds(copied, data, rounds)
        print(  # noqa: T201
            f"{name:>12} {len(data):>9} {them:>10.3f} ms {us:>8.3f} ms {them / us:>6.1f}x {scan:>7.3f} ms "
            f"{copy:>5.3f} ms {us / copy:>5.0f}"
        )


if __name__ == "__main__":
    main()
