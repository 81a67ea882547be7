"""Thousands of mails of every kind come through whole; mutated ones are read to the end, and keep their files."""

import base64
import contextlib
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds import addresses, charsets, combined, headers, meanings, structures, transfers
from kinds.kind import BOUNDS, faults, leaf, pdf, tree, whole

from relay.errors import MailRefused
from relay.mime import inline_as_data, read

FAMILIES = {
    module.__name__.rpartition(".")[2]: module.kinds()
    for module in (structures, transfers, meanings, charsets, headers, addresses, combined)
}
SMALL = [kind.raw for kinds in FAMILIES.values() for kind in kinds if len(kind.raw) < 10_000]
PIECES = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\x00",
    b"\xff",
    b"--b",
    b"--b--",
    b"=",
    b'"',
    b"<",
    b">",
    b"?=",
    b"=?utf-8?Q?",
    b":",
    b";",
]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_kind_comes_through_whole(family):
    wrong = {kind.name: found for kind in FAMILIES[family] if (found := faults(kind))}

    assert {} == dict(islice(wrong.items(), 20))


@st.composite
def mutations(draw, raw):
    """Change a mail in a few places: cut, repeat, move, overwrite, insert."""
    for _ in range(draw(st.integers(1, 4))):
        start, end = sorted((draw(st.integers(0, len(raw))), draw(st.integers(0, len(raw)))))
        piece = raw[start:end]
        match draw(st.integers(0, 4)):
            case 0:
                raw = raw[:start] + raw[end:]
            case 1:
                raw = raw[:end] + piece[:2000] + raw[end:]
            case 2:
                raw = piece + raw[:start] + raw[end:]
            case 3:
                raw = raw[:start] + draw(st.binary(max_size=20)) + raw[start:]
            case _:
                raw = raw[:start] + draw(st.sampled_from(PIECES)) + raw[start:]
    return raw


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SMALL).flatmap(mutations))
def test_a_mutated_mail_is_read_or_refused(raw):
    with contextlib.suppress(MailRefused):
        found = read(raw, BOUNDS)
        inline_as_data(found.html, found.inline_images).encode()
        for entry in (*found.attachments, *found.inline_images):
            assert entry.name
            assert base64.b64encode(entry.body.decoded()) == b"".join(entry.body.base64())
        for line in (found.subject, found.message_id, *(box.name for box in (*found.to, *found.cc))):
            assert not set(line) & set("\r\n\x00")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200).flatmap(mutations), st.sampled_from([b"text/plain", b"text/html", b"message/rfc822"]))
def test_what_is_wrong_with_one_part_does_not_touch_the_files_beside_it(body, kind):
    boundary = b"=_a boundary that no mutation writes"
    found = read(whole(tree(b"mixed", pdf(b"x.pdf"), leaf(body, kind), pdf(b"y.pdf"), boundary=boundary)), BOUNDS)

    files = [(entry.name, entry.body.decoded()) for entry in found.attachments if entry.name in ("x.pdf", "y.pdf")]
    assert [("x.pdf", b"%PDF-1.4\n"), ("y.pdf", b"%PDF-1.4\n")] == files


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.data())
def test_files_survive_whatever_stands_in_the_header_of_the_mail(files, data):
    """However broken From, Subject and the like are: only Content-Type and the empty line hold the tree."""
    parts = [
        leaf(body, b"application/octet-stream; name=f%d.bin" % number, b"Content-Transfer-Encoding: binary")
        for number, body in enumerate(files)
    ]
    boundary = b"=_a boundary that no mutation writes"
    field = data.draw(mutations(b'From: =?utf-8?Q?Jos=C3=A9?= <jose@example.org>, (a (b)), "c" <d@e>; f:g@h;'))
    broken = field.replace(b"\r", b"").replace(b"\n", b"")
    found = read(b"Subject: " + broken + b"\r\n" + tree(b"mixed", *parts, boundary=boundary), BOUNDS)

    assert files == [entry.body.decoded() for entry in found.attachments]


def test_kinds_have_names_of_their_own():
    for kinds in FAMILIES.values():
        names = [kind.name for kind in kinds]
        assert len(set(names)) == len(names), {name for name in names if names.count(name) > 1}
