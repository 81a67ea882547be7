"""What the RFCs say to each command: a second opinion, written from the books and not from the gateway.

RFC 5321 §4.1.4 (order), §4.3.2 (codes), RFC 4954 §4 and §6 (AUTH), RFC 3207 §4 (STARTTLS). The model knows the state
of one connection, tells which codes may come, and takes in which one came.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

#: Refusals of these may be consequences of an earlier one, so a server may let them pass uncounted.
_CONSEQUENCES = ("RCPT", "DATA", "BDAT")


#: What the state does not touch.
_ALWAYS = {"EHLO": 250, "NOOP": 250, "QUIT": 221}
_GRANTED: Mapping[str, Collection[int]] = {
    "STARTTLS": {220},
    "JUNK": {500, 502},
    "RSET": {250},
    "HELO": {250},
    "VRFY": {252},
    "AUTH": {334, 235, 535},
    "MAIL": {250},
    "RCPT": {250},
    "DATA": {354},
    "BDAT": {250},
}
_MALFORMED: Mapping[str, Collection[int]] = {
    "VRFY": {501},
    "AUTH": {501, 504},
    "MAIL": {501, 552, 553, 555},
    "RCPT": {501, 553, 555},
}


@dataclass
class Book:
    """The state of one connection, by the book."""

    max_errors: int
    offers_tls: bool = False
    requires_tls: bool = False
    offers: frozenset[str] = frozenset()
    secured: bool = False
    greeted: bool = False
    authenticated: bool = False
    mail: bool = False
    recipients: list[str] = field(default_factory=list)
    closed: bool = False
    _errors_least: int = 0  # refusals that surely count
    _errors_most: int = 0  # and those that may

    # --- what may come ---

    @property
    def locked(self) -> bool:
        """Nothing but EHLO, NOOP, STARTTLS and QUIT goes (RFC 3207 §4)."""
        return self.requires_tls and not self.secured

    def expects(self, verb: str, *, well_formed: bool = True) -> Collection[int]:
        """Tell which codes a command may get now."""
        if verb in _ALWAYS:
            return {_ALWAYS[verb]} if well_formed else {501}
        for stands, code in self._obstacles(verb):
            if stands:
                return {code}
        expected = _GRANTED[verb] if well_formed else _MALFORMED[verb]
        return {503, 554} if verb in ("DATA", "BDAT") and not self.recipients and well_formed else expected

    def _obstacles(self, verb: str) -> Iterator[tuple[bool, int]]:
        """List what may stand in a command's way, first things first."""
        if verb == "STARTTLS":
            yield self.secured, 503
            yield not self.offers_tls, 502
            return
        yield self.locked and verb != "JUNK", 530
        if verb in ("VRFY", "AUTH", "MAIL", "RCPT", "DATA", "BDAT"):
            yield not self.greeted, 503
        if verb == "AUTH":
            yield self.authenticated or self.mail, 503
        if verb == "MAIL":
            yield self.mail, 503
            yield not self.authenticated, 530
        if verb in ("RCPT", "DATA", "BDAT"):
            yield not self.mail, 503

    # --- what came ---

    def takes(self, verb: str, code: int, *, well_formed: bool = True, only: int = 0) -> None:
        """Take in the reply to a command; fail where the book does not know it.

        `only`: the one code that may come where the command is in order, if what it carries settles that.
        """
        expected = self.expects(verb, well_formed=well_formed)
        expected = {only} if only in expected else expected
        if code == 421 and self._may_turn_away(expected):
            self.closed = True
            return
        assert code in expected, f"{verb} got {code}; the book says {expected}, {self}"
        if code >= 400:
            self._refused(verb)
        else:
            self._granted(verb, code)

    def sent(self, code: int) -> None:
        """Take in the reply to a message."""
        self.mail, self.recipients = False, []
        if code < 400:
            self._errors_least = self._errors_most = 0

    def secured_now(self) -> None:
        """Begin again behind the handshake: nothing from before counts (RFC 3207 §4.2)."""
        self.secured, self.greeted, self.authenticated, self.mail = True, False, False, False
        self.recipients, self.offers = [], frozenset()
        self._errors_least = self._errors_most = 0

    def _may_turn_away(self, expected: Collection[int]) -> bool:
        is_refusal = any(code >= 400 for code in expected)
        return is_refusal and self._errors_most + 1 >= self.max_errors

    def _refused(self, verb: str) -> None:
        self._errors_most += 1
        if verb not in _CONSEQUENCES:
            self._errors_least += 1
        assert self._errors_least < self.max_errors, f"too many errors, and still served: {self}"

    def _granted(self, verb: str, code: int) -> None:
        if verb in ("EHLO", "HELO"):
            self.greeted = True
        if verb in ("EHLO", "HELO", "RSET"):
            self.mail, self.recipients = False, []
        if verb == "MAIL":
            self.mail = True
        if verb == "AUTH" and code == 235:
            self.authenticated = True
        if verb == "QUIT":
            self.closed = True
