"""Mails as hypothesis makes them: well-formed, in many spellings, with everything that they say told beside them."""

import email.policy
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage

from hypothesis import strategies as st

_PRINTED = st.characters(exclude_categories=("C", "Zl", "Zp", "Zs", "M"), exclude_characters="\ufffd")
_WORD = st.text(_PRINTED, min_size=1, max_size=12)
LINES = st.lists(_WORD, min_size=1, max_size=8).map(" ".join)
#: Words that a header's value may be without meaning something else there.
_PHRASES = st.lists(st.from_regex(r"[A-Za-zÀ-ÿа-я文#]{1,12}", fullmatch=True), min_size=1, max_size=6).map(" ".join)
_ADDRESSES = st.from_regex(r"[a-z0-9]{1,10}(\.[a-z0-9]{1,6})?@[a-z]{2,8}\.(example|test)", fullmatch=True)
_NAMES = st.from_regex(r"[A-Za-z0-9ñé€文_-]{1,30}\.(pdf|bin|png|txt|xyz)", fullmatch=True)
_MARK = "###nombre###"


@dataclass(frozen=True, slots=True)
class Made:
    """One mail."""

    raw: bytes
    subject: str
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    lines: tuple[str, ...]  # of the text, or of the page where there is one
    files: tuple[tuple[str, bytes], ...]


@st.composite
def mails(draw) -> Made:
    """Make a mail of text, perhaps a page, and files."""
    subject = draw(_PHRASES) + draw(st.sampled_from(["", f" {_MARK}"]))
    sender = draw(_ADDRESSES)
    everybody = draw(st.lists(_ADDRESSES.filter(sender.__ne__), min_size=1, max_size=6, unique=True))
    cut = draw(st.integers(1, len(everybody)))
    lines = tuple(draw(st.lists(LINES, min_size=1, max_size=6))) + draw(st.sampled_from([(), (_MARK,)]))
    files = draw(st.lists(st.tuples(_NAMES, st.binary(max_size=400)), max_size=3, unique_by=lambda f: f[0].casefold()))
    charset = draw(st.sampled_from(["utf-8", "iso-8859-15", "koi8-r", "gb18030", "utf-8"]))
    text = "".join(f"{line}\n" for line in lines)
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    transfer = draw(st.sampled_from(["base64", "quoted-printable", "8bit"]))
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["Subject"] = subject
    mail["From"] = Address(draw(_PHRASES), addr_spec=sender)
    for field, boxes in (("To", everybody[:cut]), ("Cc", everybody[cut:])):
        if boxes:
            mail[field] = [Address(draw(st.just("") | _PHRASES), addr_spec=box) for box in boxes]
    mail.set_content(text, charset=charset, cte=transfer)
    if draw(st.booleans()):
        page = "".join(f"<p>{_escaped(line)}</p>\n" for line in lines)
        mail.add_alternative(page, subtype="html", charset=charset, cte=transfer)
    for name, data in files:
        mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    for number, part in enumerate(mail.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_boundary {number}")  # else one is made up at random
    return Made(mail.as_bytes(), subject, sender, tuple(everybody[:cut]), tuple(everybody[cut:]), lines, tuple(files))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
