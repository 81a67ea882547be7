"""The mails that reading is measured with: what programs send every day, in the sizes that matter."""

import base64
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

_HEADER = (
    b"Received: from app.example.org (app.example.org [192.0.2.7]) by mx.example.org with ESMTPS id 4X;\r\n"
    b" Mon, 2 Mar 2026 10:00:00 +0000\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n"
    b"From: =?utf-8?q?Mar=C3=ADa_P=C3=A9rez?= <maria@example.org>\r\nTo: Ana <ana@example.com>, bob@example.com\r\n"
    b'Cc: "Ruiz, Eva" <eva@example.net>\r\nSubject: =?utf-8?B?RmFjdHVyYSBuwrogMTIz?=\r\nMIME-Version: 1.0\r\n'
)
_TEXT = "Hola María, aquí está la factura. Un saludo.\r\n".encode()
_HTML = "<p>Hola <b>María</b>, aquí está la factura.<br>Un saludo.</p>\r\n".encode()


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, made when it is needed."""

    name: str
    make: Callable[[], bytes]


def _bodies(text_lines: int, html_lines: int) -> bytes:
    return (
        b'Content-Type: multipart/alternative; boundary="alt"\r\n\r\n'
        b"--alt\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + _TEXT * text_lines
        + b"\r\n--alt\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + _HTML * html_lines
        + b"\r\n--alt--\r\n"
    )


def _file(octets: int, number: int) -> bytes:
    content = base64.encodebytes(random.Random(number).randbytes(octets)).replace(b"\n", b"\r\n")
    return (
        b'\r\n--mixed\r\nContent-Type: application/pdf; name="factura-%d.pdf"\r\n' % number
        + b'Content-Disposition: attachment; filename="factura-%d.pdf"\r\n' % number
        + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + content
    )


def texts(text_lines: int, html_lines: int) -> bytes:
    """Make a mail of text and HTML."""
    return _HEADER + _bodies(text_lines, html_lines)


def with_files(count: int, octets: int) -> bytes:
    """Make a mail of text, HTML and so many files of so many bytes."""
    files = b"".join(_file(octets, number) for number in range(count))
    head = b'Content-Type: multipart/mixed; boundary="mixed"\r\n\r\n--mixed\r\n'
    return _HEADER + head + _bodies(5, 60) + files + b"\r\n--mixed--\r\n"


def of_size(octets: int) -> bytes:
    """Make a mail of about so many bytes: text and HTML, and a file where there is room."""
    bodies = with_files(0, 0)
    return with_files(1, (octets - len(bodies)) * 57 // 78) if octets > 2 * len(bodies) else texts(5, 12)


MAILS = (
    Mail("2 KB, text and HTML", partial(texts, 6, 14)),
    Mail("50 KB, text and HTML", partial(texts, 300, 520)),
    Mail("50 KB, with a file", partial(with_files, 1, 32_000)),
    Mail("5 MB, with a file", partial(with_files, 1, 3_650_000)),
    Mail("20 MB, with a file", partial(with_files, 1, 14_600_000)),
    Mail("200 small files", partial(with_files, 200, 2_000)),
)
