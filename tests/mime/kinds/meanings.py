"""Parts that mean something: invitations, reports, signatures, alternatives for few, files within a text."""

# ruff: noqa: E501 - tables: a kind is easier to read in one piece

import binascii
from collections.abc import Iterable

from kinds.kind import PDF, Kind, leaf, mail, pdf, tree, whole

_TEXT = leaf(b"plain")
_PAGE = leaf(b"<p>rich</p>", b"text/html")
_DROPPED = frozenset({"text_alternative_dropped"})
_CALENDAR = frozenset({"calendar_as_attachment"})
_ICS = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1@x\r\nEND:VEVENT\r\nEND:VCALENDAR"
_BINARY = bytes(range(256)) * 3


def _invitation(method: bytes = b"REQUEST", *fields: bytes) -> bytes:
    return leaf(_ICS, b"text/calendar; charset=utf-8; method=" + method, *fields)


def invitations() -> list[Kind]:
    """The calendar as an alternative, beside the text, alone; each method by its name."""
    kinds = [
        Kind("invitation-third", whole(tree(b"alternative", _TEXT, _PAGE, _invitation())), ("rich",), ("plain", "BEGIN"),
             files=(("invite.ics", _ICS),), notes=_DROPPED | _CALENDAR),
        Kind("invitation-second", whole(tree(b"alternative", _TEXT, _invitation())), ("plain",), ("BEGIN",),
             files=(("invite.ics", _ICS),), notes=_CALENDAR),
        Kind("invitation-first", whole(tree(b"alternative", _invitation(), _TEXT)), ("plain",), ("BEGIN",),
             files=(("invite.ics", _ICS),), notes=_CALENDAR),
        Kind("invitation-only-alternative", whole(tree(b"alternative", _invitation())), (), ("BEGIN",),
             files=(("invite.ics", _ICS),), notes=_CALENDAR),
        Kind("invitation-beside", whole(tree(b"mixed", _TEXT, _invitation())), ("plain",), ("BEGIN",),
             files=(("invite.ics", _ICS),)),
        Kind("invitation-inline", whole(tree(b"mixed", _TEXT, _invitation(b"REQUEST", b"Content-Disposition: inline"))),
             ("plain",), ("BEGIN",), files=(("invite.ics", _ICS),)),
        Kind("invitation-alone", whole(_invitation()), (), ("BEGIN",), files=(("invite.ics", _ICS),)),
        Kind("invitation-alone-named", whole(_invitation(b"REQUEST", b"Content-Disposition: inline; filename=board")),
             (), ("BEGIN",), files=(("board.ics", _ICS),)),
        Kind("invitation-of-application-type", whole(tree(b"mixed", _TEXT, leaf(_ICS, b"application/ics"))), ("plain",),
             files=(("invite.ics", _ICS),)),
        Kind("invitation-twice", whole(tree(b"mixed", tree(b"alternative", _TEXT, _PAGE, _invitation(), boundary=b"a"),
             leaf(_ICS.replace(b"\r\n", b"\n"), b"application/ics; name=invite.ics",
                  b"Content-Disposition: attachment; filename=invite.ics"))),
             ("rich",), files=(("invite.ics", _ICS.replace(b"\r\n", b"\n")),), notes=_DROPPED | _CALENDAR),
        Kind("invitation-and-another-file", whole(tree(b"mixed", tree(b"alternative", _TEXT, _invitation(), boundary=b"a"),
             leaf(b"BEGIN:VCALENDAR", b"application/ics; name=invite.ics"), pdf())), ("plain",),
             files=(("invite.ics", _ICS), ("invite (2).ics", b"BEGIN:VCALENDAR"), ("a.pdf", PDF)), notes=_CALENDAR),
    ]  # fmt: skip
    named = {b"PUBLISH": "invite", b"request": "invite", b"CANCEL": "cancel", b"Reply": "reply", b"COUNTER": "counter",
             b'"CANCEL"': "cancel", b"": "invite", b"../x": "invite"}  # fmt: skip
    return kinds + [
        Kind(f"invitation-method {method!r}", whole(tree(b"mixed", _TEXT, _invitation(method))), ("plain",),
             files=((f"{name}.ics", _ICS),))
        for method, name in named.items()
    ]  # fmt: skip


def reports() -> list[Kind]:
    """Reports stay readable, with words or without."""
    original = leaf(b"Subject: Inner\r\n\r\ninside", b"message/rfc822")
    inner = ("Inner.eml", b"Subject: Inner\r\n\r\ninside")
    told = {
        "delivery-status": b"Reporting-MTA: dns; mx.example\r\n\r\nAction: failed\r\nStatus: 5.1.1",
        "global-delivery-status": b"Reporting-MTA: dns; mx.example\r\n\r\nAction: failed",
        "disposition-notification": b"Disposition: manual-action/MDN-sent-manually; displayed",
        "feedback-report": b"Feedback-Type: abuse\r\nVersion: 1",
    }
    kinds = []
    for kind, lines in told.items():
        machine = leaf(lines, b"message/" + kind.encode())
        name = kind.removeprefix("global-") + ".txt"
        first = lines.decode().splitlines()[0]
        kinds += [
            Kind(f"{kind} with words", whole(tree(b"report", leaf(b"It failed."), machine, original)), ("It failed.",),
                 (first, "inside"), files=((name, lines), inner)),
            Kind(f"{kind} without words", whole(tree(b"report", machine, original)), (first,), ("inside",),
                 files=(inner,)),
            Kind(f"{kind} alone", whole(machine), (first,)),
        ]  # fmt: skip
    return [
        *kinds,
        Kind("report in two languages",
             whole(tree(b"report", tree(b"alternative", _TEXT, _PAGE, boundary=b"a"), original)), ("rich",), ("plain",),
             files=(inner,), notes=_DROPPED),
        Kind("report with headers only",
             whole(tree(b"report", leaf(b"It failed."), leaf(b"Subject: Inner", b"text/rfc822-headers"))),
             ("It failed.",), ("Inner",), files=(("headers.txt", b"Subject: Inner"),)),
    ]  # fmt: skip


def sealed() -> list[Kind]:
    """Signed and encrypted, whole and as gateways leave it."""
    broken, opaque = frozenset({"signature_broken"}), frozenset({"encrypted_as_attachment"})
    asc = leaf(b"-----BEGIN PGP SIGNATURE-----", b"application/pgp-signature; name=signature.asc")
    cms = b"Content-Transfer-Encoding: base64"
    p7m = (("smime.p7m", b"0\x80\x06"),)
    return [
        Kind("pgp-signed", whole(tree(b"signed", _TEXT, asc)), ("plain",),
             files=(("signature.asc", b"-----BEGIN PGP SIGNATURE-----"),), notes=broken),
        Kind("pgp-signed-page", whole(tree(b"signed", tree(b"alternative", _TEXT, _PAGE, boundary=b"a"), asc)), ("rich",),
             files=(("signature.asc", b"-----BEGIN PGP SIGNATURE-----"),), notes=broken | _DROPPED),
        Kind("smime-opaque", whole(leaf(b"MIAG", b"application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", cms)),
             files=p7m, notes=opaque),
        Kind("smime-old-type", whole(leaf(b"MIAG", b"application/x-pkcs7-mime; name=smime.p7m", cms)), files=p7m,
             notes=opaque),
        Kind("smime-untyped", whole(leaf(b"MIAG", b"application/octet-stream; name=smime.p7m", cms)), files=p7m,
             notes=opaque),
        Kind("smime-certificates", whole(tree(b"mixed", _TEXT,
             leaf(b"MIAG", b"application/pkcs7-mime; smime-type=certs-only; name=all.p7c", cms))), ("plain",),
             files=(("all.p7c", b"0\x80\x06"),)),
        Kind("pgp-encrypted-in-mixed", whole(tree(b"mixed", leaf(b""), leaf(b"Version: 1", b"application/pgp-encrypted"),
             leaf(b"-----BEGIN PGP MESSAGE-----", b"application/octet-stream; name=encrypted.asc"))),
             files=(("pgp-version.asc", b"Version: 1"), ("encrypted.asc", b"-----BEGIN PGP MESSAGE-----")), notes=opaque),
        Kind("pgp-inline-signed", mail(b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nwords\r\n"),
             ("words",), notes=frozenset({"inline_signature_broken"})),
        Kind("pgp-inline-encrypted", mail(b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n-----END PGP MESSAGE-----\r\n"),
             ("hQEM",), notes=frozenset({"inline_encrypted"})),
        Kind("pgp-old-type", whole(leaf(b"-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nwords", b"application/pgp; format=text")),
             ("words",), notes=frozenset({"inline_signature_broken"})),
        Kind("pgp-key", whole(tree(b"mixed", _TEXT, leaf(b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"application/pgp-keys"))),
             ("plain",), files=(("publickey.asc", b"-----BEGIN PGP PUBLIC KEY BLOCK-----"),)),
    ]  # fmt: skip


def alternatives() -> list[Kind]:
    """Forms of a text that few programs show, and texts that are data."""
    amp = leaf(b"<html amp4email>dynamic</html>", b"text/x-amp-html")
    return [
        Kind("amp", whole(tree(b"alternative", _TEXT, amp, _PAGE)), ("rich",), ("dynamic",),
             notes=_DROPPED | {"amp_dropped"}),
        Kind("amp-beside-text", whole(tree(b"alternative", _TEXT, amp)), ("plain",), ("dynamic",),
             notes=frozenset({"amp_dropped"})),
        Kind("amp-alone", whole(tree(b"alternative", amp)), (), ("dynamic",),
             files=(("attachment-1.html", b"<html amp4email>dynamic</html>"),)),
        Kind("amp-as-the-mail", whole(amp), (), ("dynamic",),
             files=(("attachment-1.html", b"<html amp4email>dynamic</html>"),)),
        Kind("watch", whole(tree(b"alternative", _TEXT, leaf(b"<b>small</b>", b"text/watch-html"), _PAGE)), ("rich",),
             ("small",), notes=_DROPPED),
        Kind("markdown", whole(leaf(b"# Head\r\n\r\n* one", b"text/markdown; variant=GFM")), ("# Head", "* one")),
        Kind("markdown-beside-page", whole(tree(b"alternative", leaf(b"# Head", b"text/markdown"), _PAGE)), ("rich",),
             ("Head",), notes=_DROPPED),
        Kind("enriched", whole(leaf(b"<bold>strong</bold> <<tag> x", b"text/enriched")), ("strong", "<tag> x")),
        Kind("xhtml", whole(leaf(b'<?xml version="1.0"?><html><body><p>rich</p></body></html>', b"application/xhtml+xml")),
             ("rich",)),
        Kind("xhtml-beside-text", whole(tree(b"alternative", _TEXT, leaf(b"<p>rich</p>", b"application/xhtml+xml"))),
             ("rich",), ("plain",), notes=_DROPPED),
        *(Kind(f"card {kind!r}", whole(leaf(b"BEGIN:VCARD\r\nEND:VCARD", kind)), (), ("VCARD",),
               files=(("attachment-1.vcf", b"BEGIN:VCARD\r\nEND:VCARD"),))
          for kind in (b"text/vcard", b"text/x-vcard; charset=utf-8", b"text/directory; profile=vCard")),
        Kind("rtf-alone", whole(leaf(rb"{\rtf1 words}", b"text/rtf")), (), ("words",),
             files=(("attachment-1.rtf", rb"{\rtf1 words}"),)),
        Kind("csv-alone", whole(leaf(b"a,b\r\n1,2", b"text/csv")), ("a,b", "1,2")),
    ]  # fmt: skip


def _uu(data: bytes, name: bytes = b"f.bin", space: bytes = b"`") -> bytes:
    lines = (binascii.b2a_uu(data[at : at + 45], backtick=space == b"`") for at in range(0, len(data), 45))
    return b"begin 644 " + name + b"\r\n" + b"".join(lines).replace(b"\n", b"\r\n") + space + b"\r\nend\r\n"


def _base64(data: bytes, name: bytes = b"f.bin") -> bytes:
    lines = (binascii.b2a_base64(data[at : at + 45]) for at in range(0, len(data), 45))
    return b"begin-base64 644 " + name + b"\r\n" + b"".join(lines).replace(b"\n", b"\r\n") + b"====\r\n"


def _yenc(data: bytes, name: bytes = b"f.bin", part: bytes = b"") -> bytes:
    critical = b"\x00\n\r=\x2e"  # a dot may be escaped, too
    letters = (bytes(((byte + 42) % 256,)) for byte in data)
    text = b"".join(b"=" + bytes(((letter[0] + 64) % 256,)) if letter in critical else letter for letter in letters)
    lines, position = [], 0
    while position < len(text):
        end = position + 128 + text[position + 127 : position + 128].count(b"=")  # no escape is cut
        lines.append(text[position:end])
        position = end
    size = b"%d" % len(data)
    return b"\r\n".join(
        [b"=ybegin line=128 size=" + size + b" name=" + name + part, *lines, b"=yend size=" + size, b""]
    )


def within_texts() -> list[Kind]:
    """Files written into a text; and what only looks like one."""
    noted = frozenset({"file_in_text"})
    file = ("f.bin", _BINARY)
    spaced = _uu(_BINARY, space=b" ")
    kinds = []
    for name, write in (("uu", _uu), ("base64", _base64), ("yenc", _yenc)):
        kinds += [
            Kind(f"{name} below", mail(b"before\r\n\r\n" + write(_BINARY)), ("before",), ("begin",), (file,), notes=noted),
            Kind(f"{name} alone", mail(write(_BINARY)), (), ("begin",), (file,), notes=noted),
            Kind(f"{name} above", mail(write(_BINARY) + b"\r\nafter"), ("after",), ("begin",), (file,), notes=noted),
            Kind(f"{name} twice", mail(b"one\r\n" + write(_BINARY) + b"two\r\n" + write(b"x", b"a b.txt") + b"three"),
                 ("one", "two", "three"), ("begin",), (file, ("a b.txt", b"x")), notes=noted),
            Kind(f"{name} cut", mail(b"before\r\n" + write(_BINARY)[:200]), ("before", "begin"), notes=None),
            Kind(f"{name} quoted", mail(b"> " + write(b"words").replace(b"\r\n", b"\r\n> ")), ("begin",), notes=None),
            Kind(f"{name} beside a page", whole(tree(b"mixed", _PAGE, leaf(b"below\r\n" + write(_BINARY)))),
                 ("rich", "below"), ("begin",), (file,), notes=noted),
            Kind(f"{name} beside a file", whole(tree(b"mixed", leaf(write(_BINARY)), pdf())), (), ("begin",),
                 (("a.pdf", PDF), file), notes=noted),
            Kind(f"{name} path", mail(write(b"x", rb"C:\temp\..\f.bin")), (), ("begin",), (("f.bin", b"x"),), notes=noted),
        ]  # fmt: skip
    bare = {"lf": _uu(_BINARY).replace(b"\r\n", b"\n"), "cr": _uu(_BINARY).replace(b"\r\n", b"\r")}
    kinds += [Kind(f"uu with {end}", mail(text), (), ("begin",), (file,), notes=noted) for end, text in bare.items()]
    return [
        *kinds,
        Kind("uu with blanks", mail(spaced), (), ("begin",), (file,), notes=noted),
        Kind("uu with blanks lost", mail(b"\r\n".join(line.rstrip() for line in spaced.split(b"\r\n"))), (), ("begin",),
             (file,), notes=noted),
        Kind("uu with checksums", mail(b"\r\n".join(line + b"!" if len(line) > 40 else line
             for line in _uu(_BINARY).split(b"\r\n"))), (), ("begin",), (file,), notes=noted),
        Kind("uu in quoted-printable", whole(leaf(binascii.b2a_qp(b"one\r\n" + _uu(_BINARY)), b"text/plain",
             b"Content-Transfer-Encoding: quoted-printable")), ("one",), ("begin",), (file,), notes=noted),
        Kind("uu in base64", whole(leaf(binascii.b2a_base64(b"one\r\n" + _uu(_BINARY)), b"text/plain",
             b"Content-Transfer-Encoding: base64")), ("one",), ("begin",), (file,), notes=noted),
        Kind("base64 told as uu", whole(tree(b"mixed", _TEXT, leaf(_base64(_BINARY), b"application/x-f; name=f.bin",
             b"Content-Transfer-Encoding: x-uuencode"))), ("plain",), files=(file,)),
        Kind("yenc one of several", mail(_yenc(_BINARY, part=b"\r\n=ypart begin=1 end=768")), (), ("ybegin",),
             (file,), notes=noted),
        Kind("yenc damaged", mail(_yenc(_BINARY).replace(b"size=768\r\n", b"size=769\r\n")), ("=ybegin",), notes=None),
        Kind("words about it", mail(b"begin 644 files today\r\nand then the end\r\nend\r\n"), ("begin 644", "end")),
        Kind("words in capitals", mail(b"begin 644 X\r\nI AM HERE\r\nend\r\n"), ("begin 644", "I AM HERE")),
        Kind("an empty one", mail(b"begin 644 X\r\nend\r\n"), ("begin 644", "end")),
        Kind("code", mail(b"procedure x;\r\nbegin\r\n  y := 1;\r\nend\r\n"), ("begin", "end")),
        Kind("in a page", whole(leaf(b"<pre>\r\n" + _uu(b"x" * 45) + b"</pre>", b"text/html")), ("begin 644",)),
        Kind("in an attached text", whole(tree(b"mixed", _TEXT, leaf(_uu(b"x"), b"text/plain",
             b"Content-Disposition: attachment; filename=a.txt"))), ("plain",), files=(("a.txt", _uu(b"x")),)),
    ]  # fmt: skip


def kinds() -> list[Kind]:
    """All of them."""
    groups: Iterable[list[Kind]] = (invitations(), reports(), sealed(), alternatives(), within_texts())
    return [kind for group in groups for kind in group]
