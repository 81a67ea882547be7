"""Every tree with every transfer encoding, charset and line end: what holds alone must hold together."""

# ruff: noqa: RUF001 - words of other scripts look like ours

import binascii
from base64 import b64encode, encodebytes
from collections.abc import Callable, Iterator
from itertools import product

from kinds.kind import PDF, Kind, leaf, pdf, tree, whole

_TEXTS = {
    "utf-8": "Señor 会议 привет",
    "iso-8859-1": "Señor, ¿qué?",
    "windows-1252": "“Señor” – 5 €",
    "koi8-r": "Добрый день",
    "windows-1251": "Добрый день",
    "iso-2022-jp": "会議のお知らせ",
    "shift_jis": "会議のお知らせ",
    "gb18030": "会议通知 €",
    "big5": "會議通知",
    "euc-kr": "회의 안내",
    "utf-7": "Señor + 会议",
    "us-ascii": "plain words = all",
    "utf-16": "Señor 会议",
    "iso-8859-8-i": "שלום",
}
_CODECS = {"iso-8859-8-i": "iso8859-8"}
_SEVEN_BITS = {"utf-7", "iso-2022-jp", "us-ascii"}
_LINE_ENDS = {"crlf": b"\r\n", "lf": b"\n", "cr": b"\r"}

_Leaf = Callable[[bytes, bytes], bytes]
_A = ("a.pdf", PDF)


def _written(data: bytes, transfer: str) -> bytes:
    match transfer:
        case "base64":
            return encodebytes(data).replace(b"\n", b"\r\n")
        case "one-line-base64":
            return b64encode(data)
        case "quoted-printable":
            return binascii.b2a_qp(data, istext=False).replace(b"=\n", b"=\r\n")
        case _:
            return data


def _trees(text: bytes, page: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """Name each tree, write it, and tell whether it carries the file."""
    both = tree(b"alternative", text, page, boundary=b"=_alt")
    image = leaf(b"R0lGODlh", b"image/gif", b"Content-ID: <i>", b"Content-Transfer-Encoding: base64")
    yield "alone", page, False
    yield "alternative", both, False
    yield "mixed", tree(b"mixed", page, pdf()), True
    yield "mixed-alternative", tree(b"mixed", both, pdf()), True
    yield "related", tree(b"related", page, image), False
    yield "mixed-related-alternative", tree(b"mixed", tree(b"related", both, image, boundary=b"=_rel"), pdf()), True
    yield "alternative-related", tree(b"alternative", text, tree(b"related", page, image, boundary=b"=_rel")), False
    yield "signed", tree(b"signed", tree(b"mixed", page, pdf(), boundary=b"=_m")), True
    yield "report", tree(b"report", page, pdf()), True
    yield "unknown", tree(b"x-any", page, pdf()), True
    yield "file-first", tree(b"mixed", pdf(), both), True
    yield "not-closed", tree(b"mixed", both, pdf()).removesuffix(b"--b--\r\n"), True
    yield "boundary-forgotten", tree(b"mixed", both, pdf()).replace(b'; boundary="b"', b""), True


def kinds() -> list[Kind]:
    """All of them."""
    made = []
    for (charset, words), transfer in product(
        _TEXTS.items(), ("base64", "one-line-base64", "quoted-printable", "8bit")
    ):
        if charset == "utf-16" and transfer == "8bit":
            continue  # zeros and line ends of two octets cannot travel so
        fields = (b"Content-Transfer-Encoding: " + transfer.removeprefix("one-line-").encode(),)
        label = b"; charset=" + charset.encode()

        def part(
            kind: bytes,
            text: str,
            fields: tuple[bytes, ...] = fields,
            label: bytes = label,
            charset: str = charset,
            transfer: str = transfer,
        ) -> bytes:
            data = text.encode(_CODECS.get(charset, charset), "replace")
            return leaf(_written(data, transfer), b"text/" + kind + label, *fields)

        page = part(b"html", f'<p>{words}</p><img src="cid:i">')
        for name, root, has_file in _trees(part(b"plain", words), page):
            for end, line_end in _LINE_ENDS.items():
                made.append(
                    Kind(
                        f"{name} {charset} {transfer} {end}",
                        whole(root).replace(b"\r\n", line_end),
                        (words,),
                        files=(_A,) if has_file else (),
                        images=(("i", b"GIF89a"),) if "related" in name else (),
                        notes=None,
                    )
                )
    return made
