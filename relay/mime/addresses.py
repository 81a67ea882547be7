"""Address lists as people and programs write them (RFC 5322 §3.4, RFC 6532, and much that no RFC allows).

Read generously: groups, comments, route addresses, quoted local parts, commas in bare names, semicolons between
addresses, addresses without brackets, encoded words anywhere. What holds no address is left out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from relay.message import Mailbox
from relay.mime import words

#: One plain mailbox with brackets; nearly every From is one.
_PLAIN = re.compile(r"(?:\"([\w .,()'/&+-]*)\"|([\w .'/&+-]*?))\s*<([\w.+=/!#$%&'*?^`{|}~-]+@[A-Za-z0-9.-]+)>")
_BARE = re.compile(r"[A-Za-z0-9.+_-]+@[A-Za-z0-9.-]+")
_SHORT = 300  # characters or octets of a field with one mailbox, or a few
_REMEMBERED = 1024  # short fields: senders come again and again
_QUOTED = r"""  | "(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+)*)"
"""
_TOKENS = (
    r"""
    (?P<word>=\?[^?\s]{1,100}\?[bBqQ]\?[^?]*\?=)
"""
    + _QUOTED
    + r"""
  | <(?P<angle>[^<>]*+)>
  | (?P<comment>\()
  | (?P<separator>[,;][\s,;]*|:)
  | (?P<space>\s+)
  | (?P<atom>(?:[^\s",;:<>()\[]|\[[^\]\s,;<>]{0,60}\]?)+)
  | (?P<stray>.)
"""
)
_TOKEN = re.compile(_TOKENS, re.VERBOSE | re.DOTALL)
_TOKEN_WITHOUT_QUOTES = re.compile(_TOKENS.replace(_QUOTED, ""), re.VERBOSE | re.DOTALL)
_PARENTHESES = re.compile(r"\\.|[()]", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_IN_QUOTES = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*)"', re.DOTALL)
_NO_LOCAL = re.compile(r"[\s<>@\x00-\x1f\x7f]")
_NO_ADDRESS = re.compile(r"[\s<>\x00-\x1f\x7f]")
_AROUND_ADDRESS = str.maketrans('<>,;"()', " " * 7)
_MOST_NAME_PIECES = 8
#: What is read of all fields of one name together: far more than an envelope holds, and soon read.
_MOST_BYTES = 200_000
_MOST_MAILBOXES = 2000
_MOST_PIECES = 2 * _MOST_MAILBOXES  # between separators: a name such as Doe, John is two
_FIELD_BYTES = 40  # what a field costs beside its value


@dataclass(frozen=True, slots=True)
class AddressList:
    """The mailboxes of all fields of one name."""

    mailboxes: tuple[Mailbox, ...]
    cut: bool  # there are more of them, which were not read


def address_list(values: Iterable[bytes]) -> AddressList:
    """Read all fields of one name together, up to what an honest mail may hold."""
    found: list[Mailbox] = []
    room = _MOST_BYTES
    for raw in values:
        read = _short_field if len(raw) <= _SHORT else _one_field
        one = read(raw if len(raw) <= room else _cut(raw, room))
        found += one.mailboxes
        room -= len(raw) + _FIELD_BYTES
        if one.cut or room < 0 or len(found) > _MOST_MAILBOXES:
            return AddressList(tuple(found[:_MOST_MAILBOXES]), cut=True)
    return AddressList(tuple(found), cut=False)


def mailboxes(raw: bytes) -> tuple[Mailbox, ...]:
    """Read an address list; the order is kept, groups are opened, what is no address is left out.

    An address without "@" is kept where it stood in brackets or alone: local mailers write such.
    """
    return address_list([raw]).mailboxes


def _one_field(raw: bytes) -> AddressList:
    text = words.text_of(raw).strip()
    if len(text) <= _SHORT:
        plain = _PLAIN.fullmatch(text)
        if plain:
            return AddressList((Mailbox(plain[3].rstrip("."), _name(plain[1] or plain[2] or "")),), cut=False)
        if _BARE.fullmatch(text):
            return AddressList((Mailbox(text.rstrip(".")),), cut=False)
    return _List(text).read()


_short_field = lru_cache(_REMEMBERED)(_one_field)


class _List:
    """One list while it is read."""

    __slots__ = (
        "_angle", "_before_angle", "_comments", "_comments_pair", "_found", "_halves", "_has_at", "_phrase", "_pieces",
        "_text", "_tokens",
    )  # fmt: skip

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces = 0  # ended so far
        self._found: list[Mailbox] = []
        self._halves: list[str] = []  # pieces before commas without address: of a name, or local addresses
        self._phrase: list[str] = []  # of the mailbox at hand: words, blanks and quoted strings
        self._has_at = False  # in the phrase
        self._comments: list[str] = []
        self._angle: str | None = None
        self._before_angle = 0  # how many words of the phrase
        # Once an opening quote or parenthesis has no partner, none behind it is tried: trying all takes quadratic time.
        self._tokens = _TOKEN
        self._comments_pair = True

    def read(self) -> AddressList:
        position = 0
        while position < len(self._text) and self._pieces < _MOST_PIECES:
            token = self._tokens.match(self._text, position)
            position = self._take(token) if token else position + 1
        cut = position < len(self._text)
        self._finish()
        self._end_halves()
        return AddressList(tuple(self._found), cut=cut)

    def _take(self, token: re.Match[str]) -> int:
        kind, text = token.lastgroup, token[0]
        if kind == "separator":
            self._separate(text)
        elif kind == "angle":
            self._take_angle(token["angle"])
        elif kind == "comment":
            return self._comment(token.start())
        elif text == '"':
            self._tokens = _TOKEN_WITHOUT_QUOTES
        elif kind != "stray":
            self._phrase.append(text)
            self._has_at = self._has_at or "@" in text
        return token.end()

    def _take_angle(self, angle: str) -> None:
        if self._angle is not None and "@" in self._angle:
            if "@" not in angle:
                return
            # The comma between two mailboxes is missing; the words between them name the second.
            words_between = self._phrase[self._before_angle :]
            del self._phrase[self._before_angle :]
            self._finish()
            self._phrase += words_between
        self._angle = angle
        self._before_angle = len(self._phrase)

    def _separate(self, separator: str) -> None:
        if separator == ":" and (self._has_at or self._angle is not None):
            self._phrase.append(separator)
        elif separator == ":":
            # The name of a group (RFC 5322 §3.4), or "mailto:".
            self._clear()
            self._halves.clear()
        else:
            self._finish()
            if ";" in separator:
                self._end_halves()

    def _comment(self, start: int) -> int:
        depth = 0
        for mark in _PARENTHESES.finditer(self._text, start) if self._comments_pair else ():
            depth += {"(": 1, ")": -1}.get(mark[0], 0)
            if depth == 0:
                self._comments.append(_ESCAPED.sub(r"\1", self._text[start + 1 : mark.end() - 1]))
                return mark.end()
        self._comments_pair = False
        return start + 1

    def _finish(self) -> None:
        """End one mailbox."""
        self._pieces += 1
        phrase = "".join(self._phrase)
        if self._angle is not None:
            # What stood before the last commas belongs to a name such as Doe, John.
            found = _bracketed(self._angle, ", ".join([*self._halves, phrase]), self._comments)
            self._halves.clear()
        else:
            found = _unbracketed(phrase, self._comments) if phrase.strip() else []
            if not found and phrase.strip():
                self._halves = [*self._halves[-_MOST_NAME_PIECES:], phrase.strip()]
        if found:
            self._end_halves()
            self._found += found
        self._clear()

    def _end_halves(self) -> None:
        """Take the pieces that turned out to be no halves of a name for addresses without domain."""
        self._found += [
            Mailbox(half) for half in self._halves if half.isascii() and half.strip('"') and not _NO_LOCAL.search(half)
        ]
        self._halves.clear()

    def _clear(self) -> None:
        self._phrase.clear()
        self._comments.clear()
        self._has_at = False
        self._angle = None


def _cut(raw: bytes, most_bytes: int) -> bytes:
    """Cut a list behind its last whole entry: half an address would be another one."""
    return raw[: max(raw.rfind(mark, 0, most_bytes) for mark in (b",", b";", b"\n")) + 1]


def _bracketed(angle: str, phrase: str, comments: list[str]) -> list[Mailbox]:
    """Make a mailbox of what stands in brackets and before them."""
    address = angle.strip()
    if address.startswith("@"):
        address = address.rpartition(":")[2]  # a route (RFC 5322 §4.4)
    if address.lower().startswith("mailto:"):
        address = address[len("mailto:") :]
    email = _tidy(words.decoded(address))
    if "@" in email:
        return [Mailbox(email, _name(phrase) or _name(" ".join(comments)))]
    inside = _unbracketed(phrase, comments)
    return inside or ([Mailbox(email, _name(phrase))] if email else [])


def _unbracketed(phrase: str, comments: list[str]) -> list[Mailbox]:
    """Find an address among words, and the other words are its name; or several addresses and no other word."""
    decoded = words.decoded(phrase)
    local, _, domain = decoded.rpartition("@")
    if local.startswith('"') and local.endswith('"') and not _NO_ADDRESS.search(domain.strip()):
        return [Mailbox(f"{local}@{domain.strip()}", _name(" ".join(comments)))]
    joined = " ".join(decoded.split()).replace(" @", "@").replace("@ ", "@")
    if " ." in joined:
        joined = joined.replace(" . ", ".")  # RFC 5322 §4.4 allowed it
    pieces = joined.translate(_AROUND_ADDRESS).split()
    candidates = [_bare(piece) for piece in pieces if "@" in piece[1:-1]]
    written = candidates[0] if candidates else ""
    email = _tidy(written)
    if "@" not in email:
        return []
    if 1 < len(candidates) == len(pieces):
        # Blanks instead of commas.
        return [Mailbox(each) for each in map(_tidy, candidates) if "@" in each]
    before, _, after = joined.partition(written)
    return [Mailbox(email, _name(_before(before)) or _name(_behind(after)) or _name(" ".join(comments)))]


def _bare(piece: str) -> str:
    """Take away what mail clients write around an address in a text: 'a@b', [mailto:a@b]."""
    piece = piece.strip("':")
    if piece.startswith("["):
        piece = piece.strip("[]")
    return piece[len("mailto:") :] if piece.lower().startswith("mailto:") else piece


def _before(text: str) -> str:
    """Take away what opens an address: a bracket, or a quote that does not end the name."""
    text = text.rstrip("<(").removesuffix("[mailto:").removesuffix("[")
    opens = text.endswith("'") or (text.endswith('"') and text.count('"') % 2)
    return (text[:-1] if opens else text).rstrip("<( ")


def _behind(text: str) -> str:
    """Take away what closes an address."""
    text = text.lstrip(">)]")
    closes = text.startswith("'") or (text.startswith('"') and text.count('"') % 2)
    return (text[1:] if closes else text).lstrip(">) ")


def _tidy(address: str) -> str:
    """Take blanks, quotes around the whole and trailing dots away; what then still is no address becomes empty."""
    address = address.strip(" \t'")
    if '"' not in address:
        address = "".join(address.split())
    elif address.startswith('"') and address.endswith('"'):
        address = address.strip('"')
    local, at, domain = address.rpartition("@")
    domain = domain.rstrip(".,;")
    unfit = _NO_ADDRESS.search(domain if local.startswith('"') else local + domain)
    return "" if unfit or (at and not (local and domain)) else f"{local}{at}{domain}"


def _name(phrase: str) -> str:
    """Make a display name: quotes and escapes undone, encoded words decoded, one line."""
    if '"' in phrase:
        phrase = _IN_QUOTES.sub(lambda quoted: _ESCAPED.sub(r"\1", quoted[1]), phrase)
    name = " ".join(words.decoded(phrase.strip(" \t,")).split())
    quoted = len(name) > 1 and name[0] == name[-1] and name[0] in "'\"" and name.count(name[0]) == len("''")
    return name[1:-1].strip() if quoted else name
