"""On well-formed mail we read what the standard library reads; golden mails never surprise."""

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mails import codes, content

from relay.mime import inline_as_data
from relay.mime.plaintext import text_to_html

GOLDEN = sorted((Path(__file__).parent.parent / "golden").glob("*.eml"))

words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=60).map(
    lambda text: " ".join(text.split()) or "x"
)
bodies = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), min_size=1, max_size=300)
file_names = st.from_regex(r"[A-Za-z0-9ñé€文 ]{1,40}\.[a-z]{3}", fullmatch=True).map(
    lambda name: " ".join(name.split())
)


@given(
    subject=words.filter(lambda text: "=?" not in text),
    text=bodies,
    page=st.none() | bodies,
    files=st.lists(
        st.tuples(file_names, st.binary(max_size=300)), max_size=3, unique_by=lambda file: file[0].casefold()
    ),
    charset=st.sampled_from(["utf-8", "iso-8859-15", "koi8-r", "gb18030", "iso-2022-jp"]),
    transfer=st.sampled_from(["base64", "quoted-printable", "8bit"]),
    line_end=st.sampled_from(["\r\n", "\n"]),
)
def test_what_the_standard_library_writes_is_read_back(subject, text, page, files, charset, transfer, line_end):
    try:
        (text + (page or "")).encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    if charset == "iso-2022-jp" and transfer == "8bit":
        transfer = "7bit"
    message = EmailMessage(policy=email.policy.SMTP.clone(linesep=line_end))
    message["Subject"] = subject
    message["From"] = "Ana <ana@example.org>"
    message.set_content(text, charset=charset, cte=transfer)
    if page is not None:
        message.add_alternative(page, subtype="html", charset=charset, cte=transfer)
    for name, data in files:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    raw = message.as_bytes()
    found = content(raw)
    theirs = email.message_from_bytes(raw, policy=email.policy.default)

    assert str(theirs["subject"]).split() == found.subject.split()
    assert files == [(entry.name, entry.body.decoded()) for entry in found.attachments]
    chosen = theirs.get_body(("html", "plain"))
    assert chosen is not None
    expected = str(chosen.get_content()).replace("\r\n", "\n")  # in base64 line ends stay as they were
    if page is None or not page.strip():
        assert text_to_html(expected).rstrip("\n") in found.html or not expected.strip()
    elif found.html != expected.rstrip("\n") + "\n":
        assert expected.strip() == found.html.strip()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_mail_is_read_whole(path):
    """Every file of the mail arrives, and every text is readable."""
    raw = path.read_bytes()
    found = content(raw)
    shown = inline_as_data(found.html, found.inline_images)

    assert "\ufffd" not in shown + found.subject + "".join(entry.name for entry in found.attachments)
    # A style sheet travels as a file, and no picture is made of a word.
    assert "image_missing" in codes(found) or not re.search(r"(?:src|background)=[\"']?cid:|url\([\"']?cid:", shown)
    theirs = email.message_from_bytes(raw, policy=email.policy.compat32)
    no_files = ("multipart", "text", "message", "plain")  # plain/text is what some write for text/plain
    leaves = [leaf for leaf in theirs.walk() if leaf.get_content_maintype() not in no_files]
    leaves = [leaf for leaf in leaves if leaf.get_content_type() != "application/xhtml+xml"]
    inner = [leaf for outer in theirs.walk() if outer.get_content_type() == "message/rfc822" for leaf in outer.walk()]
    payloads = {leaf.get_payload(decode=True) for leaf in leaves if leaf not in inner}
    forks = {leaf.get_payload(decode=True) for leaf in leaves if leaf.get_content_type() == "application/applefile"}
    uuencoded = any(leaf.get("content-transfer-encoding") == "x-uuencode" for leaf in leaves)
    ours = {entry.body.decoded() for entry in (*found.attachments, *found.inline_images)}
    assert uuencoded or payloads - forks <= ours


def test_every_golden_mail_says_who_sends_such():
    assert len(GOLDEN) >= 150
    untold = [
        path.stem for path in GOLDEN if not path.stem.startswith("gw-") and not path.with_suffix(".txt").read_text()
    ]
    assert [] == untold
