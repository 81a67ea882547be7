"""What is said to each command: the state of one SMTP session, without any I/O (RFC 5321 §4).

A line goes in, an answer comes out. What takes time (checking a login, reading a message, TLS) is an answer too; the
connection does it and tells the dialogue how it ended.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

from aiosmtpd.smtp import LoginPassword, Session

from relay.accounts.account import Account
from relay.outcome import Replies, Reply
from relay.smtp.admission import Admission
from relay.smtp.answers import Action, Answer, Chunk, Farewell, Text
from relay.smtp.auth import Exchange, begin_exchange, challenge_line, credentials_text
from relay.smtp.chunks import discarded
from relay.smtp.commands import read_bdat, read_command
from relay.smtp.lobby import Lobby
from relay.smtp.offer import may_log_in, needs_tls, offers_tls
from relay.smtp.patience import Patience
from relay.smtp.transaction import Transaction, open_transaction

#: Why somebody is turned away who begins with a PROXY header; for the log.
UNTRUSTED_PROXY = "sends a PROXY header, and is not in this listener's proxies"

_BDAT = b"BDAT"


class Dialogue:
    """One session's state, from the greeting on or from the TLS handshake on (RFC 3207 §4.2)."""

    def __init__(self, lobby: Lobby, session: Session) -> None:
        self._lobby = lobby
        self._rules = lobby.rules
        self._session = session
        self._client = session.peer or ""
        self._admission = Admission(lobby, self._client)
        self._seated: Account | None = None  # for whom this connection is counted
        self._patience = Patience(lobby, self._client)
        self._transaction: Transaction | None = None
        self._exchange: Exchange | None = None

    def answer(self, line: bytes) -> Answer:
        """Answer one line, its line end included."""
        if self._rules.line_ends == "strict" and not line.endswith(b"\r\n"):
            # Tolerance would let "RCPT TO:<a>\nRCPT TO:<b>", passed on by a program that filters CR LF only, be two
            # commands. Closing tells scripts at once, where waiting for the CR LF would leave them hanging.
            return self._patience.weigh("", Farewell(Replies.BARE_LINE_FEED))
        if self._exchange is not None:
            return self._patience.weigh("AUTH", self._exchanged(self._exchange.answer(line.strip())))
        command = read_command(line)
        if isinstance(command, Reply):
            if line.lstrip()[: len(_BDAT)].upper() == _BDAT:
                return self._patience.weigh("BDAT", Farewell(command))  # as where it says no number
            return self._patience.weigh("", command)
        method = self._COMMANDS.get(command.verb)
        if method is None:
            return self._patience.weigh("", Replies.UNKNOWN_COMMAND)
        return self._patience.weigh(command.verb, method(self, command.argument))

    def answer_too_long(self) -> Answer:
        """Answer a line that was longer than any command and was thrown away."""
        self._exchange = None
        return self._patience.weigh("", Replies.LINE_TOO_LONG)

    def logged_in(self, result: Account | Reply) -> Answer:
        """Take what the gatekeeper said of a login."""
        if isinstance(result, Reply):
            closes = result.code == Replies.CLIENT_BLOCKED.code
            return self._patience.weigh("AUTH", Farewell(result) if closes else result)
        if not self._take_seat(result):
            return Farewell(Replies.ACCOUNT_CONNECTIONS, "too many connections of one account")
        self._admission.grant(result)
        self._session.authenticated = True
        return Replies.AUTH_OK

    def leave(self) -> None:
        """Count this session out; safe to repeat."""
        seated, self._seated = self._seated, None
        if seated is not None:
            self._lobby.seats.give_back(seated)

    def take_transaction(self) -> Transaction:
        """Return the transaction that DATA has closed, and go on without one."""
        transaction, self._transaction = self._transaction, None
        if transaction is None:
            raise AssertionError("DATA is only answered within a transaction")
        return transaction

    def finished(self, reply: Reply) -> Answer:
        """Take the reply to a message."""
        if reply.is_success:
            self._patience.renew()
        return reply

    def chunk_read(self, chunk: Chunk, fault: Reply | None) -> Answer | None:
        """Answer a chunk that has come; None: it was the last, and the message is whole.

        `fault`: why it could not be kept.
        """
        refusal = chunk.refusal or fault
        if refusal is None:
            return None if chunk.is_last else Replies.OK.saying(f"{chunk.octets} octets received")
        if self._transaction is not None:
            self._transaction.fail(refusal)
        if chunk.is_last:
            self._transaction = None
        return self._patience.weigh("BDAT", refusal)

    @property
    def announced_bytes(self) -> int:
        """Tell how big the client said that its message is; 0: it did not."""
        return self._transaction.announced_bytes if self._transaction else 0

    @property
    def has_chunks(self) -> bool:
        """Tell whether a message has come in part."""
        return self._transaction is not None and self._transaction.has_chunks

    def unfinished(self, reply: Reply) -> Answer:
        """Take the refusal of a message that was read and thrown away."""
        return self._patience.weigh("DATA", reply)

    # --- commands ---

    def _ehlo(self, argument: bytes) -> Answer:
        if not argument:
            return Replies.BAD_SYNTAX.saying("Syntax: EHLO hostname")
        self._greeted(argument, extended=True)
        return Text(self._lobby.offer.to_ehlo(self._client, has_tls=self._has_tls()))

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
        account = self._account_of_mail()
        if isinstance(account, Reply | Farewell):
            return account
        self._patience.pardon(self._rules.max_recipients)
        opened = open_transaction(self._lobby, account, argument)
        if isinstance(opened, Reply):
            return opened
        self._transaction = opened
        return Replies.SENDER_OK

    def _rcpt(self, argument: bytes) -> Answer:
        if self._transaction is None:
            return self._not_yet() or Replies.BAD_SEQUENCE.saying("MAIL first")
        if self._transaction.has_chunks:
            return Replies.BAD_SEQUENCE.saying("The message has begun")
        return self._transaction.add(argument, max_recipients=self._rules.max_recipients)

    def _data(self, argument: bytes) -> Answer:
        if self._transaction is None:
            return self._not_yet() or Replies.BAD_SEQUENCE.saying("MAIL first")
        if argument:
            return Replies.BAD_SYNTAX.saying("Syntax: DATA")
        if self._transaction.has_chunks or self._transaction.needs_chunks:
            return Replies.BAD_SEQUENCE.saying("This message comes by BDAT")
        return Action.READ_DATA if self._transaction.has_recipients else Replies.NO_VALID_RECIPIENTS

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
        if self._has_tls():
            return Replies.BAD_SEQUENCE.saying("TLS is active already")
        return Action.START_TLS if offers_tls(self._rules) else Replies.NOT_IMPLEMENTED

    def _auth(self, argument: bytes) -> Answer:
        refusal = self._not_yet() or self._no_login()
        if refusal is not None:
            return refusal
        begun = begin_exchange(argument)
        if isinstance(begun, Reply):
            return begun
        self._exchange, step = begun
        return self._exchanged(step)

    def _unimplemented(self, _argument: bytes) -> Answer:
        return Replies.NOT_IMPLEMENTED

    def _bdat(self, argument: bytes) -> Answer:
        bdat = read_bdat(argument)
        if bdat is None:
            # Nobody can tell where the chunk ends, and it must not be read as commands.
            return Farewell(Replies.BAD_SYNTAX.saying("Syntax: BDAT octets [LAST]; closing"))
        limit = self._rules.max_message_bytes
        if self._transaction is None:
            refusal = self._not_yet() or Replies.BAD_SEQUENCE.saying("MAIL first")
            if bdat.octets > limit:
                return Farewell(refusal)  # who may not send shall not make us read for ever
            return Chunk(bdat.octets, bdat.is_last, discarded(bdat.octets), refusal)
        if not bdat.is_sound:
            self._transaction.fail(Replies.BAD_SYNTAX.saying("Syntax: BDAT octets [LAST]"))
        return Chunk(bdat.octets, bdat.is_last, *self._transaction.expect(bdat.octets, max_bytes=limit))

    def _http(self, _argument: bytes) -> Answer:
        # A browser can be made to post SMTP commands as a form; nothing behind its first line may be read.
        return Farewell(Replies.NOT_SMTP, "speaks HTTP")

    def _proxy(self, _argument: bytes) -> Answer:
        # Nothing that it passes on may be believed, nor taken for the proxy's own.
        return Farewell(Replies.NOT_SMTP, UNTRUSTED_PROXY)

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
        "PROXY": _proxy,
        **dict.fromkeys(("EXPN", "HELP", "TURN", "ETRN", "SEND", "SOML", "SAML"), _unimplemented),
        **dict.fromkeys(("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH"), _http),
    }

    # --- what they have in common ---

    def _account_of_mail(self) -> Account | Reply | Farewell:
        if not self._admission.is_still_good():
            return Farewell(Replies.RULES_CHANGED, "login or listener no longer as configured")
        account = self._admission.account
        if account is None:
            return Replies.AUTH_REQUIRED if self._rules.auth else Replies.NOT_TRUSTED
        if not self._take_seat(account):
            return Farewell(Replies.ACCOUNT_CONNECTIONS, "too many connections of one account")
        return account

    def _take_seat(self, account: Account) -> bool:
        """Count this session for an account: at its login, or at the first MAIL of a trusted network."""
        if self._seated is not None and self._seated.name == account.name:
            return True
        self.leave()
        if not self._lobby.seats.take(account):
            return False
        self._seated = account
        return True

    def _greeted(self, argument: bytes, *, extended: bool) -> None:
        self._session.host_name = argument.decode("ascii", "replace")
        self._session.extended_smtp = extended
        self._transaction = None  # RFC 5321 §4.1.4: as if RSET

    def _not_yet(self) -> Reply | None:
        if self._needs_tls():
            return Replies.TLS_REQUIRED
        return None if self._session.host_name else Replies.BAD_SEQUENCE.saying("EHLO first")

    def _no_login(self) -> Reply | None:
        if not self._rules.auth:
            return Replies.NOT_IMPLEMENTED
        if not may_log_in(self._rules, self._client, has_tls=self._has_tls()):
            return Replies.AUTH_NEEDS_TLS
        is_late = self._session.authenticated or self._transaction is not None  # RFC 4954 §4
        return Replies.BAD_SEQUENCE if is_late else None

    def _exchanged(self, step: bytes | LoginPassword | Reply) -> Answer:
        if isinstance(step, bytes):
            return Text(challenge_line(step))
        self._exchange = None
        if isinstance(step, LoginPassword):
            self._admission.ask_for(credentials_text(step)[0])
        return step

    def _has_tls(self) -> bool:
        return self._session.ssl is not None

    def _needs_tls(self) -> bool:
        return needs_tls(self._rules, has_tls=self._has_tls())
