"""One mail transaction while it is put together: MAIL, then RCPT (RFC 5321 §3.3)."""

from relay.accounts.account import Account
from relay.message import Envelope, EnvelopeRecipient
from relay.outcome import Replies, Reply
from relay.smtp.chunks import ChunkReader
from relay.smtp.commands import Mail, read_mail, read_rcpt
from relay.smtp.lobby import Lobby
from relay.smtp.sentas import sender_address


class Transaction:
    """What MAIL and RCPT said so far."""

    __slots__ = ("_chunks", "_failure", "_mail", "_recipients", "account")

    def __init__(self, account: Account, mail: Mail) -> None:
        self.account = account
        self._mail = mail
        self._recipients: list[EnvelopeRecipient] = []
        self._chunks: ChunkReader | None = None  # the message so far, once BDAT has begun
        self._failure: Reply | None = None  # why a chunk was refused: the message can only be given up

    @property
    def has_recipients(self) -> bool:
        """Tell whether DATA makes sense."""
        return bool(self._recipients)

    @property
    def announced_bytes(self) -> int:
        """Tell what SIZE said; 0: nothing."""
        return self._mail.parameters.size

    @property
    def has_chunks(self) -> bool:
        """Tell whether the message comes by BDAT; then there is no way back to RCPT or DATA."""
        return self._chunks is not None

    @property
    def needs_chunks(self) -> bool:
        """Tell whether DATA could not carry it (RFC 3030 §3)."""
        return self._mail.parameters.binary

    def expect(self, octets: int, *, max_bytes: int) -> tuple[ChunkReader, Reply | None]:
        """Begin the next chunk; the refusal to be said behind it, if it cannot be taken."""
        chunks = self._chunks = self._chunks or ChunkReader()
        if self._failure is None and not self._recipients:
            self._failure = Replies.NO_VALID_RECIPIENTS
        if self._failure is None and chunks.size + octets > max_bytes:
            self._failure = Replies.TOO_BIG
        if self._failure is not None:
            chunks.discard()
        chunks.begin(octets)
        return chunks, self._failure

    def fail(self, reply: Reply) -> None:
        """Refuse whatever else comes of the message: a part of it is lost."""
        self._failure = reply

    def add(self, argument: bytes, *, max_recipients: int) -> Reply:
        """Take what follows RCPT; the same recipient twice is no error."""
        if len(self._recipients) >= max_recipients:
            return Replies.TOO_MANY_RECIPIENTS
        recipient = read_rcpt(argument, smtputf8=self._mail.parameters.smtputf8)
        if isinstance(recipient, Reply):
            return recipient
        self._recipients.append(recipient)
        return Replies.RECIPIENT_OK

    def envelope(self) -> Envelope:
        """Return it frozen."""
        parameters = self._mail.parameters
        return Envelope(self._mail.sender, tuple(self._recipients), parameters.ret, parameters.envid)


def open_transaction(lobby: Lobby, account: Account, argument: bytes) -> Transaction | Reply:
    """Take what follows MAIL, if the account may send as that sender and the size announced is allowed."""
    fixed = sender_address(lobby.rules.sender)
    mail = read_mail(argument, is_replaced=bool(fixed))
    if isinstance(mail, Reply):
        return mail
    if mail.parameters.size > lobby.rules.max_message_bytes:
        return Replies.TOO_BIG  # RFC 1870 §6.1: before the client has sent it all
    refusal = lobby.gatekeeper.refuse_sender(account, fixed or mail.sender)
    return refusal or lobby.reception.refuse_size(account, mail.parameters.size) or Transaction(account, mail)
