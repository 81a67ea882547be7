"""Header text: folded, encoded, raw, broken."""

import base64
from email.header import Header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.mime.words import unstructured

#: What a header can say in one clean line: no controls, no lone surrogates, no blanks at the ends.
lines = (
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=120)
    .map(str.strip)
    .filter(lambda text: "=?" not in text)
)


@pytest.mark.parametrize(
    ("expected", "raw"),
    [
        ("plain", b"plain"),
        ("folded over lines", b"folded\r\n over\r\n\tlines"),
        ("café", b"=?iso-8859-1?Q?caf=E9?="),
        ("café", b"=?ISO-8859-1*fr?q?caf=E9?="),
        ("a b", b"=?utf-8?Q?a_b?="),
        ("two words", b"=?utf-8?Q?two?= =?utf-8?Q?_words?="),
        ("two words", b"=?utf-8?Q?two?=\r\n =?utf-8?B?IHdvcmRz?="),
        ("word text", b"=?utf-8?Q?word?= text"),
        ("text word", b"text =?utf-8?Q?word?="),
        ("glued", b"gl=?utf-8?Q?ue?=d"),
        ("ñ", b"=?utf-8?Q?=C3?= =?utf-8?Q?=B1?="),
        ("ñ", b"=?utf-8?B?ww==?= =?utf-8?Q?=B1?="),
        ("文字", b"=?utf-8?B?5paH5?=\r\n =?utf-8?B?a2X?="),
        ("文字", b"=?utf-8?B?5paH5a2X?="),
        ("日本語", b"=?ISO-2022-JP?B?GyRCRnxLXDhsGyhC?="),
        ("①㈱", b"=?iso-2022-jp?B?GyRCLSEtahsoQg==?="),
        ("Привет", b"=?koi8-r?B?8NLJ18XU?="),
        ("안녕", b"=?ks_c_5601-1987?B?vsiz5w==?="),
        ("中文", b"=?gb2312?B?1tDOxA==?="),
        ("€", b"=?iso-8859-1?Q?=80?="),
        ("ñandú", "ñandú".encode()),
        ("ñandú", "ñandú".encode("cp1252")),
        ("ñ and é", b"\xf1 and =?utf-8?Q?=C3=A9?="),
        ("with blanks inside", b"=?utf-8?Q?with blanks inside?="),
        ("why?", b"=?utf-8?Q?why??="),
        ("ñ", b"=?x-unknown?Q?=C3=B1?="),
        ("ñ", b"=?x-unknown?Q?=F1?="),
        ("=?utf-8?Q?open", b"=?utf-8?Q?open"),
        ("=?utf-8?X?what?=", b"=?utf-8?X?what?="),
        ("", b"=?utf-8?Q??="),
        ("unpadded", b"=?utf-8?B?dW5wYWRkZWQ?="),
        ("a b", b"a\x00\x1b \x07b"),
        ("injected Bcc: evil@example.org", b"=?utf-8?Q?injected=0D=0ABcc:_evil@example.org?="),
        ("a b", b"=?utf-8?Q?a=E2=80=A8b?="),
    ],
)
def test_text_of_a_header(expected, raw):
    assert expected == unstructured(raw)


@given(lines, st.sampled_from(["utf-8", "iso-2022-jp", "gb18030", "koi8-r", "iso-8859-15", "big5"]))
def test_a_subject_comes_back_as_the_standard_library_wrote_it(text, charset):
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    raw = Header(text, charset).encode().encode("ascii", "surrogateescape")

    assert " ".join(text.split()) == " ".join(unstructured(raw).split())


@given(lines, st.integers(1, 45))
def test_a_subject_survives_words_that_split_characters(text, length):
    data = text.encode()
    pieces = [data[at : at + length] for at in range(0, len(data), length)]
    raw = b"\r\n ".join(b"=?utf-8?B?" + base64.b64encode(piece) + b"?=" for piece in pieces)

    assert text.removeprefix("\ufeff").strip() == unstructured(raw)  # a byte order mark says nothing


@given(lines)
def test_a_raw_utf8_subject_survives(text):
    assert text == unstructured(text.encode())


@given(st.binary(max_size=300))
def test_no_control_character_ever_comes_out(raw):
    text = unstructured(b"=?utf-8?B?" + base64.b64encode(raw) + b"?= " + raw)

    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 or letter in "\u2028\u2029" for letter in text)
    text.encode()  # no lone surrogates either
