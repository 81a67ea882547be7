"""Bodies in every transfer encoding, well-formed and as programs write them."""

# ruff: noqa: PERF401 - tables: a kind is easier to read in one piece

import binascii
from base64 import b64encode, encodebytes

from kinds.kind import Kind, leaf, mail, tree, whole

_FILE = bytes(range(256)) * 3 + b"end"
_WORDS = "Señor, the words are here: 1 = 1."
_UNKNOWN = frozenset({"encoding_unknown"})


def _wrapped(data: bytes, width: int, end: bytes = b"\r\n") -> bytes:
    text = b64encode(data)
    return end.join(text[start : start + width] for start in range(0, len(text), width))


def base64() -> list[Kind]:
    """Texts and files in base64."""
    plain = b64encode(_FILE)
    lines = _wrapped(_FILE, 76)
    first, second = _FILE[:400], _FILE[400:]
    spellings = {
        "clean": lines,
        "no line breaks": plain,
        "lines of 60": _wrapped(_FILE, 60),
        "lines of 77": _wrapped(_FILE, 77),
        "one letter a line": _wrapped(_FILE, 1),
        "bare lf": _wrapped(_FILE, 76, b"\n"),
        "bare cr": _wrapped(_FILE, 76, b"\r"),
        "indented": _wrapped(_FILE, 72, b"\r\n    "),
        "blanks at line ends": _wrapped(_FILE, 72, b"  \r\n"),
        "blanks within": _wrapped(_FILE, 40, b" "),
        "empty lines": _wrapped(_FILE, 72, b"\r\n\r\n"),
        "empty lines around": b"\r\n\r\n" + lines + b"\r\n\r\n\r\n",
        "garbage within": lines[:100] + b"!" + lines[100:200] + b"\x00#%" + lines[200:],
        "eight-bit garbage": lines[:80] + b"\xff\xa0" + lines[80:],
        "no padding": b64encode(_FILE[:-1]).rstrip(b"=") if len(_FILE) % 3 == 1 else lines.rstrip(b"="),
        "too much padding": lines.rstrip(b"=") + b"====",
        "padding on a line of its own": lines.rstrip(b"=") + b"\r\n==",
        "two padded blocks": b64encode(first) + b"\r\n" + b64encode(second),
        "each line padded": b"\r\n".join(b64encode(_FILE[start : start + 40]) for start in range(0, len(_FILE), 40)),
        "url-safe": lines.replace(b"+", b"-").replace(b"/", b"_"),
        "footer below": lines + b"=\r\n" * (not lines.endswith(b"=")) + b"\r\n___\r\nThis list has a footer\r\n",
    }
    kinds = []
    for name, spelling in spellings.items():
        file = leaf(spelling, b"application/octet-stream; name=f.bin", b"Content-Transfer-Encoding: base64")
        kinds.append(
            Kind(
                f"base64 file, {name}",
                whole(tree(b"mixed", leaf(b"plain"), file)),
                ("plain",),
                files=(("f.bin", _FILE),),
            )
        )
    short = {
        "no padding": b"YWI",
        "one padding": b"YWI=",
        "surplus": b"YWI==",
        "one letter more": b"YWJj\r\nY",
        "dirty bits": b"YWJ=",
        "empty": b"",
        "only padding": b"====",
        "only blanks": b" \r\n ",
    }
    told = {"no padding": b"ab", "one padding": b"ab", "surplus": b"ab", "one letter more": b"abc", "dirty bits": b"ab"}
    kinds += [
        Kind(f"base64 short, {name}", whole(leaf(text, b"application/x-f; name=f.bin", b"Content-Transfer-Encoding: "
             b"base64")), files=(("f.bin", told.get(name, b"")),)) for name, text in short.items()
    ]  # fmt: skip
    for value in (b"base64", b"BASE64", b"Base64 ", b'"base64"', b"base64;", b"base64 (x)", b"base-64", b"x-base64"):
        kinds.append(
            Kind(
                f"base64 told {value!r}",
                whole(
                    leaf(
                        b64encode(_WORDS.encode()), b"text/plain; charset=utf-8", b"Content-Transfer-Encoding: " + value
                    )
                ),
                (_WORDS,),
            )
        )
    plain_words = b"These are plain words,\r\nthough base64 is told; nobody decodes them.\r\n"
    kinds.append(
        Kind(
            "base64 that is none",
            mail(plain_words, b"Content-Transfer-Encoding: base64"),
            ("These are plain words, though base64 is told; nobody decodes them.",),
            notes=_UNKNOWN,
        )
    )
    for name, body in (("padded", b64encode(b"some words.")), ("unpadded", b64encode(b"some words here"))):
        footer = b"\r\n____________\r\nThis list has = a footer\r\n"
        raw = mail(body + footer, b"Content-Transfer-Encoding: base64")
        notes = frozenset({"text_outside_dropped"})
        kinds.append(Kind(f"base64 text, {name}, with a footer", raw, ("some words",), ("footer", "ÿ"), notes=notes))
    return kinds


def quoted() -> list[Kind]:
    """Texts and files in quoted-printable."""
    spellings: dict[str, tuple[bytes, str]] = {
        "clean": (b"Se=C3=B1or =3D", "Señor ="),
        "lower-case digits": (b"Se=c3=b1or =3d", "Señor ="),
        "soft break": (b"a long=\r\n er line", "a long er line"),
        "soft break lf": (b"a long=\ner line", "a longer line"),
        "soft break cr": (b"a long=\rer line", "a longer line"),
        "soft break with blanks": (b"a long= \t\r\ner line", "a longer line"),
        "soft break in a character": (b"Se=C3=\r\n=B1or", "Señor"),
        "soft break at the end": (b"words=", "words"),
        "soft break at the end with line": (b"words=\r\n", "words"),
        "bad escape": (b"100=ZZ and =G1 and 1=1", "100=ZZ and =G1 and 1=1"),
        "half an escape": (b"end=C", "end"),
        "lone equals": (b"a = b", "a = b"),
        "doubled equals": (b"a == b", "a == b"),
        "raw eight-bit": ("Señor =3D".encode(), "Señor ="),
        "trailing blanks": (b"words   \r\nmore\t\r\n", "words more"),
        "encoded trailing blank": (b"words=20\r\nmore", "words more"),
        "encoded line ends": (b"one=0D=0Atwo=0Athree", "one two three"),
        "long line": (b"word " * 2000 + b"=3D", "word ="),
        "tabs": (b"a\tb=09c", "a b c"),
        "not quoted at all": (b'a+b <x> 50% "q"', 'a+b <x> 50% "q"'),
    }
    kinds = []
    for name, (body, text) in spellings.items():
        for ending in (b"\r\n", b"\n"):
            raw = mail(body, b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: quoted-printable")
            kinds.append(Kind(f"quoted, {name} {ending!r}", raw.replace(b"\r\n", ending), (text,)))
    for value in (
        b"Quoted-Printable",
        b"QUOTED-PRINTABLE;",
        b"quoted-printable (x)",
        b"quoted_printable",
        b"quotedprintable",
    ):
        kinds.append(
            Kind(
                f"quoted told {value!r}",
                mail(b"Se=C3=B1or", b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: " + value),
                ("Señor",),
            )
        )
    file = leaf(
        binascii.b2a_qp(_FILE, istext=False),
        b"application/x-f; name=f.bin",
        b"Content-Transfer-Encoding: quoted-printable",
    )
    return [*kinds, Kind("quoted file", whole(tree(b"mixed", leaf(b"x"), file)), ("x",), files=(("f.bin", _FILE),))]


def other() -> list[Kind]:
    """No encoding, old ones, and such that nobody knows."""
    kinds = []
    for value in (b"7bit", b"8bit", b"binary", b"8BIT", b"7-bit", b"", b"none", b"8bit;", b"7bit (x)", b'"8bit"'):
        kinds.append(
            Kind(
                f"identity {value!r}",
                mail(
                    _WORDS.encode(), b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: " + value
                ),
                (_WORDS,),
            )
        )
    for value in (b"x-gzip64", b"utf-8", b"iso-8859-1", b"7bits", b"8bits", b"binhex", b"chunked", b"text/plain"):
        known = value.endswith(b"bits")
        kinds.append(
            Kind(
                f"unknown {value!r}",
                mail(
                    _WORDS.encode(), b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: " + value
                ),
                (_WORDS,),
                notes=frozenset() if known else _UNKNOWN,
            )
        )
    encoded = (
        b"begin 644 f.bin\r\n"
        + b"".join(
            binascii.b2a_uu(_FILE[start : start + 45]).replace(b"\n", b"\r\n") for start in range(0, len(_FILE), 45)
        )
        + b"`\r\nend\r\n"
    )
    for value in (b"x-uuencode", b"uuencode", b"X-UUE", b"x-uu"):
        file = leaf(encoded, b"application/x-f; name=f.bin", b"Content-Transfer-Encoding: " + value)
        kinds.append(
            Kind(
                f"uuencode {value!r}",
                whole(tree(b"mixed", leaf(b"plain"), file)),
                ("plain",),
                files=(("f.bin", _FILE),),
            )
        )
    raw = _FILE.replace(b"\r", b"").replace(b"\n", b"")
    binary = leaf(raw, b"application/x-f; name=f.bin", b"Content-Transfer-Encoding: binary")
    kinds.append(
        Kind("binary file", whole(tree(b"mixed", leaf(b"plain"), binary)), ("plain",), files=(("f.bin", raw),))
    )
    twice = mail(
        encodebytes(_WORDS.encode()),
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: 8bit",
    )
    return [*kinds, Kind("encoding told twice", twice, (_WORDS,))]


def kinds() -> list[Kind]:
    """All of them."""
    return [*base64(), *quoted(), *other()]
