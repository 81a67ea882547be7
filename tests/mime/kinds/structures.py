"""Trees of parts: every kind of multipart, nested, broken, deep and wide."""

# ruff: noqa: E501 - tables: a kind is easier to read in one piece

from kinds.kind import HEAD, PDF, Kind, leaf, mail, pdf, tree, whole

_GIF = b"GIF89a\x01"
_SHOWN = leaf(b"R0lGODlhAQ==", b"image/gif", b"Content-ID: <i@x>", b"Content-Transfer-Encoding: base64")
_PAGE = leaf(b'<p>rich</p><img src="cid:i@x">', b"text/html")
_TEXT = leaf(b"plain")
_ALTERNATIVE = frozenset({"text_alternative_dropped"})
_REPAIRED = frozenset({"structure_repaired"})
_A = ("a.pdf", PDF)


def nested() -> list[Kind]:
    """Well-formed trees."""
    related = tree(b"related", _PAGE, _SHOWN, boundary=b"r")
    both = tree(b"alternative", _TEXT, leaf(b"<p>rich</p>", b"text/html"), boundary=b"a")
    pictured = tree(b"alternative", _TEXT, _PAGE, boundary=b"a")
    shown = (("i@x", _GIF),)
    sig = leaf(b"MIAG", b"application/pkcs7-signature; name=smime.p7s", b"Content-Transfer-Encoding: base64")
    inner = b"Subject: Inner\r\nContent-Type: text/plain\r\n\r\ninside"
    return [
        Kind("mixed", whole(tree(b"mixed", _TEXT, pdf())), ("plain",), files=(_A,)),
        Kind("mixed-file-first", whole(tree(b"mixed", pdf(), _TEXT)), ("plain",), files=(_A,)),
        Kind("mixed-only-a-file", whole(tree(b"mixed", pdf())), files=(_A,)),
        Kind("alternative", whole(both), ("rich",), ("plain",), notes=_ALTERNATIVE),
        Kind(
            "alternative-in-the-wrong-order",
            whole(tree(b"alternative", leaf(b"<p>rich</p>", b"text/html"), _TEXT)),
            ("rich",), ("plain",), notes=_ALTERNATIVE,
        ),
        Kind("alternative-of-one", whole(tree(b"alternative", _TEXT)), ("plain",)),
        Kind(
            "alternative-instead-of-mixed", whole(tree(b"alternative", _TEXT, pdf())), ("plain",), files=(_A,)
        ),
        Kind(
            "alternative-with-files-inside",
            whole(tree(b"alternative", _TEXT, leaf(b"<p>rich</p>", b"text/html"), pdf())),
            ("rich",), ("plain",), files=(_A,), notes=_ALTERNATIVE,
        ),
        Kind("related", whole(related), ("rich",), images=shown),
        Kind(
            "related-in-alternative", whole(tree(b"alternative", _TEXT, related)),
            ("rich",), ("plain",), images=shown, notes=_ALTERNATIVE,
        ),
        Kind(
            "alternative-in-related", whole(tree(b"related", pictured, _SHOWN)),
            ("rich",), ("plain",), images=shown, notes=_ALTERNATIVE,
        ),
        Kind(
            "related-with-start",
            whole(tree(b"related", _SHOWN, leaf(b'<i>rich</i><img src="cid:i@x">', b"text/html", b"Content-ID: <root>"),
                       parameters=b'; start="<root>"; type="text/html"')),
            ("rich",), images=shown,
        ),
        Kind(
            "mixed-of-all", whole(tree(b"mixed", tree(b"related", pictured, _SHOWN, boundary=b"r"), pdf(), _TEXT)),
            ("rich", "plain"), images=shown, files=(_A,), notes=_ALTERNATIVE,
        ),
        Kind(
            "alternative-holding-mixed",
            whole(tree(b"alternative", _TEXT, tree(b"mixed", leaf(b"<p>one</p>", b"text/html"), pdf(),
                                                   leaf(b"<p>two</p>", b"text/html"), boundary=b"m"))),
            ("one", "two"), ("plain",), files=(_A,), notes=_ALTERNATIVE,
        ),
        Kind("related-without-html", whole(tree(b"related", _TEXT, pdf())), ("plain",), files=(_A,)),
        Kind(
            "signed", whole(tree(b"signed", _TEXT, sig, parameters=b"; micalg=sha-256")), ("plain",),
            files=(("smime.p7s", b"0\x80\x06"),), notes=frozenset({"signature_broken"}),
        ),
        Kind(
            "signed-mixed", whole(tree(b"signed", tree(b"mixed", _TEXT, pdf(), boundary=b"m"), sig)), ("plain",),
            files=(_A, ("smime.p7s", b"0\x80\x06")), notes=frozenset({"signature_broken"}),
        ),
        Kind(
            "encrypted",
            whole(tree(b"encrypted", leaf(b"Version: 1", b"application/pgp-encrypted"),
                       leaf(b"-----BEGIN", b"application/octet-stream"))),
            files=(("pgp-version.asc", b"Version: 1"), ("encrypted.asc", b"-----BEGIN")),
            notes=frozenset({"encrypted_as_attachment"}),
        ),
        Kind(
            "digest", whole(tree(b"digest", b"\r\n" + inner, b"\r\n" + inner.replace(b"Inner", b"Other"))),
            files=(("Inner.eml", inner), ("Other.eml", inner.replace(b"Inner", b"Other"))),
        ),
        Kind(
            "digest-with-typed-parts",
            whole(tree(b"digest", leaf(b"contents"), leaf(inner, b"message/rfc822"))),
            ("contents",), files=(("Inner.eml", inner),),
        ),
        Kind(
            "parallel", whole(tree(b"parallel", _TEXT, pdf())), ("plain",), files=(_A,),
        ),
        Kind("unknown-multipart", whole(tree(b"x-odd", _TEXT, pdf())), ("plain",), files=(_A,)),
        Kind("voice-message", whole(tree(b"voice-message", _TEXT, pdf())), ("plain",), files=(_A,)),
        Kind(
            "form-data",
            whole(tree(b"form-data", b'Content-Disposition: form-data; name="text"\r\n\r\nfirst',
                       b'Content-Disposition: form-data; name="more"\r\n\r\nsecond',
                       b'Content-Disposition: form-data; name="up"; filename="a.bin"\r\n'
                       b"Content-Type: application/octet-stream\r\n\r\nfile")),
            ("first", "second"), files=(("a.bin", b"file"),),
        ),
        Kind(
            "bodies-in-a-row",
            whole(tree(b"mixed", leaf(b"one"), pdf(), leaf(b"two"), pdf(b"b.pdf"), leaf(b"<b>three</b>", b"text/html"))),
            ("one", "two", "three"), files=(_A, ("b.pdf", PDF)),
        ),
        Kind(
            "pages-in-a-row",
            whole(tree(b"mixed", leaf(b"<html><body>one</body></html>", b"text/html"),
                       leaf(b"<html><body>two</body></html>", b"text/html"))),
            ("one", "two"),
        ),
        Kind("message-alone", whole(leaf(inner, b"message/rfc822")), files=(("Inner.eml", inner),)),
        Kind(
            "message-in-base64",
            whole(leaf(b"U3ViamVjdDogSW5uZXINCg0KaW5zaWRl", b"message/rfc822", b"Content-Transfer-Encoding: base64")),
            files=(("Inner.eml", b"Subject: Inner\r\n\r\ninside"),),
        ),
        Kind(
            "message-in-mixed", whole(tree(b"mixed", _TEXT, leaf(inner, b"message/rfc822"))), ("plain",), ("inside",),
            files=(("Inner.eml", inner),),
        ),
        Kind(
            "message-partial", whole(leaf(b"Subject: X\r\n\r\nhalf", b"message/partial; id=1; number=1; total=2")),
            files=(("partial.eml", b"Subject: X\r\n\r\nhalf"),), notes=frozenset({"partial_as_attachment"}),
        ),
        Kind(
            "external-body",
            whole(leaf(b"Content-Type: image/gif\r\n\r\n", b'message/external-body; access-type=URL; URL="http://x/"')),
            files=(("external-body.txt", b"Content-Type: image/gif\r\n\r\n"),),
            notes=frozenset({"partial_as_attachment"}),
        ),
        Kind("text-named-first", whole(tree(b"mixed", leaf(b"plain", b"text/plain; name=body.txt"), pdf())), ("plain",),
             files=(_A,)),
        Kind("text-named-later", whole(tree(b"mixed", _TEXT, leaf(b"log", b"text/plain; name=a.log"))), ("plain",),
             ("log",), files=(("a.log", b"log"),)),
        Kind("text-attached", whole(leaf(b"log", b"text/plain", b"Content-Disposition: attachment; filename=a.txt")),
             files=(("a.txt", b"log"),)),
        Kind("text-inline-without-name", whole(tree(b"mixed", _TEXT, leaf(b"foot", b"text/plain",
             b"Content-Disposition: inline"))), ("plain", "foot")),
        Kind("page-attached", whole(tree(b"mixed", _TEXT, leaf(b"<p>report</p>", b"text/html; name=r.html",
             b"Content-Disposition: attachment; filename=r.html"))), ("plain",), ("report",),
             files=(("r.html", b"<p>report</p>"),)),
        Kind("image-alone", whole(leaf(b"R0lGODlhAQ==", b"image/gif; name=a.gif",
             b"Content-Transfer-Encoding: base64")), files=(("a.gif", _GIF),)),
        Kind("csv-in-mixed", whole(tree(b"mixed", _TEXT, leaf(b"a,b", b"text/csv"))), ("plain",),
             files=(("attachment-1.csv", b"a,b"),)),
    ]  # fmt: skip


def broken() -> list[Kind]:
    """Trees that no RFC allows, and that are written."""
    body = b"--b\r\n" + _TEXT + b"\r\n--b\r\n" + pdf() + b"\r\n--b--\r\n"
    both = ("plain",)
    mixed = b"Content-Type: multipart/mixed; boundary=b"
    kinds = [
        Kind("no-closing-delimiter", mail(body[:-7], mixed), both, files=(_A,)),
        Kind("cut-in-the-last-delimiter", mail(body[:-4], mixed), both, files=(_A,)),
        Kind("preamble", mail(b"This is a multipart message.\r\n\r\n" + body, mixed), both, ("This is",), files=(_A,)),
        Kind("epilogue", mail(body + b"\r\nfooter words", mixed), both, ("footer",), files=(_A,),
             notes=frozenset({"text_outside_dropped"})),
        Kind("parts-behind-the-end", mail(b"--b\r\n" + _TEXT + b"\r\n--b--\r\n--b\r\n" + pdf() + b"\r\n--b--\r\n", mixed),
             both, files=(_A,)),
        Kind("no-boundary", mail(body, b"Content-Type: multipart/mixed"), both, files=(_A,), notes=_REPAIRED),
        Kind("empty-boundary", mail(body, b'Content-Type: multipart/mixed; boundary=""'), both, files=(_A,),
             notes=_REPAIRED),
        Kind("wrong-boundary", mail(body, b"Content-Type: multipart/mixed; boundary=c"), both, files=(_A,),
             notes=_REPAIRED),
        Kind("boundary-in-other-case", mail(body, b"Content-Type: multipart/mixed; boundary=B"), both, files=(_A,),
             notes=_REPAIRED),
        Kind("boundary-with-semicolon", mail(body.replace(b"--b", b"--x;b"),
             b"Content-Type: multipart/mixed; boundary=x;b"), both, files=(_A,), notes=_REPAIRED),
        Kind("boundary-in-single-quotes", mail(body, b"Content-Type: multipart/mixed; boundary='b'"), both, files=(_A,),
             notes=_REPAIRED),
        Kind("boundary-that-is-in-single-quotes", mail(body.replace(b"--b", b"--'b'"),
             b"Content-Type: multipart/mixed; boundary='b'"), both, files=(_A,)),
        Kind("boundary-quote-open", mail(body, b'Content-Type: multipart/mixed; boundary="b'), both, files=(_A,)),
        Kind("boundary-escaped", mail(body, b'Content-Type: multipart/mixed; boundary="\\b"'), both, files=(_A,),
             notes=None),
        Kind("boundary-rfc2231", mail(body.replace(b"--b", b"--bc"),
             b"Content-Type: multipart/mixed; boundary*0=b; boundary*1=c"), both, files=(_A,)),
        Kind("boundary-rfc2231-charset", mail(body, b"Content-Type: multipart/mixed; boundary*=us-ascii'en'b"), both,
             files=(_A,)),
        Kind("boundary-trailing-blank-in-field", mail(body, b'Content-Type: multipart/mixed; boundary="b "'), both,
             files=(_A,)),
        Kind("boundary-folded", mail(body, b"Content-Type: multipart/mixed;\r\n\tcharset=utf-8;\r\n\r\n boundary=b"
             .replace(b"\r\n\r\n", b"\r\n")), both, files=(_A,)),
        Kind("boundary-before-type-ends", mail(body, b"Content-Type: multipart/mixed boundary=b"), both, files=(_A,)),
        Kind("blanks-behind-delimiters", mail(body.replace(b"--b\r", b"--b \t\r"), mixed), both, files=(_A,)),
        Kind("boundary-without-subtype", mail(body, b"Content-Type: multipart; boundary=b"), both, files=(_A,)),
        Kind("boundary-with-empty-subtype", mail(body, b"Content-Type: multipart/; boundary=b"), both, files=(_A,)),
        Kind("shouting", mail(body, b"CONTENT-TYPE: MULTIPART/MIXED; BOUNDARY=b"), both, files=(_A,)),
        Kind("boundary-that-begins-another", whole(tree(b"mixed", tree(b"alternative", _TEXT, _TEXT, boundary=b"bb"),
             pdf())), both, files=(_A,), notes=_ALTERNATIVE),
        Kind("boundary-that-another-begins", whole(tree(b"mixed", tree(b"alternative", _TEXT, _TEXT), pdf(),
             boundary=b"bb")), both, files=(_A,), notes=_ALTERNATIVE),
        Kind("inner-not-closed", mail(b"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n" + _TEXT
             + b"\r\n--b\r\n" + pdf() + b"\r\n--b--\r\n", mixed), both, files=(_A,)),
        Kind("one-boundary-twice", mail(b"--b\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n" + _TEXT
             + b"\r\n--b--\r\n--b\r\n" + pdf() + b"\r\n--b--\r\n", mixed), both, files=(_A,), notes=_REPAIRED),
        Kind("no-parts", mail(b"", mixed)),
        Kind("no-parts-but-text", mail(b"Only words.", mixed), ("Only words.",), notes=_REPAIRED),
        Kind("no-parts-but-page", mail(b"<html><body>Only</body></html>", mixed), ("Only",), ("<html",), notes=_REPAIRED),
        Kind("only-a-closing-delimiter", mail(b"Only words.\r\n--b--\r\n", mixed), ("Only words.",), notes=None),
        Kind("empty-parts", mail(b"--b\r\n--b\r\n\r\n--b\r\n" + _TEXT + b"\r\n--b--", mixed), both),
        Kind("part-without-header", mail(b"--b\r\n\r\nplain\r\n--b\r\n" + pdf() + b"\r\n--b--", mixed), both, files=(_A,)),
        Kind("part-without-blank-line", mail(b"--b\r\nplain words\r\n--b\r\n" + pdf() + b"\r\n--b--", mixed), both,
             files=(_A,)),
        Kind("part-header-without-blank-line", mail(b"--b\r\nContent-Type: text/plain\r\nplain words\r\n--b--", mixed),
             both),
        Kind("multipart-in-base64", mail(b"LS1iDQpDb250ZW50LVR5cGU6IHRleHQvcGxhaW4NCg0KcGxhaW4NCi0tYi0tDQo=", mixed,
             b"Content-Transfer-Encoding: base64"), both),
        Kind("multipart-declared-quoted-printable", mail(body, mixed, b"Content-Transfer-Encoding: quoted-printable"),
             both, files=(_A,)),
        Kind("multipart-declared-base64", mail(body, mixed, b"Content-Transfer-Encoding: base64"), both, files=(_A,)),
        Kind("no-blank-line", HEAD + b"plain words\r\nmore words", ("plain words", "more words")),
        Kind("headers-only", HEAD.rstrip(b"\r\n")),
        Kind("headers-only-with-line-end", HEAD),
        Kind("blank-line-of-blanks", HEAD + b" \r\n\r\nplain", both),
        Kind("leading-empty-lines", b"\r\n\r\n" + mail(b"plain"), both),
        Kind("leading-blanks", b"  \r\n" + mail(b"plain"), both),
        Kind("mbox-line", b"From ana@example.org Mon Jan  5 10:00:00 2026\r\n" + mail(b"plain"), both),
        Kind("mbox-line-quoted", b">From ana@example.org Mon Jan  5 10:00:00 2026\r\n" + mail(b"plain"), both),
        Kind("byte-order-mark", b"\xef\xbb\xbf" + mail(b"plain"), both),
        Kind("byte-order-mark-then-empty-line", b"\xef\xbb\xbf\r\n" + mail(b"plain"), both),
        Kind("byte-order-mark-in-front-of-a-part", mail(b"--b\r\n\xef\xbb\xbfContent-Type: text/html\r\n\r\n<p>plain</p>"
             b"\r\n--b--", mixed), both, ("<p>",)),
        Kind("boundary-of-dashes", whole(tree(b"mixed", _TEXT, pdf(), boundary=b"----")), both, files=(_A,)),
        Kind("boundary-odd-characters", whole(tree(b"mixed", _TEXT, pdf(), boundary=b"'()+_,-./:=? x$*[")), both,
             files=(_A,)),
        Kind("boundary-long", whole(tree(b"mixed", _TEXT, pdf(), boundary=b"x" * 300)), both, files=(_A,)),
        Kind("boundary-eight-bit", whole(tree(b"mixed", _TEXT, pdf(), boundary="ñ".encode())), both, files=(_A,)),
        Kind("boundary-eight-bit-latin", whole(tree(b"mixed", _TEXT, pdf(), boundary=b"\xf1")), both, files=(_A,),
             notes=None),
    ]  # fmt: skip
    return kinds + _told_wrongly() + _line_ends(body, mixed)


def _told_wrongly() -> list[Kind]:
    """Content types that are none."""
    text = [
        b"", b";", b"; charset=utf-8", b"foo", b"text", b"/", b"text/", b'"text/plain"', b"text/plain;;", b"text/plain;",
        b"text/plain charset=utf-8", b"text / plain; charset=utf-8", b"text/plain (words); charset=utf-8", b"\x00",
        b"text/plain; charset", b"text/plain; charset=", b"text/plain, charset=utf-8", b"= ?", b"text/plain\tcharset=x",
        b'TEXT/PLAIN; CHARSET="UTF-8', b"text/plain; =utf-8", b"plain/text", b'text/plain; charset=""',
        b"text/plain; charset=;format=", b"text/plain;charset=utf-8;boundary=b", b"text/unknown-subtype", b"text/x-log",
    ]  # fmt: skip
    kinds = [
        Kind(f"content-type {value!r}", mail(b"--b\r\nplain", b"Content-Type: " + value), ("--b", "plain"))
        for value in text
    ]
    page = [b"text/html (x)", b"html", b'"text/html"', b"text/html;;", b"TEXT/HTML", b"text /html; x", b"text/html,"]
    kinds += [
        Kind(f"content-type {value!r}", mail(b"<p>plain</p>", b"Content-Type: " + value), ("plain",), ("<p>",))
        for value in page
    ]
    for value in (b"application", b"pdf", b"", b"application/", b"file; x-unix-mode=0644", b"PDF file (a.pdf)"):
        part = leaf(b"JVBERi0xLjQK", value + b"; name=a.pdf", b"Content-Transfer-Encoding: base64")
        name = f"file-of-type {value!r}"
        kinds.append(Kind(name, whole(tree(b"mixed", _TEXT, part)), ("plain",), ("%PDF",), files=(_A,)))
        kinds.append(Kind(name + " first", whole(tree(b"mixed", part, _TEXT)), ("plain",), ("%PDF",), files=(_A,)))
    twice = mail(b"<p>plain</p>", b"Content-Type: text/html", b"Content-Type: text/plain")
    return [*kinds, Kind("content-type-twice", twice, ("plain",), ("<p>",))]


def _line_ends(body: bytes, field: bytes) -> list[Kind]:
    usual = mail(b"preamble\r\n" + body, field)
    ends = {"lf": b"\n", "cr": b"\r", "crcrlf": b"\r\r\n"}
    kinds = [
        Kind(f"line-ends-{name}", usual.replace(b"\r\n", end), ("plain",), files=(_A,)) for name, end in ends.items()
    ]
    head, _, rest = usual.partition(b"\r\n\r\n")
    for name, end in ends.items():
        kinds.append(
            Kind(f"header-crlf-body-{name}", head + b"\r\n\r\n" + rest.replace(b"\r\n", end), ("plain",), files=(_A,))
        )
        kinds.append(
            Kind(f"header-{name}-body-crlf", head.replace(b"\r\n", end) + 2 * end + rest, ("plain",), files=(_A,))
        )
    lines = usual.split(b"\r\n")
    mixed = b"".join(line + (b"\r\n", b"\n")[number % 2] for number, line in enumerate(lines))
    return [*kinds, Kind("line-ends-mixed", mixed, ("plain",), files=(_A,))]


def great() -> list[Kind]:
    """Many parts, and deep ones."""
    count = 1000
    files = [(f"f{number}.bin", b"%d" % number) for number in range(count)]
    parts = [
        leaf(body, b"application/octet-stream", b"Content-Disposition: attachment; filename=" + name.encode())
        for name, body in files
    ]
    deep = _TEXT
    for level in range(100):
        deep = tree(b"mixed", deep, boundary=b"level%d." % level)
    paired = _TEXT
    for level in range(50):
        paired = tree(
            (b"mixed", b"related", b"alternative", b"signed")[level % 4],
            paired,
            pdf(b"f%d.pdf" % level),
            boundary=b"level%d." % level,
        )
    return [
        Kind("thousand-parts", whole(tree(b"mixed", _TEXT, *parts)), ("plain",), files=tuple(files)),
        Kind("thousand-texts", whole(tree(b"mixed", *[leaf(b"t%d." % n) for n in range(count)])),
             tuple(f"t{n}." for n in range(count))),
        Kind("hundred-levels", whole(deep), ("plain",)),
        Kind("fifty-levels-with-files", whole(paired), ("plain",), files=tuple((f"f{n}.pdf", PDF) for n in range(50)),
             notes=frozenset({"signature_broken"})),
    ]  # fmt: skip


def kinds() -> list[Kind]:
    """All of them."""
    return [*nested(), *broken(), *great()]
