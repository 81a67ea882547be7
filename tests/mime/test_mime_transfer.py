"""Attachments byte for byte, through every transfer encoding."""

import base64
import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mails import content, file, multipart

from relay.mime import transfer
from relay.mime.transfer import Encoding, PartBody, decode_base64, encoding_named


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
    assert len(data) == body.size
    assert base64.b64encode(data) == body.base64()


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
    assert len(expected) == body.size
    assert base64.b64encode(expected) == body.base64()


@given(st.binary(max_size=200))
def test_no_base64_raises(raw):
    body = body_of(raw, "base64")
    assert base64.b64encode(body.decoded()) == body.base64()
    assert len(body.decoded()) == body.size


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


def test_clean_base64_passes_through_undecoded():
    """The text that came is the text that goes, whatever it means."""
    assert base64.b64encode(b"x" * 99) == body_of(base64.encodebytes(b"x" * 99), "base64").base64()


def test_a_body_does_not_show_itself():
    assert "secret" not in repr(PartBody(b"secret", 0, 6))


def test_many_padded_streams_end():
    assert len(decode_base64(b"QQ==" * 100_000)) >= 1000


@given(
    st.lists(
        st.sampled_from([b"QUJD", b"QQ==", b"a", b"=3D", b"=", b"= ", b"=\t", b"\r", b"\n", b"\r\n", b"\xff"])
    ).map(b"".join),
    st.sampled_from(["base64", "quoted-printable"]),
)
def test_small_blocks_make_no_difference(raw, encoding):
    body = body_of(raw, encoding)
    expected = (body.decoded(), body.base64(), body.size)
    for size in (1, 3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transfer, "_BLOCK_BYTES", size)
            assert expected == (body.decoded(), body.base64(), body.size)


def test_canonical_line_ends_of_an_attached_text_stay():
    raw = multipart(b"mixed", file(b"a\r\nb\r\n\r\n", b"text/plain; name=a.txt"))
    assert b"a\r\nb\r\n\r\n" == content(raw).attachments[0].body.decoded()
