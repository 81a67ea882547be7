"""Attachments byte for byte, through every transfer encoding."""

import base64
import binascii

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mails import content, file, multipart

from relay.mime import b64, transfer
from relay.mime.transfer import Encoding, PartBody, encoding_named


def _qp(data):
    tokens = [b"%c" % byte if 32 < byte < 127 and byte != ord("=") else b"=%02X" % byte for byte in data]
    return b"=\r\n".join(b"".join(tokens[at : at + 25]) for at in range(0, len(tokens), 25))


def _uu(data):
    return b"".join(binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45))


def body_of(raw, encoding):
    kind = encoding_named(encoding)
    return PartBody(b"before" + raw + b"after", 6, 6 + len(raw), kind)


ENCODINGS = {
    b"base64": base64.encodebytes,
    b"BASE64": lambda data: base64.encodebytes(data).replace(b"\n", b"\r\n"),
    b"quoted-printable": _qp,
    b"binary": bytes,
    b"8bit": bytes,
    b"": bytes,
    b"x-uuencode": lambda data: b"begin 644 f\n" + _uu(data) + b"`\nend\n",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(st.binary(max_size=400))
def test_every_byte_arrives(encoding, data):
    raw = file(
        ENCODINGS[encoding](data), b"application/octet-stream; name=f", b"Content-Transfer-Encoding: " + encoding
    )
    body = content(multipart(b"mixed", raw, boundary=b"a-boundary-of-its-own")).attachments[0].body

    assert data == body.decoded()
    assert base64.b64encode(data) == b"".join(body.base64())


def test_a_file_of_which_every_line_is_padded_is_whole_however_many_there_are():
    """After a thousand lines the rest was left out, and nobody told."""
    data = bytes(range(256)) * 400
    lines = b"\r\n".join(base64.b64encode(data[at : at + 55]) for at in range(0, len(data), 55))
    raw = file(lines, b"application/octet-stream; name=f", b"Content-Transfer-Encoding: base64")
    body = content(multipart(b"mixed", raw)).attachments[0].body
    assert data == body.decoded()
    assert base64.b64encode(data) == b"".join(body.base64())


@pytest.mark.parametrize(
    ("expected", "raw"),
    [
        (b"ABC", b"QUJD"),
        (b"ABC", b"QU\r\nJD\r\n"),
        (b"AB", b"QUI="),
        (b"AB", b"QUI"),
        (b"A", b"QQ"),
        (b"A", b"QQ==\r\n"),
        (b"A", b"QR=="),
        (b"ABCA", b"QUJDQQ"),
        (b"ABC", b"QUJDQ"),
        (b"ABC", b"Q!U#J\xffD"),
        (b"ABC", b"QU JD\t"),
        (b"AB", b"QUI=\r\n\r\n-- \r\nscanned and found clean\r\n"),
        (b"AABC", b"QQ==QUJD"),
        (b"AAB", b"QQ==\r\nQUI=\r\n"),
        (b"\xfb\xff\xfe", b"-__-"),
        (b"", b""),
        (b"", b"===="),
        (b"", b"\r\n"),
    ],
)
def test_base64_as_it_comes(expected, raw):
    body = body_of(raw, "base64")
    assert expected == body.decoded()
    assert base64.b64encode(expected) == b"".join(body.base64())


@given(st.binary(max_size=200))
def test_no_base64_raises(raw):
    body = body_of(raw, "base64")
    assert base64.b64encode(body.decoded()) == b"".join(body.base64())


@pytest.mark.parametrize(
    ("expected", "raw"),
    [
        (b"a=b", b"a=3Db"),
        (b"joined", b"joi=\r\nned"),
        (b"joined", b"joi=\nned"),
        (b"joined", b"joi=\rned"),
        (b"joined\rlines\r", b"joi=\rned\rlines\r"),
        (b"joined", b"joi= \r\nned"),
        (b"joined", b"joi=\t \nned"),
        (b"joined", b"joined="),
        (b"low\xf1er", b"low=f1er"),
        (b"=XY wrong", b"=XY wrong"),
        (b"8bit \xf1", b"8bit \xf1"),
    ],
)
def test_quoted_printable_as_it_comes(expected, raw):
    assert expected == body_of(raw, "quoted-printable").decoded()


@pytest.mark.parametrize(
    ("expected", "raw"),
    [
        (b"Cat", b"begin 644 cat.txt\n#0V%T\n`\nend\n"),
        (b"Cat", b"begin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\n"),
        (b"Cat", b"words before\n\nbegin 644 cat.txt\n#0V%T\n \nend\nwords after"),
        (b"Cat", b"#0V%T\n"),
        (b"Ca\x00", b"begin 644 x\n#0V$\n`\nend"),
        (b"", b"begin 644 x\nend"),
        (b"", b""),
    ],
)
def test_uuencode_as_it_comes(expected, raw):
    assert expected == body_of(raw, "x-uuencode").decoded()


@given(st.binary(max_size=200))
def test_no_transfer_encoding_raises(raw):
    for encoding in Encoding:
        PartBody(raw, 0, len(raw), encoding).base64()


@pytest.mark.parametrize(
    ("expected", "name"),
    [
        (Encoding.BASE64, "base64"),
        (Encoding.BASE64, " Base64 "),
        (Encoding.BASE64, '"base64"'),
        (Encoding.BASE64, "base64 (comment)"),
        (Encoding.QUOTED, "Quoted-Printable;"),
        (Encoding.IDENTITY, "7BIT"),
        (Encoding.IDENTITY, ""),
        (Encoding.UU, "x-uue"),
        (None, "x-yenc"),
    ],
)
def test_the_name_of_an_encoding(expected, name):
    assert expected is encoding_named(name)


_lines = st.lists(
    st.sampled_from([b"QUJDRUZH", b"QUJD", b"QQ==", b"QUI=", b"QR==", b"Q", b"=", b"-", b" ", b"\x00", b"\xff"]),
    max_size=8,
).map(b"".join)


@given(st.lists(_lines | st.just(b"QUJDRUZHSUpL"), max_size=12), st.sampled_from([b"\r\n", b"\n", b"\r", b""]))
@example([b"QUJDRUZH"] * 5 + [b"QQ==", b"", b""], b"\r\n")
@example([b"QUJDRUZH"] * 2 + [b"QQ=="] + [b"QUJDRUZH"], b"\r\n")
def test_the_fast_path_of_base64_is_the_general_path(lines, line_end):
    """What is taken for clean is exactly what a strict decoder takes when the line breaks are gone."""
    raw = line_end.join(lines)
    stripped = raw.translate(None, b"\r\n")
    try:
        strict = binascii.a2b_base64(stripped, strict_mode=True)
    except binascii.Error:
        strict = None
    for size in (24, 96, b64._BLOCK_BYTES):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(b64, "_BLOCK_BYTES", size)
            found = b64.without_breaks(b"..." + raw + b"...", 3, 3 + len(raw))
        assert found is None or base64.b64encode(strict) == b"".join(found)
        even = all(len(line) == len(lines[0]) for line in lines) and len(lines[0]) % 4 == 0 if lines else True
        regular = even and line_end != b"\r" and strict is not None and len(base64.b64encode(strict)) == len(stripped)
        assert found is not None or not regular


def test_what_looks_like_even_lines_is_looked_at_to_the_end():
    """A foreign letter far behind the first line is found, and a padding with more behind it."""
    even = base64.encodebytes(bytes(3_000_000)).replace(b"\n", b"\r\n")
    assert base64.b64encode(bytes(3_000_000)) == b"".join(b64.without_breaks(even, 0, len(even)))
    for at, alien in ((2_000_000, b"!"), (2_000_001, b"-"), (3_999_990, b" "), (1_000_000, b"="), (1_000_000, b"\n")):
        assert b64.without_breaks(even[:at] + alien + even[at + 1 :], 0, len(even)) is None


def test_a_body_does_not_show_itself():
    assert "secret" not in repr(PartBody(b"secret", 0, 6))


def test_many_padded_streams_end():
    assert len(b64.decode(b"QQ==" * 100_000)) >= 1000


@given(
    st.lists(
        st.sampled_from([b"QUJD", b"QQ==", b"a", b"=3D", b"=", b"= ", b"=\t", b"\r", b"\n", b"\r\n", b"\xff"])
    ).map(b"".join),
    st.sampled_from(["base64", "quoted-printable"]),
)
def test_small_blocks_make_no_difference(raw, encoding):
    body = body_of(raw, encoding)
    expected = (body.decoded(), b"".join(body.base64()))
    for size in (12, 36):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transfer, "_BLOCK_BYTES", size)
            patch.setattr(b64, "_BLOCK_BYTES", size)
            assert expected == (body.decoded(), b"".join(body.base64()))


def test_canonical_line_ends_of_an_attached_text_stay():
    raw = multipart(b"mixed", file(b"a\r\nb\r\n\r\n", b"text/plain; name=a.txt"))
    assert b"a\r\nb\r\n\r\n" == content(raw).attachments[0].body.decoded()
