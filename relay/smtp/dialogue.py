"""What is said to each command: the state of one SMTP session, without any I/O (RFC 5321 §4).

A line goes in, an answer comes out. What takes time (checking a login, reading a message, TLS) is an answer too; the
connection does it and tells the dialogue how it ended.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, TypeAlias

from aiosmtpd.smtp import LoginPassword, Session

from relay.accounts.account import Account
from relay.message import Envelope, EnvelopeRecipient
from relay.outcome import Replies, Reply
from relay.smtp.auth import MECHANISMS, Exchange, begin_exchange, challenge_line
from relay.smtp.commands import Mail, read_command, read_mail, read_rcpt
from relay.smtp.lobby import Lobby


class Action(Enum):
    """What the connection has to do itself."""

    READ_DATA = "read data"
    START_TLS = "start tls"


@dataclass(frozen=True, slots=True)
class Text:
    """Lines that are ready for the wire."""

    wire: bytes


@dataclass(frozen=True, slots=True)
class Farewell:
    """A last reply; then the connection is closed."""

    reply: Reply
    reason: str = ""  # set where the log should tell that the client was turned away


Answer: TypeAlias = Reply | Text | Farewell | LoginPassword | Action


class Transaction:
    """What MAIL and RCPT said so far."""

    __slots__ = ("account", "mail", "recipients")

    def __init__(self, account: Account, mail: Mail) -> None:
        self.account = account
        self.mail = mail
        self.recipients: list[EnvelopeRecipient] = []

    def envelope(self) -> Envelope:
        """Return it frozen."""
        parameters = self.mail.parameters
        return Envelope(self.mail.sender, tuple(self.recipients), parameters.ret, parameters.envid)


class Dialogue:
    """One session's state, from the greeting on or from the TLS handshake on (RFC 3207 §4.2)."""

    def __init__(self, lobby: Lobby, client: str, session: Session) -> None:
        self._lobby = lobby
        self._rules = lobby.rules
        self._client = client
        self._session = session
        self._account = lobby.gatekeeper.trusted(lobby.name, client)
        self._transaction: Transaction | None = None
        self._exchange: Exchange | None = None
        self._errors = 0
        self._pardons = 0  # refused recipients that are not yet held against the client

    def answer(self, line: bytes) -> Answer:
        """Answer one line, its line end included."""
        if not line.endswith(b"\r\n"):
            # Tolerance would let "RCPT TO:<a>\nRCPT TO:<b>", passed on by a program that filters CR LF only, be two
            # commands. Closing tells scripts at once, where waiting for the CR LF would leave them hanging.
            return self._refused("", Farewell(Replies.BARE_LINE_FEED))
        if self._exchange is not None:
            return self._refused("AUTH", self._continued(self._exchange, line.strip()))
        command = read_command(line)
        if isinstance(command, Reply):
            return self._refused("", command)
        answer = self._COMMANDS.get(command.verb, Dialogue._unknown)(self, command.argument)
        if type(answer) is Reply and answer.code < 400:  # noqa: PLR2004 - the hot path
            return answer
        return self._refused(command.verb if command.verb in self._COMMANDS else "", answer)

    def too_long(self) -> Answer:
        """Answer a line that was longer than any command and was thrown away."""
        self._exchange = None
        return self._refused("", Replies.LINE_TOO_LONG)

    def logged_in(self, result: Account | Reply) -> Answer:
        """Take what the gatekeeper said of a login."""
        if isinstance(result, Reply):
            closes = result.code == Replies.CLIENT_BLOCKED.code
            return self._refused("AUTH", Farewell(result) if closes else result)
        self._account = result
        self._session.authenticated = True
        return Replies.AUTH_OK

    def take_transaction(self) -> Transaction:
        """Return the transaction that DATA has closed, and begin without one."""
        transaction, self._transaction = self._transaction, None
        if transaction is None:
            raise AssertionError("DATA is only answered within a transaction")
        return transaction

    def finished(self, reply: Reply) -> Answer:
        """Take the reply to a message; success clears the client's record."""
        if reply.is_success:
            self._errors = 0
        return reply

    def refused_data(self, reply: Reply) -> Answer:
        """Refuse a message that was read and thrown away."""
        return self._refused("DATA", reply)

    # --- commands ---

    def _ehlo(self, argument: bytes) -> Answer:
        if not argument:
            return Replies.BAD_SYNTAX.saying("Syntax: EHLO hostname")
        self._greeted(argument, extended=True)
        lines = [Replies.HELLO.saying(self._lobby.hostname).text, *self._extensions()]
        code = Replies.HELLO.code
        body = "".join(f"{code}-{line}\r\n" for line in lines[:-1]) + f"{code} {lines[-1]}\r\n"
        return Text(body.encode("ascii"))

    def _helo(self, argument: bytes) -> Answer:
        if not argument:
            return Replies.BAD_SYNTAX.saying("Syntax: HELO hostname")
        if self._needs_tls():
            return Replies.TLS_REQUIRED
        self._greeted(argument, extended=False)
        return Replies.HELLO.saying(self._lobby.hostname)

    def _mail(self, argument: bytes) -> Answer:
        refusal = self._not_yet()
        if refusal is not None:
            return refusal
        if self._transaction is not None:
            return Replies.BAD_SEQUENCE.saying("Sender already given")
        account = self._account
        if account is None:
            return Replies.AUTH_REQUIRED if self._rules.auth else Replies.NOT_TRUSTED
        # Recipients pipelined behind a refused MAIL fail through no fault of their own.
        self._pardons = self._rules.max_recipients
        mail = read_mail(argument)
        if isinstance(mail, Reply):
            return mail
        if mail.parameters.size > self._rules.max_message_bytes:
            return Replies.TOO_BIG
        refusal = self._lobby.gatekeeper.refuse_sender(account, mail.sender)
        if refusal is not None:
            return refusal
        self._transaction = Transaction(account, mail)
        return Replies.SENDER_OK

    def _rcpt(self, argument: bytes) -> Answer:
        refusal = self._not_yet()
        if refusal is not None:
            return refusal
        transaction = self._transaction
        if transaction is None:
            return Replies.BAD_SEQUENCE.saying("MAIL first")
        if len(transaction.recipients) >= self._rules.max_recipients:
            return Replies.TOO_MANY_RECIPIENTS
        recipient = read_rcpt(argument, smtputf8=transaction.mail.parameters.smtputf8)
        if isinstance(recipient, Reply):
            return recipient
        transaction.recipients.append(recipient)
        return Replies.RECIPIENT_OK

    def _data(self, argument: bytes) -> Answer:
        refusal = self._not_yet()
        if refusal is not None:
            return refusal
        if argument:
            return Replies.BAD_SYNTAX.saying("Syntax: DATA")
        if self._transaction is None:
            return Replies.BAD_SEQUENCE.saying("MAIL first")
        if not self._transaction.recipients:
            return Replies.NO_VALID_RECIPIENTS
        return Action.READ_DATA

    def _rset(self, _argument: bytes) -> Answer:
        if self._needs_tls():
            return Replies.TLS_REQUIRED
        self._transaction = None
        return Replies.OK

    def _noop(self, _argument: bytes) -> Answer:
        return Replies.OK

    def _quit(self, _argument: bytes) -> Answer:
        return Farewell(Replies.BYE)

    def _vrfy(self, argument: bytes) -> Answer:
        refusal = self._not_yet()
        if refusal is not None:
            return refusal
        return Replies.CANNOT_VERIFY if argument else Replies.BAD_SYNTAX.saying("Syntax: VRFY address")

    def _starttls(self, argument: bytes) -> Answer:
        if argument:
            return Replies.BAD_SYNTAX.saying("Syntax: STARTTLS")
        if self._session.ssl is not None:
            return Replies.BAD_SEQUENCE.saying("TLS is active already")
        return Action.START_TLS if self._lobby.certificate is not None else Replies.NOT_IMPLEMENTED

    def _auth(self, argument: bytes) -> Answer:
        refusal = self._not_yet()
        if refusal is not None:
            return refusal
        if not self._rules.auth:
            return Replies.NOT_IMPLEMENTED
        if not self._may_log_in():
            return Replies.AUTH_NEEDS_TLS
        if self._session.authenticated or self._transaction is not None:  # RFC 4954 §4
            return Replies.BAD_SEQUENCE
        begun = begin_exchange(argument)
        if isinstance(begun, Reply):
            return begun
        self._exchange, step = begun
        return self._exchanged(step)

    def _unimplemented(self, _argument: bytes) -> Answer:
        return Replies.NOT_IMPLEMENTED

    def _bdat(self, _argument: bytes) -> Answer:
        # CHUNKING is not announced. The chunk behind BDAT would be read as commands, so there is no going on.
        return Farewell(Replies.NOT_IMPLEMENTED.saying("BDAT is not offered here; closing"))

    def _not_smtp(self, _argument: bytes) -> Answer:
        # A browser can be made to post SMTP commands as a form; nothing behind its first line may be read.
        return Farewell(Replies.NOT_SMTP, reason="speaks HTTP")

    def _unknown(self, _argument: bytes) -> Answer:
        return Replies.UNKNOWN_COMMAND

    _COMMANDS: ClassVar[Mapping[str, Callable[["Dialogue", bytes], Answer]]] = {
        "EHLO": _ehlo,
        "HELO": _helo,
        "MAIL": _mail,
        "RCPT": _rcpt,
        "DATA": _data,
        "RSET": _rset,
        "NOOP": _noop,
        "QUIT": _quit,
        "VRFY": _vrfy,
        "STARTTLS": _starttls,
        "AUTH": _auth,
        "BDAT": _bdat,
        **dict.fromkeys(("EXPN", "HELP", "TURN", "ETRN", "SEND", "SOML", "SAML"), _unimplemented),
        **dict.fromkeys(("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH"), _not_smtp),
    }

    # --- what they have in common ---

    def _greeted(self, argument: bytes, *, extended: bool) -> None:
        self._session.host_name = argument.decode("ascii", "replace")
        self._session.extended_smtp = extended
        self._transaction = None  # RFC 5321 §4.1.4: as if RSET

    def _extensions(self) -> list[str]:
        rules = self._rules
        offers_tls = self._lobby.certificate is not None and self._session.ssl is None
        return [
            f"SIZE {rules.max_message_bytes:d}",
            "8BITMIME",
            "SMTPUTF8",
            "PIPELINING",
            "ENHANCEDSTATUSCODES",
            "DSN",
            f"LIMITS RCPTMAX={rules.max_recipients}",  # RFC 9422
            *(["STARTTLS"] if offers_tls else []),
            *([f"AUTH {' '.join(MECHANISMS)}"] if rules.auth and self._may_log_in() else []),
        ]

    def _may_log_in(self) -> bool:
        if self._session.ssl is not None or self._rules.auth_without_tls == "always":
            return not self._needs_tls()
        return self._rules.auth_without_tls == "loopback" and _is_loopback(self._client) and not self._needs_tls()

    def _needs_tls(self) -> bool:
        return self._rules.tls == "starttls-required" and self._session.ssl is None

    def _not_yet(self) -> Reply | None:
        if self._needs_tls():
            return Replies.TLS_REQUIRED
        return None if self._session.host_name else Replies.BAD_SEQUENCE.saying("EHLO first")

    def _continued(self, exchange: Exchange, line: bytes) -> Answer:
        return self._exchanged(exchange.answer(line))

    def _exchanged(self, step: bytes | LoginPassword | Reply) -> Answer:
        if isinstance(step, bytes):
            return Text(challenge_line(step))
        self._exchange = None
        return step

    def _refused(self, verb: str, answer: Answer) -> Answer:
        """Tell of a refusal and count it; too many end the session. Answers that refuse nothing pass.

        `verb`: empty where it is no verb of ours, for what stands there may be a password that came at the wrong time.
        """
        reply = answer.reply if isinstance(answer, Farewell) else answer
        if not isinstance(reply, Reply) or reply.is_success:
            return answer
        if isinstance(answer, Farewell) and answer.reason:
            return answer  # told of once, when the connection is closed for it
        self._lobby.events.command_refused(self._lobby.name, self._client, verb or "unknown", reply)
        if isinstance(answer, Farewell) or self._is_pardoned(verb):
            return answer
        self._errors += 1
        return (
            Farewell(Replies.TOO_MANY_ERRORS, "too many errors") if self._errors >= self._rules.max_errors else answer
        )

    def _is_pardoned(self, verb: str) -> bool:
        # A list with twenty bad addresses, or a pipeline behind a refused MAIL, is no attack: up to max_recipients
        # refusals for each MAIL are free.
        if verb not in ("RCPT", "DATA") or self._pardons <= 0:
            return False
        self._pardons -= 1
        return True


def _is_loopback(client: str) -> bool:
    return client == "::1" or client.startswith("127.")
