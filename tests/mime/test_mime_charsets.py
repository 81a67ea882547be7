"""Bytes to text by declared, wrong and missing charsets."""

# ruff: noqa: RUF001 - words of other scripts look like ours

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.mime.charset import decode
from relay.mime.labels import codec_of

RUSSIAN = "Уважаемые коллеги, завтра собрание начнётся в десять часов утра в большом зале. " * 3
CHINESE = "尊敬的客户，您的订单已经发货，请注意查收。感谢您的支持。" * 5
GREEK = "Καλημέρα σας, η παραγγελία σας έχει αποσταλεί σήμερα το πρωί. " * 3


@pytest.mark.parametrize(
    ("expected", "data", "label"),
    [
        ("ascii", b"ascii", ""),
        ("ascii", b"ascii", "utf-8"),
        ("ñ", "ñ".encode(), "utf-8"),
        ("ñ", "ñ".encode(), "UTF8"),
        ("ñ", "ñ".encode(), '"utf-8"'),
        ("ñ", b"\xf1", "iso-8859-1"),
        ("“€”", b"\x93\x80\x94", "iso-8859-1"),
        ("“€”", b"\x93\x80\x94", "us-ascii"),
        ("€", b"\xa4", "iso-8859-15"),
        ("ñ", "ñ".encode(), "us-ascii"),
        ("ñ", "ñ".encode(), "iso-8859-1"),
        ("ñ", "ñ".encode(), ""),
        ("ñ", b"\xf1", ""),
        ("ñ", b"\xf1", "utf-8"),
        ("ñ", b"\xf1", "no-such-charset"),
        ("caña", b"ca\xf1a", "unknown-8bit"),
        ("ñ", codecs.BOM_UTF8 + "ñ".encode(), "iso-8859-1"),
        ("ñ", codecs.BOM_UTF16_LE + "ñ".encode("utf-16-le"), ""),
        ("ñ", codecs.BOM_UTF16_BE + "ñ".encode("utf-16-be"), "utf-16"),
        ("ñ", codecs.BOM_UTF32_LE + "ñ".encode("utf-32-le"), "utf-32"),
        ("plain", b"plain", "utf-16"),
        ("中文", "中文".encode("gbk"), "gb2312"),
        ("镕", "镕".encode("gb18030"), "gb2312"),
        ("안녕", "안녕".encode("cp949"), "ks_c_5601-1987"),
        ("똠", "똠".encode("cp949"), "euc-kr"),
        ("日本", "日本".encode("cp932"), "x-sjis"),
        ("①", "①".encode("cp932"), "Shift_JIS"),
        ("香港", "香港".encode("big5"), "x-x-big5"),
        ("日本語", b"\x1b$BF|K\\8l\x1b(B", "iso-2022-jp"),
        ("日本語", b"\x1b$BF|K\\8l\x1b(B", ""),
        ("①㈱ a", b"\x1b$B-!-j\x1b(B a", "iso-2022-jp"),
        ("ｶﾅ", b"\x1b(I6E\x1b(B", "iso-2022-jp"),
        ("Grüße", b"Gr+APwA3w-e", "utf-7"),
        ("Grüße", b"Gr+APwA3w-e", "unicode-1-1-utf-7"),
        ("привет", "привет".encode("koi8-r"), "koi8-r"),
        ("ไทย", "ไทย".encode("cp874"), "tis-620"),
        ("ışık", "ışık".encode("cp1254"), "iso-8859-9"),
        ("שלום", "שלום".encode("cp1255"), "windows-1255"),
        ("שלום", "שלום".encode("iso8859-8"), "iso-8859-8-i"),
        ("é", b"\x8e", "macintosh"),
        ("é", b"\x82", "cp850"),
        ("Ж", b"\xc6", "windows1251"),
        ("Ж", b"\xc6", "win-1251"),
        ("Ж", b"\xc6", "cp-1251"),
        ("Ж", b"\xf6", "koi8r"),
        ("Ж", b"\x86", "dos-866"),
        ("①", "①".encode("cp932"), "SJIS-win"),
        ("①日", b"\xad\xa1\xc6\xfc", "eucJP-ms"),
        ("①日", b"\xad\xa1\xc6\xfc", "cp51932"),
        ("ا", b"\xc7", "iso-8859-6-i"),
        ("€", b"\xa4", "latin-9"),
        (RUSSIAN, RUSSIAN.encode("cp1251"), ""),
        (RUSSIAN, RUSSIAN.encode("cp1251"), "utf-8"),
        (CHINESE, CHINESE.encode("gb18030"), ""),
        (GREEK, GREEK.encode("cp1253"), "x-unknown"),
    ],
)
def test_text_by_its_charset(expected, data, label):
    assert expected == decode(data, label)[0]


def test_utf8_with_a_stray_byte_is_still_utf8():
    """A footer in another charset, glued on by a mailing list, must not turn the whole mail to rubbish."""
    assert "Peña, Íñigo — ñ" == decode("Peña, Íñigo — ".encode() + b"\xf1", "utf-8")[0]


def test_a_few_broken_bytes_do_not_make_the_label_wrong():
    text = "日本語の文章です。" * 10
    assert decode(text.encode("euc_jp") + b"\xff", "euc-jp")[0].startswith(text)


@pytest.mark.parametrize(
    ("as_declared", "data", "label"),
    [
        (True, b"plain", ""),
        (True, b"plain", "us-ascii"),
        (True, "ñ".encode(), "utf-8"),
        (False, "ñ".encode(), ""),
        (False, b"\xf1", "utf-8"),
        (False, b"\xf1", "klingon"),
        (False, b"plain", "klingon"),
    ],
)
def test_it_is_told_whether_the_label_was_right(as_declared, data, label):
    assert as_declared == decode(data, label)[1]


@pytest.mark.parametrize(
    "label",
    ["idna", "punycode", "undefined", "unicode_escape", "hex", "rot13", "base64", "zlib", "", "\x00", "é" * 50, "--"],
)
def test_what_is_no_charset_is_not_taken_for_one(label):
    assert codec_of(label) in ("", "utf-8")
    assert "x\\u0041" == decode(b"x\\u0041", label)[0]


@given(
    st.binary(max_size=400),
    st.sampled_from(["", "utf-8", "utf-7", "utf-16", "iso-2022-jp", "hz-gb-2312", "gb2312", "big5", "x"]),
)
def test_some_text_always_comes_out_that_utf8_can_carry(data, label):
    decode(data, label)[0].encode("utf-8")


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_utf8_survives_under_its_own_name(text):
    assert text.removeprefix("\ufeff") == decode(text.encode(), "utf-8")[0].removeprefix("\ufeff")
