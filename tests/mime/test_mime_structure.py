"""Trees of parts, well-formed and broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mails import BOUNDS, codes, content, file, files, html, mail, multipart, part, text

from relay.config.settings import MimeSettings
from relay.errors import MailRefused
from relay.mime import read, structure

NESTED = multipart(
    b"mixed",
    multipart(b"alternative", text(b"plain"), html(b"<p>rich</p>"), boundary=b"b0-inner"),
    file(b"AAA", b"application/pdf; name=a.pdf"),
)


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r", b"\r\r\n"])
def test_any_line_end_will_do(line_end):
    found = content((b"Subject: s\r\n" + NESTED).replace(b"\r\n", line_end))

    assert "s" == found.subject
    assert "<p>rich</p>" == found.html.strip()
    assert [("a.pdf", b"AAA")] == [(name, data.rstrip(b"\r")) for name, data in files(found)]


@given(
    st.lists(st.sampled_from([b"-", b"--", b"\n--b", b"\n--bound", b"\n", b"x" * 40, b"b"])).map(b"".join),
    st.sampled_from([b"\n--b", b"\n--bound", b"\r--", b"\n--" + b"-" * 30]),
    st.integers(0, 9),
)
def test_the_fast_search_for_a_delimiter_finds_what_any_search_finds(data, needle, start):
    for near in (1, 16, 16384):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(structure, "_NEAR_BYTES", near)
            assert data.find(needle, start) == structure._find(data, start, len(data), needle)


def test_a_boundary_may_begin_like_another():
    inner = multipart(b"alternative", text(b"plain"), html(b"<p>rich</p>"), boundary=b"b0b0")
    found = content(multipart(b"mixed", inner, file(b"AAA", b"application/pdf; name=a.pdf")))

    assert "<p>rich</p>" == found.html
    assert [("a.pdf", b"AAA")] == files(found)


@pytest.mark.parametrize(
    ("expected", "raw"),
    [
        pytest.param("one", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none", id="unclosed"),
        pytest.param("one", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x  \r\n\r\none\r\n--x--", id="padded"),
        pytest.param(
            "one", b'Content-Type: multipart/mixed; boundary="x y"\r\n\r\n--x y\r\n\r\none\r\n--x y--', id="blank"
        ),
        pytest.param(
            "one", b'Content-Type: multipart/mixed; boundary="x "\r\n\r\n--x\r\n\r\none\r\n--x--', id="trailing blank"
        ),
        pytest.param(
            "one", b"Content-Type: multipart/mixed;\r\n\tboundary=x\r\n\r\n--x\r\n\r\none\r\n--x--", id="folded"
        ),
        pytest.param(
            "one",
            b"Content-Type: multipart/mixed; boundary*=us-ascii''x%79\r\n\r\n--xy\r\n\r\none\r\n--xy--",
            id="2231",
        ),
        pytest.param(
            "one",
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\npreamble\r\n--x\r\n\r\none\r\n--x--",
            id="preamble",
        ),
        pytest.param(
            "one",
            b"Content-Type: multipart/mixed\r\n\r\n--z\r\nContent-Type: text/plain\r\n\r\none\r\n--z--",
            id="untold",
        ),
        pytest.param(
            "one",
            b"Content-Type: multipart/mixed; boundary=y\r\n\r\n--z\r\nContent-Type: text/plain\r\n\r\none\r\n--z--",
            id="wrong",
        ),
        pytest.param("one", b"Content-Type: multipart/mixed; boundary=y\r\n\r\none", id="no parts at all"),
        pytest.param(
            "one",
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n--x\r\n\r\none\r\n--x--",
            id="closed early",
        ),
        pytest.param(
            "one",
            b"Content-Type: multipart\r\n\r\n--z\r\nContent-Type: text/plain\r\n\r\none\r\n--z--",
            id="no subtype",
        ),
        pytest.param(
            "one",
            b"Content-Type: multipart/mixed; boundary=x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            b"LS14DQoNCm9uZQ0KLS14LS0=",
            id="encoded",
        ),
        pytest.param(
            "one", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--xx\r\n", id="longer line"
        ),
        pytest.param("one", b"one", id="no header"),
        pytest.param("one", b"\r\none", id="empty header"),
        pytest.param("one", b"From ana@example.org Mon Mar  2 10:00:00 2026\nSubject: s\n\none", id="mbox line"),
        pytest.param("one", b"\r\n\r\nSubject: s\r\n\r\none", id="empty lines first"),
        pytest.param("one", b"Subject: s\r\nno field\r\nTo: a@example.org\r\n\r\none", id="broken fold"),
        pytest.param("one<br> &nbsp;two", b"Subject: s\r\none\r\n two", id="no empty line"),
        pytest.param("one", b"Content-Type: html\r\n\r\none", id="short type"),
        pytest.param("one", b"Content-Type: garbage; ;;\r\n\r\none", id="no type"),
        pytest.param("one", b"Content-Type: text/plain\r\nContent-Type: application/pdf\r\n\r\none", id="two types"),
        pytest.param("", b"", id="nothing"),
        pytest.param("", b"Subject: only a header", id="header only"),
        pytest.param("", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n", id="empty multipart"),
    ],
)
def test_whatever_is_broken_is_read_as_far_as_it_goes(expected, raw):
    found = content(raw)
    words = found.html.partition("<body>")[2].partition("</body>")[0] if "<body>" in found.html else found.html

    assert expected in " ".join(words.split())
    assert () == found.attachments


def test_a_broken_fold_is_not_lost():
    assert "a long subject" == content(b"Subject: a long\r\nsubject\r\nTo: a@example.org\r\n\r\nx").subject


def test_parts_behind_an_inner_multipart_with_the_same_boundary_are_found():
    """Some programs use one boundary at two levels."""
    inner = multipart(b"alternative", text(b"plain"), html(b"<p>rich</p>"))
    found = content(multipart(b"mixed", inner, file(b"AAA", b"application/pdf; name=a.pdf")))

    assert "<p>rich</p>" == found.html.strip()
    assert [("a.pdf", b"AAA")] == files(found)
    assert {"text_alternative_dropped", "structure_repaired"} == codes(found)


def test_an_inner_multipart_that_is_never_closed_keeps_the_files_that_follow():
    parts = [b"Content-Type: multipart/alternative; boundary=b0\r\n\r\npreamble", text(b"plain"), html(b"<p>rich</p>")]
    whole = multipart(b"mixed", *parts, file(b"AAA", b"application/pdf; name=a.pdf"))
    for raw in (whole, whole.removesuffix(b"--b0--\r\n")):
        found = content(raw)

        assert "<p>rich</p>" == found.html.strip()
        assert [("a.pdf", b"AAA")] == [(name, data.strip()) for name, data in files(found)]


@pytest.mark.parametrize("page", [b"<html><p>a:</p>", b"\r\n<!DOCTYPE html>\r\n<p>x", b"<body>x"])
def test_a_multipart_without_parts_that_holds_a_page_is_shown_as_one(page):
    """Scripts declare multipart/alternative and write bare HTML below; people saw its tags."""
    found = content(b"Content-Type: multipart/alternative; boundary=zzz\r\n\r\n" + page)

    assert page.decode().replace("\r\n", "\n").strip() == found.html.strip()
    assert {"structure_repaired"} == codes(found)


def test_a_part_s_last_line_end_belongs_to_the_delimiter():
    found = content(multipart(b"mixed", file(b"AAA\r\n", b"text/plain; name=a"), file(b"", b"text/plain; name=b")))
    assert [("a", b"AAA\r\n"), ("b", b"")] == files(found)


@pytest.mark.parametrize(
    ("expected", "raw"),
    [
        ("structure_repaired", b"Content-Type: multipart/mixed; boundary=y\r\n\r\nno such"),
        ("text_outside_dropped", multipart(b"mixed", text(b"x")) + b"scanned by nobody\r\n"),
        ("encoding_unknown", b"Content-Transfer-Encoding: x-yenc\r\n\r\nx"),
    ],
)
def test_repairs_are_told(expected, raw):
    assert {expected} == codes(content(raw))


def test_what_stands_around_an_inner_multipart_is_nothing_outside():
    assert {"text_alternative_dropped"} == codes(content(NESTED))


def test_a_digest_holds_messages():
    digest = multipart(b"digest", b"\r\nSubject: first\r\n\r\none", b"\r\nSubject: second\r\n\r\ntwo")
    assert ["first.eml", "second.eml"] == [name for name, _ in files(content(digest))]


def refusal(raw, **bounds):
    with pytest.raises(MailRefused) as refused:
        read(raw, BOUNDS.model_copy(update=bounds))
    return str(refused.value.reply)


def nested(depth):
    raw = text(b"deep")
    for level in range(depth):
        raw = multipart(b"mixed", raw, boundary=b"b%d-" % level)
    return raw


def test_bounds_refuse_what_exceeds_them():
    assert "554 5.6.0 The message has more parts than allowed" == refusal(
        multipart(b"mixed", *[text(b"")] * 10), max_parts=10
    )
    assert "554 5.6.0 The parts of the message are nested deeper than allowed" == refusal(nested(10), max_depth=10)
    assert "554 5.6.0 A header of the message is larger than allowed" == refusal(
        b"Subject: " + b"x" * 2000 + b"\r\n\r\n", max_header_bytes=1000
    )
    assert "554 5.6.0 A header of the message is larger than allowed" == refusal(
        b"A: b\r\n" * 200, max_header_bytes=1000
    )
    assert "554 5.6.0 The headers of the message's parts are larger than allowed" == refusal(
        multipart(b"mixed", *[part(b"", b"A: " + b"x" * 900)] * 3), max_header_bytes=1000
    )
    assert "554 5.4.6 Too many hops: the message is going round in a loop" == refusal(
        mail(b"", *[b"Received: x"] * 4), max_received=3
    )


def test_levels_of_one_boundary_are_bounded_too():
    levels = [b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n"] * 20
    assert "nested deeper" in refusal(multipart(b"mixed", *levels), max_depth=10)
    assert "nested deeper" in refusal(multipart(b"mixed", *levels * 20), max_depth=200)


def test_depth_has_an_end_with_the_widest_settings():
    assert "nested deeper" in refusal(nested(300), max_depth=200)


def test_what_stays_within_the_bounds_is_read():
    bounds = MimeSettings(max_parts=11, max_depth=11, max_received=3)
    assert "deep" in read(nested(10), bounds).html
    assert 3 == read(mail(b"", *[b"Received: x"] * 3), bounds).received_count
