"""Three mails as applications send them: one for each API, and one that is refused."""

import struct
import zlib
from dataclasses import dataclass
from email.message import EmailMessage


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail with its login and envelope, and what should become of it."""

    title: str
    login: str
    password: str
    mail_from: str
    recipients: tuple[str, ...]
    mail: EmailMessage
    arrives: bool


def samples() -> tuple[Sample, ...]:
    """Make the mails."""
    invoice = _invoice("Invoices <billing@example.org>")
    receipt = _invoice("Tienda Ñandú <ventas@example.com>")
    stranger = _invoice("Somebody Else <stranger@example.net>")
    return (
        Sample(
            "an invoice through Mensatek, by a login that the gateway keeps",
            "erp",
            "erp-password",
            "billing@example.org",
            ("ana@example.net", "luis@example.net", "audit@example.org"),
            invoice,
            arrives=True,
        ),
        Sample(
            "the same through DMDS, by the campaign's own login <dmdsid>-<campaign> and its APIKEY",
            "demo-12345",
            "demo-apikey",
            "ventas@example.com",
            ("ana@example.net", "luis@example.net", "audit@example.org"),
            receipt,
            arrives=True,
        ),
        Sample(
            "a sender that the account may not use: refused",
            "erp",
            "erp-password",
            "stranger@example.net",
            ("ana@example.net",),
            stranger,
            arrives=False,
        ),
    )


def _invoice(sender: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = "Ana Ruiz <ana@example.net>"
    mail["Cc"] = "Luis Núñez <luis@example.net>"
    mail["Reply-To"] = "Accounts <accounts@example.org>"
    mail["Subject"] = "Factura n.º 2026-0042 — gracias ✔"
    mail["Message-ID"] = "<invoice-42@example.org>"
    mail.set_content("Dear Ana,\n\nyour invoice is attached.\n")
    html = '<p>Dear Ana,</p><p>your invoice is attached.</p><p><img src="cid:logo" alt="logo" width="64"></p>'
    mail.add_alternative(html, subtype="html")
    html_part = mail.get_payload(1)
    assert isinstance(html_part, EmailMessage)  # noqa: S101 - just added
    html_part.add_related(_png(), "image", "png", cid="<logo>")
    mail.add_attachment(_pdf(), maintype="application", subtype="pdf", filename="Factura 2026-0042.pdf")
    return mail


def _png(side: int = 32) -> bytes:
    """Draw a small square in two colours."""
    rows = b"".join(
        b"\0" + b"".join(b"\x1f\x6f\xeb" if (x // 8 + y // 8) % 2 else b"\xff\xd3\x3d" for x in range(side))
        for y in range(side)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _pdf() -> bytes:
    """Write a one-page PDF with its cross-reference table."""
    stream = b"BT /F1 18 Tf 60 760 Td (Factura 2026-0042) Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer
