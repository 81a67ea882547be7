"""What a text must be before it goes into a field that becomes a header of a mail."""

import unicodedata

from relay.message import domain_key


def one_line(text: str) -> str:
    """Take out whatever could end a header line: the API makes headers of what it is given."""
    if text.isprintable():
        return text
    return "".join(" " if _breaks(letter) else letter for letter in text)


def _breaks(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Zl", "Zp", "Cs"}


def wire_address(email: str) -> str:
    """Write an address as the APIs take it: an IDN as A-labels, which every validator knows; all else as it is.

    A local part beyond ASCII (RFC 6531) has no other form and stays.
    """
    if email.isascii():
        return email
    local, at, domain = email.rpartition("@")
    return email if domain.isascii() else f"{local}{at}{domain_key(domain)}"


def subject_or(placeholder: str, subject: str) -> str:
    """Return a subject as one line; a blank one is replaced by the placeholder."""
    return one_line(placeholder if is_blank(subject) else subject)


def is_blank(text: str) -> bool:
    """Tell whether nothing of a text would stand in a header."""
    return not one_line(text).strip()


def shortened(name: str, limit: int) -> str:
    """Cut a file name to so many characters at its stem, so that the extension still tells what it is."""
    if len(name) <= limit:
        return name
    stem, dot, extension = name.rpartition(".")
    if not (dot and stem) or len(extension) + 2 > limit:
        return name[:limit]
    return stem[: limit - len(extension) - 1] + dot + extension
