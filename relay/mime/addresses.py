"""Address lists as people and programs write them (RFC 5322 §3.4, RFC 6532, and much that no RFC allows).

Read generously: groups, comments, route addresses, quoted local parts, commas in bare names, semicolons between
addresses, addresses without brackets, encoded words anywhere. What holds no address is left out.
"""

import re
from dataclasses import dataclass, field

from relay.message import Mailbox
from relay.mime import words

#: One plain mailbox with brackets; nearly every From is one.
_PLAIN = re.compile(r"\s*(?:\"([\w .,()'/&+-]*)\"|([\w .'/&+-]*?))\s*<([\w.+=/!#$%&'*?^`{|}~-]+@[A-Za-z0-9.-]+)>\s*")
_BARE = re.compile(r"\s*([A-Za-z0-9.+_-]+@[A-Za-z0-9.-]+)\s*")
_TOKEN = re.compile(
    r"""
    (?P<word>=\?[^?\s]{1,100}\?[bBqQ]\?[^?]*\?=)
  | "(?P<quoted>(?:[^"\\]|\\.)*+)"
  | <(?P<angle>[^<>]*+)>
  | (?P<comment>\()
  | (?P<separator>[,;:])
  | (?P<space>\s+)
  | (?P<atom>(?:[^\s",;:<>()\[]|\[[^\]\s,;<>]{0,60}\]?)+)
  | (?P<stray>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_PARENTHESES = re.compile(r"\\.|[()]", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ADDRESS_INSIDE = re.compile(r"(.*?)[<\s\"'(]*([^\s<>,;:\"'()]+@[^\s<>,;\"'()]+)[>\s\"')]*", re.DOTALL)
_NO_ADDRESS = re.compile(r"[\s<>\x00-\x1f\x7f]")


def mailboxes(raw: bytes) -> tuple[Mailbox, ...]:
    """Read an address list; the order is kept, groups are opened, what is no address is left out.

    An address without "@" is kept where it stood in brackets or alone: local mailers write such.
    """
    text = words.text_of(raw)
    plain = _PLAIN.fullmatch(text)
    if plain:
        return (Mailbox(plain[3], words.clean(plain[1] or plain[2] or "")),)
    bare = _BARE.fullmatch(text)
    if bare:
        return (Mailbox(bare[1]),)
    return _List(text).read()


@dataclass(slots=True)
class _List:
    """One list while it is read."""

    text: str
    found: list[Mailbox] = field(default_factory=list)
    phrase: list[str] = field(default_factory=list)  # of the mailbox at hand: words, blanks and quoted strings
    comments: list[str] = field(default_factory=list)
    angle: str | None = None
    # Once an opening quote or parenthesis has no partner, none behind it is tried: trying all takes quadratic time.
    quotes_pair: bool = True
    comments_pair: bool = True

    def read(self) -> tuple[Mailbox, ...]:
        position = 0
        while position < len(self.text):
            token = _TOKEN.match(self.text, position)
            if token is None:  # pragma: no cover - the last alternative takes anything
                break
            position = self._take(token)
        self._finish(last=True)
        return tuple(self.found)

    def _take(self, token: re.Match[str]) -> int:
        kind, text = token.lastgroup, token[0]
        if kind == "separator":
            self._separate(text)
        elif kind == "angle":
            self.angle = self.angle if self.angle and "@" in self.angle else token["angle"]
        elif kind == "comment":
            return self._comment(token.start())
        elif kind == "quoted" and not self.quotes_pair:
            return token.start() + 1
        elif kind == "stray":
            self.quotes_pair = self.quotes_pair and text != '"'
        else:
            self.phrase.append(text)
        return token.end()

    def _separate(self, separator: str) -> None:
        if separator != ":":
            self._finish(last=False)
        elif self.angle is None and "@" not in "".join(self.phrase):
            # The name of a group (RFC 5322 §3.4), or "mailto:".
            self.phrase.clear()
            self.comments.clear()
        else:
            self.phrase.append(separator)

    def _comment(self, start: int) -> int:
        depth = 0
        for mark in _PARENTHESES.finditer(self.text, start) if self.comments_pair else ():
            depth += {"(": 1, ")": -1}.get(mark[0], 0)
            if depth == 0:
                self.comments.append(_ESCAPED.sub(r"\1", self.text[start + 1 : mark.end() - 1]))
                return mark.end()
        self.comments_pair = False
        return start + 1

    def _finish(self, *, last: bool) -> None:
        """End one mailbox; a piece without address is the first half of a name with a comma in it."""
        phrase = "".join(self.phrase)
        mailbox = self._bracketed(phrase) if self.angle is not None else self._unbracketed(phrase)
        if mailbox is None and not last and self.angle is None and phrase.strip():
            self.phrase.append(", ")
            return
        if mailbox is not None:
            self.found.append(mailbox)
        self.phrase.clear()
        self.comments.clear()
        self.angle = None

    def _bracketed(self, phrase: str) -> Mailbox | None:
        address = (self.angle or "").strip()
        if address.startswith("@"):
            address = address.rpartition(":")[2]  # a route (RFC 5322 §4.4)
        if address.lower().startswith("mailto:"):
            address = address[len("mailto:") :]
        email = _tidy(words.decoded(address))
        if email and "@" in email:
            return Mailbox(email, _name(phrase) or _name(" ".join(self.comments)))
        inside = self._unbracketed(phrase) if "@" in phrase else None
        return inside or (Mailbox(email, _name(phrase)) if email else None)

    def _unbracketed(self, phrase: str) -> Mailbox | None:
        decoded = words.decoded(phrase) if "=?" in phrase else phrase.strip()
        if "@" not in decoded:
            alone = decoded and not _NO_ADDRESS.search(decoded) and "=?" not in phrase and not self.comments
            return Mailbox(decoded) if alone and "," not in phrase and decoded.isascii() else None
        local, _, domain = decoded.rpartition("@")
        if local.endswith('"') and local.startswith('"') and not _NO_ADDRESS.search(domain.strip()):
            return Mailbox(f"{local}@{domain.strip()}", _name(" ".join(self.comments)))
        joined = re.sub(r"\s*@\s*", "@", decoded)
        inside = _ADDRESS_INSIDE.match(joined)
        if inside is None:
            return None
        name = _name(inside[1]) or _name(joined[inside.end() :]) or _name(" ".join(self.comments))
        email = _tidy(inside[2])
        return Mailbox(email, name) if email else None


def _tidy(address: str) -> str:
    """Take blanks, quotes around the whole and trailing dots away; what then still is no address becomes empty."""
    address = address.strip(" \t'")
    if '"' not in address:
        address = "".join(address.split())
    elif address.startswith('"') and address.endswith('"'):
        address = address.strip('"')
    local, at, domain = address.rpartition("@")
    address = f"{local}{at}{domain.rstrip('.,;')}"
    blank_in = domain if local.startswith('"') else address
    return "" if _NO_ADDRESS.search(blank_in) or (at and not (local and domain)) else address


def _name(phrase: str) -> str:
    """Make a display name: quotes and escapes undone, encoded words decoded, one line."""
    if '"' in phrase:
        phrase = re.sub(r'"((?:[^"\\]|\\.)*+)"', lambda quoted: _ESCAPED.sub(r"\1", quoted[1]), phrase, flags=re.DOTALL)
    name = " ".join(words.decoded(phrase.strip(" \t,")).split())
    return name[1:-1].strip() if len(name) > 1 and name[0] == name[-1] == "'" else name
