"""A state machine that speaks SMTP to a running gateway, well and badly, and compares every reply with the book."""

import base64
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from attacker import CLOSED, Attacker, Said
from book import Book
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from running import BODY_MARKER, SUBJECT_MARKER, Login

#: Refusals that the besieged gateway allows: few, so that the fuzzer comes to the end of its patience.
MAX_ERRORS = 12

#: Commands whose reply hangs on the state alone: verb, line, whether it is well formed.
COMMANDS = (
    ("EHLO", "EHLO fuzz.example", True),
    ("EHLO", "ehlo  [127.0.0.1]", True),
    ("EHLO", "EHLO", False),
    ("HELO", "HELO fuzz.example", True),
    ("NOOP", "NOOP", True),
    ("NOOP", "noop and more", True),
    ("RSET", "RSET", True),
    ("VRFY", "VRFY somebody", True),
    ("VRFY", "VRFY", False),
    ("MAIL", "MAIL FROM:<app@example.org>", True),
    ("MAIL", "mail from: app@example.org SIZE=100 AUTH=<> RET=HDRS", True),
    ("MAIL", "MAIL FROM:<app@example.org> BODY=8BITMIME SMTPUTF8", True),
    ("MAIL", "MAIL FROM:<app@example.org> SIZE=99999999999", False),
    ("MAIL", "MAIL FROM:<app@example.org> WHAT=ever", False),
    ("MAIL", "MAIL TO:<app@example.org>", False),
    ("MAIL", "MAIL FROM:<app@example.org", False),
    ("RCPT", "RCPT TO:<nobody>", False),
    ("RCPT", "RCPT TO:<a@b@c d>", False),
    ("RCPT", "RCPT", False),
    ("JUNK", "XYZZY", True),
    ("JUNK", "", True),
    ("JUNK", "\x00\x01\x02", True),
    ("JUNK", "EXPN list", True),
    ("JUNK", "HELP", True),
    ("JUNK", "x" * 20_000, True),
    ("JUNK", "250 2.0.0 Ok", True),
)

BODIES = (
    b"hello\r\n",
    b"",
    b"..\r\n.x\r\n..",
    b"\r\n\r\n\r\n",
    b"lonely\nline\nfeeds\n.\nand\rreturns\r.\r",
    b"\n.\r\nMAIL FROM:<evil@example.org>\r\n",
    b"x" * 5000,
    b"\x00\xff\r\r\n",
    b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<evil@example.net>\r\nDATA\r\n",
)

#: Listeners of the besieged gateway.
KINDS = ("plain", "starttls", "required", "implicit")

_KINDS = st.sampled_from(KINDS)
_PIECES = st.lists(st.integers(0, 2000), max_size=4)


@dataclass
class Ledger:
    """What was sent: which mailbox must hold what."""

    accepted: dict[str, str] = field(default_factory=dict)  # mailbox: subject
    unheard: set[str] = field(default_factory=set)  # whoever sent to them hung up before the reply
    refused: set[str] = field(default_factory=set)
    connections: int = 0


@dataclass(frozen=True)
class Target:
    """Where the machine sends, and as whom."""

    ports: Mapping[str, int]  # by the kind of listener
    logins: Mapping[str, Login]
    trusting: ssl.SSLContext
    word: str  # begins every mailbox


class Fuzzer(RuleBasedStateMachine):
    """One connection after another, each followed with a book of its own."""

    target: Target
    ledger: Ledger
    numbers: Iterator[int]

    @initialize(kind=_KINDS)
    def connect(self, kind: str) -> None:
        """Begin a connection with a clean page."""
        secured = kind == "implicit"
        self.client = Attacker(self.target.ports[kind], self.target.trusting if secured else None)
        self.ledger.connections += 1
        self.book = Book(
            MAX_ERRORS,
            offers_tls=kind in ("starttls", "required"),
            requires_tls=kind == "required",
            secured=secured,
        )
        assert self.client.reply().code == 220

    @precondition(lambda self: self.book.closed)
    @rule(kind=_KINDS)
    def connect_again(self, kind: str) -> None:
        self.client.socket.close()
        self.connect(kind)

    def teardown(self) -> None:
        if hasattr(self, "client"):
            self.client.socket.close()

    # --- single steps ---

    @precondition(lambda self: not self.book.closed)
    @rule(command=st.sampled_from(COMMANDS), pieces=_PIECES)
    def one_command(self, command: tuple[str, str, bool], pieces: list[int]) -> None:
        self.client.send(command[1].encode() + b"\r\n", pieces)
        self._hear(command)

    @precondition(lambda self: not self.book.closed)
    @rule(
        steps=st.integers(1, 7),
        body=st.sampled_from(BODIES),
        name=st.sampled_from(("kept-mensatek", "kept-dmds")),
        end=st.sampled_from(("hear", "hear", "go", "chunks")),
    )
    def onward(self, steps: int, body: bytes, name: str, end: str) -> None:
        """Do what is next on the way to a message: chance alone hardly ever gets there."""
        for _ in range(steps):
            if self.book.closed:
                break
            if self.book.locked:
                self.starttls(late=False)
            elif not self.book.greeted:
                self.one_command(("EHLO", "EHLO fuzz.example", True), [])
            elif not self.book.authenticated and not self.book.mail:
                self.log_in(name, "PLAIN", right=True)
            elif not self.book.mail:
                self.one_command(("MAIL", "MAIL FROM:<app@example.org>", True), [])
            elif not self.book.recipients:
                self.recipients(2)
            elif end == "chunks":
                self.bdat(body, 100, [])
            else:
                self.data(body, [], behind=True, end=end)

    @precondition(lambda self: not self.book.closed)
    @rule(commands=st.lists(st.sampled_from(COMMANDS), min_size=2, max_size=8), pieces=_PIECES)
    def pipelined(self, commands: list[tuple[str, str, bool]], pieces: list[int]) -> None:
        self.client.send(b"".join(command[1].encode() + b"\r\n" for command in commands), pieces)
        for command in commands:
            if self.book.closed:
                break
            self._hear(command)

    @precondition(lambda self: not self.book.closed)
    @rule(number=st.integers(1, 3))
    def recipients(self, number: int) -> None:
        mailboxes = [f"{self.target.word}.{next(self.numbers)}@example.net" for _ in range(number)]
        self.client.send(b"".join(f"RCPT TO:<{mailbox}>\r\n".encode() for mailbox in mailboxes))
        for mailbox in mailboxes:
            if self.book.closed:
                break
            said = self._take("RCPT", self.client.reply())
            if said.code == 250:
                self.book.recipients.append(mailbox)
                self.ledger.refused.add(mailbox)  # until a message to it is accepted

    @precondition(lambda self: not self.book.closed and not self.book.secured)
    @rule(late=st.booleans())
    def starttls(self, late: bool) -> None:
        if late:  # a command put behind it by somebody in between must never be answered
            self.client.send(b"STARTTLS\r\nNOOP\r\n")
            said = self.client.reply()
            if said.code == 554:
                assert self.client.reply() == CLOSED
                self.book.closed = True
                return
            self._take("STARTTLS", said)
            self._hear(("NOOP", "", True))
            assert said.code != 220, "what came before the handshake was not noticed"
            return
        said = self._take("STARTTLS", self.client.say("STARTTLS"))
        if said.code == 220:
            self.client.start_tls(self.target.trusting)
            self.book.secured_now()

    @precondition(lambda self: not self.book.closed)
    @rule(
        name=st.sampled_from(("kept-mensatek", "kept-dmds")),
        way=st.sampled_from(("PLAIN", "PLAIN later", "LOGIN", "login initial")),
        right=st.booleans(),
    )
    def log_in(self, name: str, way: str, right: bool) -> None:
        login = self.target.logins[name]
        user, password = (part.encode() for part in (login.user, login.password if right else "wrong"))
        plain = base64.b64encode(b"\0" + user + b"\0" + password)
        steps = {
            "PLAIN": [b"AUTH PLAIN " + plain],
            "PLAIN later": [b"auth plain", plain],
            "LOGIN": [b"AUTH LOGIN", base64.b64encode(user), base64.b64encode(password)],
            "login initial": [b"auth login " + base64.b64encode(user), base64.b64encode(password)],
        }[way]
        self._exchange(steps, 235 if right else 535)

    @precondition(lambda self: not self.book.closed)
    @rule(
        steps=st.sampled_from(
            (
                ([b"AUTH"], 501),
                ([b"AUTH CRAM-MD5"], 504),
                ([b"AUTH PLAIN !!!"], 501),
                ([b"AUTH PLAIN =" + b"A" * 11_000], 501),
                ([b"AUTH LOGIN", b"*"], 501),
                ([b"AUTH LOGIN", b"MAIL FROM:<app@example.org>"], 501),
                ([b"AUTH PLAIN", b""], 501),
                ([b"AUTH PLAIN " + base64.b64encode(b"\0\0\0\0\0")], 501),
                ([b"AUTH PLAIN " + base64.b64encode(b"\0us\r\ner\0pa\nss")], 535),
                ([b"AUTH PLAIN " + base64.b64encode(b"\0" + b"u" * 8000 + b"\0x")], 535),
                ([b"AUTH LOGIN", base64.b64encode(b"\xff\x00"), base64.b64encode(b"\xff")], 535),
            )
        )
    )
    def log_in_badly(self, steps: tuple[list[bytes], int]) -> None:
        self._exchange(*steps)

    @precondition(lambda self: not self.book.closed)
    @rule(body=st.sampled_from(BODIES), pieces=_PIECES, behind=st.booleans(), end=st.sampled_from(("hear", "go")))
    def data(self, body: bytes, pieces: list[int], behind: bool, end: str) -> None:
        if self._take("DATA", self.client.say("DATA")).code != 354:
            return
        subject = f"{SUBJECT_MARKER} {next(self.numbers)}"
        mailboxes, self.book.recipients = self.book.recipients, []
        header = f"From: app@example.org\r\nSubject: {subject}\r\nTo: {', '.join(mailboxes)}\r\n\r\n".encode()
        content = (header + BODY_MARKER.encode() + b"\r\n" + body).replace(b"\r\n.", b"\r\n..")
        self.client.send(content + b"\r\n.\r\n" + (b"NOOP\r\nNOOP\r\n" if behind else b""), pieces)
        if end == "go":
            self.client.hang_up()
            self.ledger.unheard.update(mailboxes)
            self.book.closed = True
            return
        said = self.client.reply()
        assert said.code in (250, 451, 452, 554), said
        self.book.sent(said.code)
        if said.code == 250:
            self.ledger.accepted.update(dict.fromkeys(mailboxes, subject))
        for _ in range(2 if behind else 0):
            self._hear(("NOOP", "", True))

    @precondition(lambda self: not self.book.closed)
    @rule(body=st.sampled_from(BODIES), cut=st.integers(0, 300), pieces=_PIECES)
    def bdat(self, body: bytes, cut: int, pieces: list[int]) -> None:
        """Send two chunks at once; where they are refused, their octets are swallowed and never read as commands."""
        subject = f"{SUBJECT_MARKER} {next(self.numbers)}"
        mailboxes = list(self.book.recipients)
        header = f"From: app@example.org\r\nSubject: {subject}\r\nTo: {', '.join(mailboxes)}\r\n\r\n".encode()
        content = header + BODY_MARKER.encode() + b"\r\n" + body
        first, last = content[:cut], content[cut:]
        self.client.send(b"BDAT %d\r\n%bBDAT %d LAST\r\n%b" % (len(first), first, len(last), last), pieces)
        is_taken = self._take("BDAT", self.client.reply()).code == 250
        if self.book.closed:
            return
        if not is_taken:
            self._take("BDAT", self.client.reply())
            return
        said = self.client.reply()
        assert said.code in (250, 451, 452, 554), said
        self.book.sent(said.code)
        if said.code == 250:
            self.ledger.accepted.update(dict.fromkeys(mailboxes, subject))

    @precondition(lambda self: not self.book.closed and self.book.mail)
    @rule()
    def data_that_never_ends(self) -> None:
        """Half a message is none."""
        if self._take("DATA", self.client.say("DATA")).code == 354:
            self.client.send(b"Subject: half a message\r\n\r\nthe rest never comes\r\n.\n\r\n.\r")
            self._vanish()

    @precondition(lambda self: not self.book.closed)
    @rule()
    def quit(self) -> None:
        self._hear(("QUIT", "QUIT", True), send=True)
        assert self.client.reply() == CLOSED

    @precondition(lambda self: not self.book.closed)
    @rule(line=st.sampled_from((b"NOOP\n", b"QUIT\r", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\n")))
    def what_no_client_says(self, line: bytes) -> None:
        """Bare line feeds and browsers: refused, and closed."""
        self.client.send(line)
        self.client.half_close()
        said = self.client.reply()
        assert said.code in (500, 421, 0), said
        assert said == CLOSED or self.client.reply() == CLOSED
        self.book.closed = True

    @precondition(lambda self: not self.book.closed and not self.book.secured)
    @rule(commands=st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=5))
    def half_close(self, commands: list[tuple[str, str, bool]]) -> None:
        """What was said before the half-close is answered to its end."""
        self.client.send(b"".join(command[1].encode() + b"\r\n" for command in commands))
        self.client.half_close()
        for command in commands:
            if self.book.closed:
                break
            self._hear(command)
        assert self.client.reply() == CLOSED
        self.book.closed = True

    @precondition(lambda self: not self.book.closed)
    @rule(said=st.sampled_from((b"", b"MAIL FROM:<app@exam", b"AUTH LOGIN\r\n", b"EHLO x\r\n" * 50)))
    def vanish(self, said: bytes) -> None:
        self.client.send(said)
        self._vanish()

    # --- what they have in common ---

    def _vanish(self) -> None:
        self.client.hang_up()
        self.book.closed = True

    def _hear(self, command: tuple[str, str, bool], *, send: bool = False) -> None:
        verb, line, well_formed = command
        if send:
            self.client.send(line.encode() + b"\r\n")
        self._take(verb, self.client.reply(), well_formed=well_formed)

    def _take(self, verb: str, said: Said, *, well_formed: bool = True, only: int = 0) -> Said:
        self.book.takes(verb, said.code, well_formed=well_formed, only=only)
        return said

    def _exchange(self, steps: list[bytes], outcome: int) -> None:
        for step in steps[:-1]:
            self.client.send(step + b"\r\n")
            if self._take("AUTH", self.client.reply(), only=334).code != 334:
                return
        self.client.send(steps[-1] + b"\r\n")
        self._take("AUTH", self.client.reply(), well_formed=outcome in (235, 535), only=outcome)


def machine_for(target: Target, ledger: Ledger) -> type[Fuzzer]:
    """Make the machine that attacks this gateway and writes into this ledger."""
    return type("Siege", (Fuzzer,), {"target": target, "ledger": ledger, "numbers": count()})
