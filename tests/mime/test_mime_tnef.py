"""winmail.dat: opened where that is asked for; another program is asked whether it finds the same files in it."""

import base64
import subprocess
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mails import BOUNDS, codes, files, multipart, part, text
from winmail import (
    CONTENT_ID,
    HTML,
    HTML_CODE_PAGE,
    LONG_NAME,
    METHOD,
    MIME_TAG,
    OBJECT,
    RTF,
    TEXT,
    attribute,
    binary,
    file,
    named,
    number,
    properties,
    several,
    string,
    winmail,
)

from relay.mime import read
from relay.mime.tnef import opened

PDF = b"%PDF-1.4\n\0\0"
REPORT = file(b"REPORT~1.PDF", PDF, string(LONG_NAME, "Report März.pdf"), string(MIME_TAG, "application/pdf"))
PICTURE = file(b"a.png", b"\x89PNG", string(CONTENT_ID, "i@x"), named("add-in"), several(0x3900, ["a", "bc"]))
ORDINARY = winmail(
    properties(binary(RTF, b"compressed"), number(HTML_CODE_PAGE, 65001), named("x"), message=True), REPORT, PICTURE
)


def mail(packed, *others, kind=b"application/ms-tnef; name=winmail.dat"):
    body = part(base64.encodebytes(packed), b"Content-Type: " + kind, b"Content-Transfer-Encoding: base64")
    return multipart(b"mixed", *others, body)


def unpacked(packed, *others, **options):
    return read(mail(packed, *others, **options), BOUNDS, open_tnef=True)


def test_files_take_the_place_of_the_winmail_dat():
    found = unpacked(ORDINARY, text(b"See the report."))
    assert [("Report März.pdf", PDF), ("a.png", b"\x89PNG")] == files(found)
    assert ["application/pdf", "image/png"] == [entry.media_type for entry in found.attachments]
    assert {"tnef_opened"} == codes(found)
    assert "See the report." in found.html


def test_it_stays_closed_unless_the_account_asks():
    found = read(mail(ORDINARY, text(b"See the report.")), BOUNDS)
    assert ([("winmail.dat", ORDINARY)], {"tnef_as_attachment"}) == (files(found), codes(found))


def test_another_program_finds_the_same_files(tmp_path):
    """The writer of these tests would otherwise prove only that it agrees with the reader."""
    (tmp_path / "winmail.dat").write_bytes(ORDINARY)
    subprocess.run(["tnef", "winmail.dat"], cwd=tmp_path, check=True, capture_output=True)
    others = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != "winmail.dat"}
    inner = opened(ORDINARY, 100)
    assert inner is not None
    assert others == {each.name: each.body.decoded() for each in inner.files}


@pytest.mark.parametrize(
    ("expected", "attributes"),
    [
        ("<p>rich</p>", [properties(binary(HTML, b"<p>rich</p>\0"), string(TEXT, "plain"), message=True)]),
        ("<p>año</p>", [properties(number(HTML_CODE_PAGE, 65001), binary(HTML, "<p>año</p>".encode()), message=True)]),
        ("<p>año</p>", [properties(binary(HTML, b"<p>a\xf1o</p>"), number(HTML_CODE_PAGE, 28591), message=True)]),
        ("<p>да</p>", [properties(number(HTML_CODE_PAGE, 20866), binary(HTML, b"<p>\xc4\xc1</p>"), message=True)]),
        ("año", [properties(string(TEXT, "año"), message=True)]),
        ("a&lt;o", [attribute(1, 0x0002800C, b"a<o\0")]),
        ("año", [attribute(1, 0x0002800C, b"a\xf1o\0")]),
    ],
)
def test_its_text_is_shown_where_the_mail_has_none(expected, attributes):
    found = unpacked(winmail(*attributes, REPORT))
    assert expected in found.html
    assert ([("Report März.pdf", PDF)], {"tnef_opened"}) == (files(found), codes(found))


def test_its_text_is_not_shown_below_that_of_the_mail():
    found = unpacked(winmail(attribute(1, 0x0002800C, b"again"), REPORT), text(b"once"))
    assert "once" in found.html
    assert "again" not in found.html


def test_a_picture_in_it_is_shown_where_the_html_says():
    page = properties(binary(HTML, b'<img src="cid:i@x">'), message=True)
    found = unpacked(winmail(page, PICTURE))
    assert (["i@x"], []) == ([image.content_id for image in found.inline_images], files(found))


@pytest.mark.parametrize(
    "packed",
    [
        winmail(REPORT, message_class=b"IPM.Schedule.Meeting.Request"),
        winmail(REPORT, file(b"mail", b"", number(METHOD, 5), binary(OBJECT, b"inner", 0x0D))),
        winmail(REPORT, file(b"sheet", b"", number(METHOD, 6), binary(OBJECT, b"ole"))),
    ],
)
def test_what_no_mail_has_a_form_for_keeps_the_file(packed):
    found = unpacked(packed, text(b"words"))
    assert [("Report März.pdf", PDF), ("winmail.dat", packed)] == files(found)
    assert {"tnef_opened", "tnef_as_attachment"} == codes(found)


def test_a_text_in_rtf_alone_keeps_the_file():
    packed = winmail(properties(binary(RTF, b"compressed"), message=True))
    assert [("winmail.dat", packed)] == files(unpacked(packed))


def test_it_is_known_by_its_name_where_a_gateway_forgot_the_type():
    found = unpacked(ORDINARY, kind=b"application/octet-stream; name=WINMAIL.DAT")
    assert ["Report März.pdf", "a.png", "WINMAIL.DAT"] == [name for name, _ in files(found)]


def test_data_of_a_file_may_stand_in_its_properties():
    begin = attribute(2, 0x00069002, bytes(14))
    packed = winmail(begin + properties(string(LONG_NAME, "a.bin"), binary(OBJECT, b"x\0")))
    assert [("a.bin", b"x\0")] == files(unpacked(packed, text(b"words")))


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"no TNEF",
        ORDINARY[:-1],
        ORDINARY + b"\1",
        ORDINARY.replace(b"REPORT~1.PDF", b"REPORT~1.PDF and more"),
        winmail(properties(pack("<HH", 0x77, 0x3000), message=True)),
        winmail(*[file(b"f", b"") for _ in range(BOUNDS.max_parts + 1)]),
        winmail(*[attribute(1, 0x00068006, b"")] * 60_000),
        winmail(attribute(1, 0x00069003, pack("<IHHI", 0xFFFFFFFF, 0x1001, 0x3000, 0xFFFFFFFF) + bytes(8))),
    ],
)
def test_what_is_damaged_or_hostile_stays_closed(damaged):
    """Twenty-one such bytes kept a library that was tried busy for an hour."""
    found = unpacked(damaged, text(b"words"))
    assert ([("winmail.dat", damaged)], {"tnef_as_attachment"}) == (files(found), codes(found))


@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), st.binary(max_size=200)), max_size=5), st.data())
def test_bytes_come_out_as_they_went_in_or_it_stays_closed(given_files, data):
    packed = winmail(*(file(b"x", body, string(LONG_NAME, name)) for name, body in given_files))
    inner = opened(packed, 100)
    assert inner is not None
    assert [body for _, body in given_files] == [each.body.decoded() for each in inner.files]
    at = data.draw(st.integers(0, len(packed) - 1))
    opened(packed[:at] + data.draw(st.binary(max_size=8)) + packed[at + 1 :], 100)
