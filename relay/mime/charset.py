"""From bytes to text, whatever the label says.

Order: a byte order mark, the declared charset as browsers understand it (WHATWG Encoding), UTF-8 where it is valid, a
guess for long texts, windows-1252. Nothing here raises: some text always comes out.
"""

import codecs
import re
from itertools import islice

from charset_normalizer import from_bytes

from relay.mime.labels import codec_of, is_ascii_label, keeps_ascii

_WIDE = ("utf-16", "utf-32", "utf_16", "utf_32")
#: Charsets that programs declare while they write UTF-8. One letter of valid UTF-8 may be two of theirs by chance, a
#: whole text hardly ever.
_CLAIMED = frozenset({"iso8859-15", "iso8859-2", "cp1250", "cp1251", "cp1254", "koi8_r"})
_UNORDERED = ("utf-16", "utf-32")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BOM_BYTES = tuple(bom for bom, _ in _BOMS)
_SAMPLE_BYTES = 4096  # enough to tell scripts apart; the detector needs milliseconds for each kilobyte
_GUESS_FROM_BYTES = 24  # fewer foreign letters prove nothing
_FOREIGN_SHARE = 0.2  # Latin scripts have fewer letters beyond ASCII than this
_GUESSABLE = [
    "cp1251", "koi8_r", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr",
    "cp1253", "cp1255", "cp1256", "cp874", "cp1252",
]  # fmt: skip
#: Charsets of two bytes a letter. Words of one-byte letters are of odd length now and then, which these take amiss.
_PAIRED = ("gb18030", "big5", "euc_jp", "euc_kr")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_MANY_RUNS = 8
_LONG_RUN = 12  # bytes; words of one-byte scripts are shorter
_NO_LEADS = bytes([*range(0xC2), *range(0xF5, 0x100)])
_PROVING_LEADS = 3
_STRAY = re.compile("[\udc80-\udcff]+")
_SURROGATES = re.compile("[\ud800-\udfff]+")
_HIGH = bytes(range(0x80, 0x100))
_SHIFTED = bytes(byte | 0x80 if byte > 0x20 else byte for byte in range(256))  # noqa: PLR2004 - printable: 21 to 7E
_MOST_ESCAPES = 200_000  # more than a text of 1 MB has
_ESCAPE = b"\x1b"
_KANJI_IN = re.compile(rb"\x1b(?:\$[@B]|\$\([@BDOPQ]|\([BJIH]|\.[AF])")


def decode(data: bytes, label: str = "", *, guess: bool = True) -> tuple[str, bool]:
    """Decode bytes by their declared charset, or by the best guess.

    Args:
        data: The bytes after transfer decoding.
        label: The declared charset; empty: none.
        guess: Whether a detector may look at texts that are not UTF-8; short ones are taken for windows-1252 anyway.

    Returns:
        The text, without byte order mark and lone surrogates, and whether it was decoded as declared.
    """
    codec = codec_of(label)
    if data.isascii() and _ESCAPE not in data and (not codec or keeps_ascii(codec)):
        return data.decode("ascii"), bool(codec) or not label
    if data.startswith(_BOM_BYTES):
        marked = next(name for bom, name in _BOMS if data.startswith(bom))
        return _scrubbed(data.decode(marked, "replace").removeprefix("\ufeff")), True
    if codec and (data.isascii() or not is_ascii_label(label)):
        text = _as_declared(data, codec)
        if text is not None:
            return text, True
    return _undeclared(data, codec, guess=guess), not label and data.isascii()


def detected_codec(data: bytes) -> str:
    """Guess the charset of a text that is neither ASCII nor UTF-8; empty: too few foreign letters to tell."""
    high = len(data) - len(data.translate(None, _HIGH))
    if high < _GUESS_FROM_BYTES or high < len(data) * _FOREIGN_SHARE:
        return ""
    sample = data[:_SAMPLE_BYTES]
    runs = _HIGH_RUN.findall(sample)
    pairs = len(runs) >= _MANY_RUNS or high >= len(runs) * _LONG_RUN
    wide = pairs and any(_decodes(sample, codec) for codec in _PAIRED)
    found = from_bytes(sample, cp_isolation=[*_PAIRED, "shift_jis"] if wide else _GUESSABLE).best()
    return (codec_of(found.encoding) or "cp1252") if found else ""


def _decodes(sample: bytes, codec: str) -> bool:
    """Tell whether a codec takes it without error; the last character may be cut."""
    try:
        codecs.getincrementaldecoder(codec)().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _as_declared(data: bytes, codec: str) -> str | None:
    """Decode as the label says; None: the label is wrong."""
    if codec == "cp1252" and not _is_kanji(data):
        return _as_latin(data)
    if _speaks_against(data, codec):
        return None
    if codec in _UNORDERED:
        codec = _ordered(data, codec)
    if codec in _CLAIMED and len(data.translate(None, _NO_LEADS)) >= _PROVING_LEADS and _is_utf8(data):
        return data.decode("utf-8")
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return _mended(data, codec)
    return text if codec == "utf-8" else _scrubbed(text)  # it alone lets no surrogate through


def _speaks_against(data: bytes, codec: str) -> bool:
    """Tell whether the bytes prove that the label is wrong, though they could be decoded by it."""
    if codec.startswith(_WIDE):
        return b"\x00" not in data and _is_utf8(data)
    return _is_kanji(data) and not codec.startswith("iso2022") and keeps_ascii(codec)


def _mended(data: bytes, codec: str) -> str | None:
    """Decode what is not quite what the label says; None: the label is wrong."""
    if codec == "iso2022_jp_ext":
        return _iso_2022_jp(data)
    if codec == "utf-8":
        return _paired(data) or _mostly_utf8(data)
    repaired = data.decode(codec, "replace")
    # A few broken bytes do not make the label wrong.
    return _scrubbed(repaired) if repaired.count("\ufffd") * 10 <= len(repaired) else None


def _as_latin(data: bytes) -> str:
    # Programs that write UTF-8 and declare Latin-1 are common; Latin-1 text that happens to be valid UTF-8 is not.
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _paired(data: bytes) -> str:
    """Decode UTF-8 whose characters beyond the first plane are written as two surrogates (CESU-8); empty: it is not."""
    if b"\xed" not in data:
        return ""
    try:
        return data.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeError:
        return ""


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_kanji(data: bytes) -> bool:
    """Tell whether it is ISO-2022-JP, whatever is declared."""
    return _ESCAPE in data and data.isascii() and bool(_KANJI_IN.search(data))


def _ordered(data: bytes, codec: str) -> str:
    """Tell the byte order of UTF-16 and UTF-32 without mark by where the zeros stand."""
    zeros_first = data[:_SAMPLE_BYTES:2].count(0) > data[1:_SAMPLE_BYTES:2].count(0)
    if codec == "utf-16":
        return "utf-16-be" if zeros_first else "utf-16-le"
    return "utf-32-be" if data.startswith(b"\x00") else "utf-32-le"


def _mostly_utf8(data: bytes) -> str | None:
    """Decode UTF-8 with stray windows-1252 bytes in it, as footers and cut texts have; None: it is something else."""
    text = data.decode("utf-8", "surrogateescape")
    stray = sum(len(run) for run in _STRAY.findall(text))
    multibyte = len(data.translate(None, bytes(range(0xC0)))) - stray
    if stray > multibyte:
        return None
    return _STRAY.sub(lambda run: run[0].encode("utf-8", "surrogateescape").decode("cp1252", "replace"), text)


def _undeclared(data: bytes, codec: str, *, guess: bool) -> str:
    if _is_kanji(data):
        return _iso_2022_jp(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    detected = detected_codec(data) if guess else ""
    if detected:
        return _scrubbed(data.decode(detected, "replace"))
    mixed = None if codec == "utf-8" else _mostly_utf8(data)
    return data.decode("cp1252", "replace") if mixed is None else mixed


def _iso_2022_jp(data: bytes) -> str:
    """Decode what real mailers call ISO-2022-JP: with Microsoft's row 13 and half-width katakana, shifted by escapes.

    Python's codec (RFC 1468) knows neither; the same rows in its EUC-JISX0213 it knows.
    """
    out: list[str] = []
    position, mode = 0, b"\x1b(B"
    for escape in [*islice(_KANJI_IN.finditer(data), _MOST_ESCAPES), None]:
        run = data[position : escape.start() if escape else len(data)]
        if mode.startswith(b"\x1b$"):
            out.append(run.translate(_SHIFTED).decode("euc_jisx0213", "replace"))
        elif mode == b"\x1b(I":
            out.append(run.translate(_SHIFTED).decode("cp932", "replace"))
        else:
            out.append(run.decode("cp1252", "replace"))
        if escape:
            position, mode = escape.end(), escape[0]
    return "".join(out)


def _scrubbed(text: str) -> str:
    """Replace lone surrogates, which some codecs let through and UTF-8 cannot carry."""
    try:
        text.encode()  # a fraction of what a search for them takes
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", text)
    return text
