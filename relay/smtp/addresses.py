"""Paths and addresses as MAIL and RCPT carry them (RFC 5321 §4.1.2): found and cleaned. Pure."""

import re

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_BRACKETED = re.compile(rf'<((?:{_QUOTED}|[^"<>])*)>')
_BARE = re.compile(rf'((?:{_QUOTED}|[^"<>\s])+)')  # old printers leave the brackets out
_SOURCE_ROUTE = re.compile(r"@[^:@]+(?:,@[^:@]+)*:")  # RFC 5321 appendix C: to be accepted and ignored


def split_path(text: str) -> tuple[str, str] | None:
    """Split off the address in or without brackets; None: there is none. Returns it and the text behind it."""
    match = _BRACKETED.match(text) or _BARE.match(text)
    if match is None:
        return None
    rest = text[match.end() :]
    if rest and not rest[0].isspace():
        return None
    path = match[1].strip()
    return _SOURCE_ROUTE.sub("", path, count=1) if path.startswith("@") else path, rest
