"""Images that the HTML shows by their Content-Location (RFC 2557): such references are rewritten to cid: addresses.

Both sides may be relative: to what the HTML says, to the Content-Base that older programs write (RFC 2110), or to the
location of the HTML or of the multipart around it.
"""

import re
from collections.abc import Iterable, Mapping
from html import escape, unescape
from urllib.parse import quote, unquote, urljoin

from relay.mime import words
from relay.mime.header import Header

_LOCATED = re.compile(
    r"((?:\bsrc|\bbackground|\bposter)\s*=\s*)(?:\"([^\"<>]*+)\"|'([^'<>]*+)'|([^\"'\s<>][^\s<>]*+))"
    r"|(\burl\(\s*[\"']?)([^\"')<>]*+)",
    re.IGNORECASE,
)
_BASE = re.compile(r"<base\b[^<>]*?\bhref\s*=\s*[\"']?([^\"'\s<>]+)", re.IGNORECASE)
_BASE_CHARS = 65536  # it stands in the head
_FEW_NAMES = 8
#: Where nothing tells a base, so that "./a.gif" and "a.gif" are one.
_NOWHERE = "http://thismessage.invalid/"


def told_base(header: Header) -> str:
    """Return the base that a part's header tells; empty: none."""
    return next(filter(None, (_value(header, name) for name in ("content-base", "content-location"))), "")


def locations_of(header: Header, base: str) -> set[str]:
    """Return every spelling of a part's location: as it is written, unfolded, absolute; none: it has none.

    Args:
        header: Of the part.
        base: Of the mail, where the part tells none itself.
    """
    written = _value(header, "content-location")
    if not written:
        return set()
    # Long addresses are folded: the blanks mean nothing (RFC 2557 section 4.4.1). Unless somebody means them.
    unfolded = "".join(written.split())
    return {written, unfolded, _absolute(_value(header, "content-base") or base, unfolded)}


def base_of(html: str, told: Iterable[str]) -> str:
    """Return what addresses in the HTML are relative to: what it says itself, else the first that is told."""
    said = _BASE.search(html, 0, _BASE_CHARS)
    return next(filter(None, (said[1] if said else "", *told)), "")


def relocated(html: str, locations: Mapping[str, str], base: str) -> str:
    """Rewrite references by Content-Location to cid: addresses.

    Args:
        html: The document.
        locations: Spellings of a location, see `locations_of` -> Content-ID.
        base: What addresses in the document are relative to.
    """
    names = {name for location in locations for name in _last_names(location)}
    if len(names) <= _FEW_NAMES and not any(name in html for name in names):
        return html  # else to look for each would cost more than to look once for all
    wanted = {unquote(location): content_id for location, content_id in locations.items()}

    def rewritten(found: re.Match[str]) -> str:
        address = unescape(next(group for group in found.group(2, 3, 4, 6) if group is not None)).strip()
        content_id = wanted.get(unquote(address)) or wanted.get(unquote(_absolute(base, address)))
        if content_id is None:
            return found[0]
        return f"{found[5]}cid:{content_id}" if found[5] else f'{found[1]}"cid:{escape(content_id)}"'

    return _LOCATED.sub(rewritten, html)


def _last_names(location: str) -> set[str]:
    """Spell the end of an address in every way that HTML may write it."""
    name = unquote(location).rpartition("/")[2]
    return {name, escape(name), quote(name)} if name else {location}


def _absolute(base: str, address: str) -> str:
    try:
        return urljoin(urljoin(_NOWHERE, base), address)
    except ValueError:  # no address at all, such as "http://["
        return address


def _value(header: Header, name: str) -> str:
    raw = header.first(name)
    return words.unstructured(raw).strip('"<> ') if raw else ""
