"""Charset labels: which of Python's codecs a declared name means, as browsers take it (WHATWG Encoding §4.2)."""

import codecs
import re
from functools import lru_cache

#: Python codec -> labels that mean it, lower case without punctuation. Only where Python takes the label for something
#: else or does not know it; iso-8859-1 means windows-1252 in all mail there is.
_LABELS = {
    "cp1252": "usascii ascii iso88591 latin1 l1 cp819 ibm819 ansix341968 ansix341986 iso646irv1991 isoir6 isoir100 "
    "iso646us us windows1252 cp1252 ansi xansi xcp1252 iso885911987 8859 88591 iso8859 default",
    "cp1254": "iso88599 latin5 windows1254 cp1254",
    "cp874": "iso885911 tis620 windows874 dos874",
    "iso8859_8": "iso88598i iso88598e logical visual",
    "iso8859-7": "suneugreek",
    "iso8859-15": "isolatin9",
    "gb18030": "gb2312 gbk xgbk gb231280 csgb2312 chinese isoir58 euccn cngb gb18030 cp936 windows936 ms936",
    "cp949": "ksc56011987 ksc56011989 ksc5601 euckr korean windows949 cp949 isoir149 ms949",
    "cp932": "shiftjis xsjis sjis sjiswin mskanji windows31j cp932 ms932 csshiftjis xmscp932",
    "big5hkscs": "big5 big5hkscs xxbig5 cnbig5 csbig5 big5eten cp950 windows950",
    "euc_jp": "eucjp xeucjp xeuc ujis eucpkdfmtjapanese",
    "iso2022_jp_ext": "iso2022jp iso2022jp1 iso2022jp2 iso2022jp3 iso2022jpms csiso2022jp iso2022jpesc cp50220 cp50221 "
    "jis",
    "utf-8": "utf8 unicode11utf8 unicode20utf8 xunicode20utf8 utf8mb4 xutf8 utf8bom",
    "utf-16": "unicode utf16 ucs2 iso10646ucs2",
    "utf-16-le": "unicodefeff",
    "utf-16-be": "unicodefffe",
    "utf-7": "utf7 unicode11utf7 csunicode11utf7 xunicode20utf7 unicode20utf7",
    "mac_roman": "macintosh mac xmacroman macroman",
    "mac_cyrillic": "xmaccyrillic maccyrillic xmacukrainian",
    "koi8_r": "koi koi8 koi8r cskoi8r",
    "koi8_u": "koi8u koi8ru",
    "euc_jisx0213": "eucjpms eucjpwin cp51932 windows51932",  # knows NEC's row 13, which Python's EUC-JP does not
    "iso8859_6": "iso88596i iso88596e",
}
#: Labels of seven bits.
_ONLY_ASCII = frozenset({"usascii", "ascii", "us", "ansix341968", "ansix341986", "iso646us", "iso646irv1991", "isoir6"})
_ALIASES = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
#: Python codecs that are no charsets, or that run for ever on hostile input.
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "oem", "mbcs"})
_PUNCTUATION = re.compile(r"[^a-z0-9]+")
#: Code pages by the names that programs give them: windows1251, win-1251, cp-1251, dos-866.
_CODE_PAGE = re.compile(r"(?:windows|mswin|win|dos|ibm|xcp|cp)([0-9]{3,4})")
_ISO = re.compile(r"iso8859([0-9]{1,2})")
_PRINTABLE = bytes(range(0x20, 0x7F))


@lru_cache(maxsize=256)
def codec_of(label: str) -> str:
    """Find Python's codec for a label; empty: none that is known."""
    squeezed = _PUNCTUATION.sub("", label.lower())
    known = _ALIASES.get(squeezed) or _ALIASES.get(squeezed.removeprefix("cs"))
    if known:
        return known
    page, iso = _CODE_PAGE.fullmatch(squeezed), _ISO.fullmatch(squeezed.removeprefix("cs"))
    numbered = f"cp{page[1]}" if page else f"iso8859-{iso[1]}" if iso else ""
    names = (_PUNCTUATION.sub("-", label.lower()).strip("-"), squeezed, numbered)
    found = next(filter(None, map(_codec, names)), "")
    return _ALIASES.get(_PUNCTUATION.sub("", found), found)


@lru_cache(maxsize=256)
def is_ascii_label(label: str) -> bool:
    """Tell whether a label promises that no byte is beyond ASCII, so that one that is proves it wrong."""
    return _PUNCTUATION.sub("", label.lower()) in _ONLY_ASCII


@lru_cache(maxsize=256)
def keeps_ascii(codec: str) -> bool:
    """Tell whether a codec means by printable ASCII what it is; stateful ones may use its bytes after an escape."""
    return _PRINTABLE.decode(codec, "replace") == _PRINTABLE.decode("ascii")


def _codec(name: str) -> str:
    """Ask Python for a codec that is a charset; empty: it knows none by this name."""
    try:
        found = codecs.lookup(name).name if name else ""
        "".encode(found or "ascii")
    except (LookupError, ValueError):
        return ""
    return "" if found.replace("-", "_") in _NO_CHARSETS else found
