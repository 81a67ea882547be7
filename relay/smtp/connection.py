"""One client's connection: bytes in, bytes out, and whose turn it is.

aiosmtpd's protocol class stays underneath, with its session and its names; its hot path is replaced: no coroutine runs
for each command, nothing is logged for each line, and DATA is searched by chunks (`tests/bench/bench_door.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar, cast

from aiosmtpd.smtp import LoginPassword

from relay.clients import client_address
from relay.outcome import Replies, Reply
from relay.smtp.answers import Action, Answer, Chunk, Farewell, Text
from relay.smtp.auth import credentials_text
from relay.smtp.bare import BareSMTP
from relay.smtp.commands import MAX_LINE
from relay.smtp.data import DataReader
from relay.smtp.deadlines import Deadlines, Phase
from relay.smtp.dialogue import UNTRUSTED_PROXY, Dialogue
from relay.smtp.inbox import Inbox
from relay.smtp.incoming import Taken
from relay.smtp.lineends import LineEnds
from relay.smtp.lobby import Guest, Lobby
from relay.smtp.proxy import SIGNATURE
from relay.smtp.secured import shake_hands
from relay.smtp.transaction import Transaction
from relay.smtp.wire import Wire, reply_line

_T = TypeVar("_T")

_INBOX_MAX = 65_536  # bytes taken ahead of their turn before reading stops; one read may come on top
_STEPS_MAX = 200  # commands answered before others get their turn: about 2 ms
_TLS_HELLO = b"\x16"  # first byte of a TLS handshake (RFC 8446 §5.1)

# Looked up once: the class of an Enum takes 0.2 µs to find a member, a hundred times for each message.
_SECURING, _COMMAND, _DATA = Phase.SECURING, Phase.COMMAND, Phase.DATA
_STALLED, _WORKING, _CLOSING, _GONE = Phase.STALLED, Phase.WORKING, Phase.CLOSING, Phase.GONE
_READ_DATA, _ALL, _SOME, _NOTHING = Action.READ_DATA, Taken.ALL, Taken.SOME, Taken.NOTHING
_LISTENING = (_COMMAND, _DATA)


class Connection(BareSMTP):
    """The asyncio protocol of one client."""

    def __init__(self, lobby: Lobby, loop: asyncio.AbstractEventLoop, forerunner: Guest | None = None) -> None:
        super().__init__(lobby, loop)
        self.client = ""
        self._lobby = lobby
        self._forerunner = forerunner  # who has been let in for this client already; None: nobody
        self._phase = _COMMAND
        self._deadlines = Deadlines(lobby.rules, loop.time)
        self._inbox = Inbox()
        self._swallowing = False  # the line is too long: drop until its end
        self._at_end = False  # the client has closed its half
        self._goes_on = False  # more of the inbox will be answered when others have had their turn
        self._dismissed = False  # the gateway is stopping
        self._at_work = False  # a login is checked, or a message taken, whether the client is there or not
        self._line_end = b""  # of the last command
        self._incoming = lobby.incoming(self._has_room)

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the client in, or say why not."""
        self._wire = Wire(cast("asyncio.Transport", transport))  # TCP listeners have no other; uvloop's is no subclass
        self.client = (
            self._forerunner.client if self._forerunner else client_address(transport.get_extra_info("peername"))
        )
        self._guard(self._enter)

    def data_received(self, data: bytes) -> None:
        """Take bytes, at once if it is the client's turn."""
        if self._phase in (_CLOSING, _GONE):
            return
        self._inbox.put(data)
        self._advance()
        if len(self._inbox) > _INBOX_MAX:
            self._wire.read(on=False)

    def eof_received(self) -> bool:
        """Hear that nothing more will come; keep our half open where something is still to be said."""
        self._at_end = True
        return self._goes_on or self._phase in (_WORKING, _STALLED, _SECURING) or self._wire.blocked

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the client. A message whose final dot arrived goes on without it."""
        self._drop_incoming()
        self._phase = _GONE
        self._inbox.take()
        if self.session is not None:  # the client was let in
            self._dialogue.leave()
        self._lobby.leave(self)

    def pause_writing(self) -> None:
        """Take no more from a client that does not read the replies; cut it when it stays so."""
        self._wire.blocked = True
        self._wire.read(on=False)
        self._deadlines.blocked()

    def resume_writing(self) -> None:
        """Go on."""
        self._wire.blocked = False
        self._deadlines.unblocked()
        if self._phase in _LISTENING:
            self._turn_to(self._phase)
            self._advance()

    async def handle_exception(self, error: Exception) -> str:
        """Say 451 where aiosmtpd would say 500 and show the error's text."""
        return str(self._excuse(error))

    # --- what the lobby calls ---

    def look_at_clock(self, now: float) -> None:
        """Notice a deadline that is over."""
        if self._deadlines.is_unread(now):
            self.abort()
        elif not self._deadlines.is_over(now):
            return
        elif self._phase is _CLOSING or self._wire.blocked:
            self.abort()
        elif self._phase is _STALLED:
            self._starve()
        else:
            self._perform(self._deadlines.farewell)

    def dismiss(self) -> None:
        """Say 421 now, or after the reply to a message whose final dot arrived."""
        self._dismissed = True
        if self._phase is _SECURING:
            self.abort()
        elif self._phase is not _WORKING:
            self._part(Replies.SHUTTING_DOWN, lingering=self._phase is not _COMMAND)

    def abort(self) -> None:
        """Cut the connection."""
        self._wire.abort()

    # --- the client's turn ---

    def _enter(self) -> bool:
        if not self._is_admitted():
            self._phase = _GONE
            self._wire.finish(lingering=False)
            return False
        self._reset()
        self._wire.say(self._lobby.offer.greeting)
        self._wire.flush()
        self._deadlines.greeted()
        return True

    def _is_admitted(self) -> bool:
        if self._forerunner is not None:
            return self._lobby.hand_over(self._forerunner, self)
        refusal = self._lobby.refusal(self.client)
        if refusal is None:
            self._lobby.enter(self)
            return True
        reply, reason = refusal
        self._lobby.events.connection_refused(self._lobby.name, self.client, reason)
        self._wire.say(reply_line(reply))
        return False

    def _reset(self) -> None:
        session = self._create_session()
        session.peer = self.client
        secured = self._wire.transport.get_extra_info("ssl_object")
        session.ssl = {"ssl_object": secured} if secured is not None else None  # as aiosmtpd knows it
        self._dialogue = Dialogue(self._lobby, session)
        self.session = session

    def _advance(self) -> None:
        """Do what can be done with the bytes that are there, then write the replies."""
        self._goes_on = False
        for _ in range(_STEPS_MAX):
            if self._phase not in _LISTENING or self._wire.blocked:
                break
            if self._phase is _COMMAND and not self._inbox:
                self._rest()
                break
            if not self._guard(self._read_command if self._phase is _COMMAND else self._read_data):
                self._rest()
                break
        else:
            self._goes_on = True
            self.loop.call_soon(self._advance)
        self._wire.flush()

    def _rest(self) -> None:
        """Wait for more, if more can come."""
        if self._phase not in _LISTENING:
            return
        if self._at_end:
            self._close()
        elif not self._wire.blocked:
            self._wire.read(on=True)

    def _read_command(self) -> bool:
        """Answer one line; False: there is no whole one."""
        line = self._inbox.line()
        if line is None:
            if self._inbox.begins_with(_TLS_HELLO):
                self._perform(Farewell(Replies.NOT_SMTP, "speaks TLS where it must begin in clear"))
            elif len(self._inbox) > MAX_LINE:
                self._swallowing = True
                self._inbox.take()
            return False
        if line == b"\r\n" and self._inbox.begins_with(SIGNATURE[len(line) :]):
            return self._perform(Farewell(Replies.NOT_SMTP, UNTRUSTED_PROXY))
        self._deadlines.turn(_COMMAND)
        self._line_end = line[-2:]
        if self._swallowing or len(line) > MAX_LINE:
            self._swallowing = False
            return self._perform(self._dialogue.answer_too_long())
        self._perform(self._dialogue.answer(line))
        if self._incoming.holds_memory and not self._dialogue.has_chunks:
            self._drop_incoming()  # the transaction was given up between two chunks
        return True

    def _read_data(self) -> bool:
        """Take in what is there of the message; False: it wants more, or room."""
        taken = self._incoming.take(self._inbox)
        if taken is _ALL:
            self._end_data()
            return True
        if taken is not _NOTHING:
            self._turn_to(_DATA if taken is _SOME else _STALLED)
        return False

    def _end_data(self) -> None:
        incoming = self._incoming
        chunk, fault = incoming.chunk, incoming.fault
        answer = self._dialogue.chunk_read(chunk, fault) if chunk else None
        if answer is None:
            transaction = self._dialogue.take_transaction()
            if fault is None:
                self._work(self._receive(transaction, incoming.whole()), self._finished)
                self._deadlines.taken()
                return
            incoming.drop()
            answer = self._dialogue.unfinished(fault)
        incoming.chunk = None
        self._turn_to(_COMMAND)
        self._perform(answer)

    async def _receive(self, transaction: Transaction, whole: Callable[[], Awaitable[bytes]]) -> Reply:
        account, reception = transaction.account, self._lobby.reception
        hearing = self._hearing(account.policy.mode)
        return await reception.receive(account, transaction.envelope(), await whole(), self.client, hearing)

    def _finished(self, reply: Reply) -> Answer:
        if reply.is_success:
            self._deadlines.accepted()
        return self._dialogue.finished(reply)

    def _hearing(self, mode: str) -> Callable[[], bool]:
        """Return what tells whether the client will hear the reply; one that closed its half may not await an API."""
        # With the disk alone nobody loses patience: it has said all that it had to say, and reads on.
        return lambda: self._phase is _WORKING and (mode == "queue" or not self._at_end)

    def _perform(self, answer: Answer) -> bool:
        """Say the answer, or do what it stands for."""
        if isinstance(answer, Reply):
            self._wire.say(reply_line(answer))
        elif isinstance(answer, Text):
            self._wire.say(answer.wire)
        elif isinstance(answer, Farewell):
            if answer.reason:
                self._lobby.events.connection_refused(self._lobby.name, self.client, answer.reason)
            self._part(answer.reply, lingering=not answer.reply.is_success)
        elif isinstance(answer, LoginPassword):
            return self._log_in(*credentials_text(answer))
        elif answer is _READ_DATA:
            self._wire.say(reply_line(Replies.SEND_DATA))
            rules = self._lobby.rules
            line_ends = LineEnds() if rules.line_ends == "normalise" else None
            reader = DataReader(rules.max_message_bytes, line_ends=line_ends, after=self._line_end)
            self._incoming.begin(reader, announced=self._dialogue.announced_bytes)
            self._turn_to(_DATA)
        elif isinstance(answer, Chunk):
            self._incoming.begin(answer.reader, answer)
            self._turn_to(_DATA)
        else:
            self._start_tls()
        return True

    def _log_in(self, login: str, password: str) -> bool:
        gatekeeper = self._lobby.gatekeeper
        account = gatekeeper.remembered(login, password, self.client)
        if account is not None:
            return self._perform(self._dialogue.logged_in(account))
        self._work(gatekeeper.authenticate(login, password, self.client), self._dialogue.logged_in)
        return True

    # --- our turn ---

    def _work(self, work: Coroutine[None, None, _T], then: Callable[[_T], Answer]) -> None:
        """Let a task find the answer, whatever the client does meanwhile; commands behind it wait."""
        self._turn_to(_WORKING)
        self._at_work = True
        self._lobby.begin(work, lambda task: self._worked(task, then))

    def _worked(self, task: asyncio.Task[_T], then: Callable[[_T], Answer]) -> None:
        self._at_work = False
        self._drop_incoming()
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        reply = None if error is None else self._excuse(error)
        if self._phase is not _WORKING:
            return  # the client is gone
        self._turn_to(_COMMAND)
        self._guard(lambda: self._perform(then(task.result()) if reply is None else reply))
        if self._dismissed:
            self._part(Replies.SHUTTING_DOWN, lingering=len(self._inbox) > 0)
        self._advance()

    def _start_tls(self) -> None:
        certificate = self._lobby.certificate
        if certificate is None:
            raise AssertionError("TLS is only begun where there is a certificate")
        if self._inbox:
            # Whoever sits in between could put commands before the handshake that we would take as said under TLS
            # (CVE-2011-0411). What comes later than this look breaks the handshake.
            self._perform(Farewell(Replies.SENT_BEFORE_TLS, "bytes between STARTTLS and handshake"))
            return
        self._wire.say(reply_line(Replies.TLS_READY))
        self._wire.flush()
        self._turn_to(_SECURING)
        self._wire.read(on=False)  # what comes now belongs to the handshake, which resumes reading
        handshake = shake_hands(self._wire.transport, self, certificate.context)
        self._lobby.begin(handshake, self._secured)

    def _secured(self, task: asyncio.Task[asyncio.Transport | None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._excuse(error)
        transport = None if task.cancelled() or error is not None else task.result()
        if transport is None or self._phase is not _SECURING:
            self._lobby.events.connection_refused(self._lobby.name, self.client, "tls handshake failed")
            self._wire.abort()
            self.connection_lost(None)  # asyncio does not say so after a broken handshake
            return
        self._wire = Wire(transport)
        self._guard(self._begin_again)
        self._advance()

    def _begin_again(self) -> bool:
        self._dialogue.leave()
        self._reset()  # RFC 3207 §4.2: nothing from before counts
        self._turn_to(_COMMAND)
        return True

    def _has_room(self) -> None:
        if self._phase is _STALLED:
            self._turn_to(_DATA)
            self._advance()

    def _starve(self) -> None:
        """Stop waiting for room: let the client finish, keep nothing, and say 452 then."""
        self._incoming.starve()
        self._turn_to(_DATA)
        self._advance()

    # --- small steps ---

    def _turn_to(self, phase: Phase) -> None:
        """Change whose turn it is, and with it the deadline."""
        self._phase = phase
        self._deadlines.turn(phase, self._incoming.size, self._incoming.refusal)
        if phase is _STALLED:
            self._wire.read(on=False)

    def _guard(self, step: Callable[[], bool]) -> bool:
        """Run a step; what nobody foresaw becomes 451 and a closed connection, never the client's reading."""
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - the client must not see it, nor the connection hang
            self._part(self._excuse(error))
            return False

    def _excuse(self, error: BaseException) -> Reply:
        self._lobby.events.unexpected("smtp", error, client=self.client)
        return Replies.OUR_FAULT

    def _part(self, reply: Reply, *, lingering: bool = True) -> None:
        """Say a last reply and close; `lingering`, for where the client may be sending still."""
        if self._phase not in (_CLOSING, _GONE):
            self._wire.say(reply_line(reply))
            self._close(lingering=lingering)

    def _drop_incoming(self) -> None:
        if not self._at_work:  # what is being taken is in memory still
            self._incoming.drop()

    def _close(self, *, lingering: bool = False) -> None:
        self._turn_to(_CLOSING)
        self._inbox.take()
        self._drop_incoming()
        self._wire.finish(lingering=lingering and not self._at_end)
