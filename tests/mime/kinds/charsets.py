"""Texts in every charset under every name for it, under wrong names, and under none."""

# ruff: noqa: RUF001, E501 - words of other scripts look like ours; tables

import codecs
import pkgutil
from base64 import b64encode
from encodings import __path__ as codec_modules
from encodings.aliases import aliases
from pathlib import Path

from kinds.kind import Kind, leaf, mail, tree, whole

_RUSSIAN = "Добрый день, уважаемые коллеги! Собрание начнётся завтра в десять часов."
_JAPANESE = "お世話になっております。明日の会議は十時からです。"
_CHINESE = "尊敬的客户，您的订单已经发货，请注意查收。"
_TAIWANESE = "親愛的顧客，您的訂單已經出貨，請注意查收。"
_KOREAN = "안녕하세요, 내일 회의는 열 시에 시작합니다."
_GREEK = "Καλημέρα, η παραγγελία σας έχει αποσταλεί."
_HEBREW = "שלום, ההזמנה שלך נשלחה."
_ARABIC = "مرحبا، تم شحن طلبك."
_THAI = "สวัสดี คำสั่งซื้อของคุณถูกจัดส่งแล้ว"
_POLISH = "Zażółć gęślą jaźń"
_SPANISH = "Señor Muñoz, ¿qué tal el año?"
_GUESSED = frozenset({"charset_guessed"})

#: Encoding of the WHATWG table -> Python's codec to write it with, and a text that it can say.
_ENCODINGS = {
    "utf-8": ("utf-8", _RUSSIAN),
    "ibm866": ("cp866", "Добрый день"),
    "iso-8859-2": ("iso8859-2", _POLISH),
    "iso-8859-3": ("iso8859-3", "Ĝoja ĥoro"),
    "iso-8859-4": ("iso8859-4", "Ģirts ķēniņš"),
    "iso-8859-5": ("iso8859-5", "Добрый день"),
    "iso-8859-6": ("iso8859-6", "مرحبا"),
    "iso-8859-7": ("iso8859-7", "Καλημέρα σας"),
    "iso-8859-8": ("iso8859-8", "שלום"),
    "iso-8859-8-i": ("iso8859-8", "שלום"),
    "iso-8859-10": ("iso8859-10", "Þórður ŋ"),
    "iso-8859-13": ("iso8859-13", "Ąžuolas ļoti"),
    "iso-8859-14": ("iso8859-14", "Tŷ ŵyneb"),
    "iso-8859-15": ("iso8859-15", "Œuvre 5 €"),
    "iso-8859-16": ("iso8859-16", "Ștefan țară"),
    "koi8-r": ("koi8-r", _RUSSIAN),
    "koi8-u": ("koi8-u", "Доброго дня, її ґанок"),
    "macintosh": ("mac-roman", "Señor Muñoz œ"),
    "windows-874": ("cp874", _THAI),
    "windows-1250": ("cp1250", _POLISH),
    "windows-1251": ("cp1251", _RUSSIAN),
    "windows-1252": ("cp1252", "Señor – 5 €"),
    "windows-1253": ("cp1253", "Καλημέρα σας"),
    "windows-1254": ("cp1254", "ışık ve ğ"),
    "windows-1255": ("cp1255", _HEBREW),
    "windows-1256": ("cp1256", _ARABIC),
    "windows-1257": ("cp1257", "Ąžuolas ļoti"),
    "windows-1258": ("cp1258", "đường"[:1] + "ơng ư"),
    "x-mac-cyrillic": ("mac-cyrillic", "Добрый день"),
    "gbk": ("gbk", _CHINESE),
    "gb18030": ("gb18030", _CHINESE + "㐂"),
    "big5": ("big5", _TAIWANESE),
    "euc-jp": ("euc-jp", _JAPANESE),
    "iso-2022-jp": ("iso2022-jp", _JAPANESE),
    "shift_jis": ("cp932", _JAPANESE + "①"),
    "euc-kr": ("cp949", _KOREAN),
    "utf-16be": ("utf-16-be", _SPANISH),
    "utf-16le": ("utf-16-le", _SPANISH),
}
#: The table gives up on these for fear of scripts; as text they are readable.
_REPLACED = {
    "hz-gb-2312": ("hz", _CHINESE),
    "iso-2022-kr": ("iso2022_kr", _KOREAN),
    "csiso2022kr": ("iso2022_kr", _KOREAN),
}
_SAMPLES = (
    _RUSSIAN,
    _JAPANESE,
    _CHINESE,
    _TAIWANESE,
    _KOREAN,
    _GREEK,
    _HEBREW,
    _ARABIC,
    _THAI,
    _POLISH,
    _SPANISH,
    "Добрый день",
    "Καλημέρα σας",
    "שלום",
    "مرحبا",
    "Ģirts ķēniņš",
    "Tŷ ŵyneb",
    "Ștefan",
    "ışık",
    "Señor",
    "éè",
    "қазақ",
    "Ünïcödé",
    "æøå",
    "plain",
)
#: No charsets; and those that the web, and so mail, understands in its own way: they are tried under WHATWG's names.
_LEFT_OUT = {"idna", "punycode", "undefined", "raw-unicode-escape", "unicode-escape"}


def _texted(name: str, text: str, label: str, data: bytes, *, notes: frozenset[str] | None = frozenset()) -> Kind:
    kind = b"text/plain" + (b'; charset="' + label.encode() + b'"' if label else b"")
    return Kind(name, whole(leaf(b64encode(data), kind, b"Content-Transfer-Encoding: base64")), (text,), notes=notes)


def labels() -> list[Kind]:
    """Every label of the WHATWG table, and every alias that Python knows."""
    kinds = []
    for line in (Path(__file__).parent / "whatwg.txt").read_text("ascii").splitlines():
        encoding, _, names = line.partition(": ")
        for name in names.split():
            told = _ENCODINGS.get(encoding) or _REPLACED.get(name)
            if told:
                only_ascii = "ascii" in name or name == "ansi_x3.4-1968"  # so the text proves the label wrong
                notes = _GUESSED if only_ascii else frozenset()
                kinds.append(_texted(f"whatwg {name}", told[1], name, told[1].encode(told[0]), notes=notes))
    for name in sorted({*aliases, *aliases.values(), *(module.name for module in pkgutil.iter_modules(codec_modules))}):
        for spelling in {name, name.replace("_", "-"), name.upper()}:
            kinds += _known_to_python(spelling)
    return kinds


def _known_to_python(label: str) -> list[Kind]:
    try:
        found = codecs.lookup(label)
        if found.name in _LEFT_OUT or not "a".encode(label):
            return []
    except (LookupError, ValueError, TypeError, AssertionError):
        return []
    for text in _SAMPLES:
        try:
            return [_texted(f"python {label}", text, label, text.encode(label))]
        except UnicodeError:
            continue
    return []


def wrong() -> list[Kind]:
    """Charsets that are not told, or told wrongly."""
    long = {
        "ru": _RUSSIAN * 3,
        "ja": _JAPANESE * 6,
        "zh": _CHINESE * 6,
        "tw": _TAIWANESE * 6,
        "ko": _KOREAN * 6,
        "el": _GREEK * 3,
    }
    undeclared = [
        ("cp1251", "ru"),
        ("koi8-r", "ru"),
        ("gb18030", "zh"),
        ("big5", "tw"),
        ("cp932", "ja"),
        ("euc-jp", "ja"),
        ("euc-kr", "ko"),
        ("cp1253", "el"),
    ]
    kinds = []
    for label in ("", "us-ascii", "unknown-8bit", "x-unknown", "utf-8", "no-such-charset", "x-user-defined"):
        kinds += [
            _texted(
                f"{codec} told {label or 'nothing'}",
                long[language],
                label,
                long[language].encode(codec),
                notes=_GUESSED,
            )
            for codec, language in undeclared
        ]
        kinds += [
            _texted(f"latin told {label or 'nothing'}", _SPANISH, label, _SPANISH.encode("cp1252"), notes=_GUESSED),
            _texted(f"utf-8 told {label or 'nothing'}", _SPANISH, label, _SPANISH.encode(), notes=None),
            _texted(f"bom told {label or 'nothing'}", _SPANISH, label, codecs.BOM_UTF8 + _SPANISH.encode(), notes=None),
            _texted(f"utf-16 bom told {label or 'nothing'}", _SPANISH, label, _SPANISH.encode("utf-16"), notes=None),
            _texted(f"jis told {label or 'nothing'}", _JAPANESE, label, _JAPANESE.encode("iso2022-jp"), notes=None),
        ]
    for label in ("iso-8859-1", "iso-8859-15", "windows-1252", "latin1"):
        kinds.append(_texted(f"utf-8 told {label}", _SPANISH, label, _SPANISH.encode(), notes=None))
    for label in ("utf-16", "utf-16le", "utf-16be", "ucs-2", "unicode", "utf-32", "utf-7", "hz-gb-2312", "iso-2022-kr"):
        kinds.append(_texted(f"ascii told {label}", "Plain words", label, b"Plain words", notes=None))
        kinds.append(_texted(f"utf-8 told {label}", _RUSSIAN, label, _RUSSIAN.encode(), notes=None))
    kinds += [
        _texted(f"{codec} told {label} {'with' if bom else 'without'} mark", _SPANISH, label, bom + _SPANISH.encode(codec))
        for codec, label, marked in (
            ("utf-16-le", "utf-16", codecs.BOM_UTF16_LE), ("utf-16-be", "utf-16", codecs.BOM_UTF16_BE),
            ("utf-16-le", "utf-16le", codecs.BOM_UTF16_LE), ("utf-16-be", "utf-16be", codecs.BOM_UTF16_BE),
            ("utf-32-le", "utf-32", codecs.BOM_UTF32_LE), ("utf-32-be", "utf-32", codecs.BOM_UTF32_BE),
        )
        for bom in (b"", marked)
    ]  # fmt: skip
    kinds += [
        _texted("c1 told iso-8859-1", "“quoted” – 5 €", "iso-8859-1", "“quoted” – 5 €".encode("cp1252")),
        _texted("euro told gb2312", "镕 €5", "gb2312", "镕 €5".encode("gb18030")),
        _texted("utf-7", "Grüße & mehr + 1", "utf-7", b"Gr+APwA3w-e & mehr +- 1"),
        _texted("hz", "中文", "hz-gb-2312", b"~{VPND~}"),
        _texted("half a character at the end", "año", "utf-8", "año ñ".encode()[:-1], notes=None),
        _texted("two charsets in one text", "año and año", "utf-8", "año ".encode() + b"and a\xf1o", notes=None),
        _texted("mostly broken utf-8", "a ñ b", "utf-8", b"a \xf1 b", notes=_GUESSED),
    ]
    return kinds + _pages()


def _pages() -> list[Kind]:
    """HTML that tells its own charset."""
    meta = '<meta charset="{}">'
    equiv = '<meta http-equiv="Content-Type" content="text/html; charset={}">'
    kinds = []
    for label in ("", "unknown-8bit", "us-ascii"):
        for mark in (meta, equiv):
            for codec in ("koi8-r", "windows-1251", "utf-8"):
                page = f"<html><head>{mark.format(codec)}</head><body><p>Добрый день</p></body></html>"
                kind = "text/html" + (f"; charset={label}" if label else "")
                name = f"page {codec} by {mark[6:10]} told {label or 'nothing'}"
                kinds.append(
                    Kind(name, mail(page.encode(codec), f"Content-Type: {kind}".encode()), ("Добрый день",), notes=None)
                )
    page = f"<html><head>{meta.format('utf-8')}</head><body>Добрый день</body></html>"
    return [
        *kinds,
        Kind("header wins over page", mail(page.encode("koi8-r"), b"Content-Type: text/html; charset=koi8-r"),
             ("Добрый день",)),
        Kind("xml declaration", mail('<?xml version="1.0" encoding="windows-1251"?><html><body>Добрый день</body></html>'
             .encode("cp1251"), b"Content-Type: application/xhtml+xml"), ("Добрый день",), notes=None),
        Kind("charset of the other part", whole(tree(b"mixed", leaf("Добрый день".encode("koi8-r"),
             b"text/plain; charset=koi8-r"), leaf("привет".encode("cp1251"), b"text/plain; charset=windows-1251"))),
             ("Добрый день", "привет")),
    ]  # fmt: skip


def kinds() -> list[Kind]:
    """All of them."""
    return [*labels(), *wrong()]
