"""What can be said of a delivery, and how it is said to an SMTP client.

Exactly three outcomes, one for each recipient, always. A `Reply` is what the client reads; this is the only
place where reply codes stand as numbers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class Blame(StrEnum):
    """Whose fault it is; it sets the log level and who must act."""

    MESSAGE = "message"  # the mail itself or an address in it
    ACCOUNT = "account"  # our credentials, credits or sender set-up at the provider
    PROVIDER = "provider"  # the API or the network on the way to it
    US = "us"  # the gateway: a bug, a full disk, a wrong setting


@dataclass(frozen=True, slots=True)
class Reply:
    """One SMTP reply: code, RFC 3463 status, and one line of ASCII that helps a person."""

    code: int
    enhanced: str  # RFC 3463 status such as "5.7.1"; empty only where the RFCs want none (220, 250 to EHLO, 354)
    text: str

    @property
    def is_success(self) -> bool:
        """Tell whether the client may take it as done."""
        return self.code < 400  # noqa: PLR2004

    @property
    def is_temporary(self) -> bool:
        """Tell whether the client should try again."""
        return 400 <= self.code < 500  # noqa: PLR2004

    def saying(self, text: str) -> "Reply":
        """Return the same codes with another text."""
        return Reply(self.code, self.enhanced, text)

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)


class Replies:
    """Every reply the gateway gives, by name. Use `saying` where the text should tell more."""

    OK = Reply(250, "2.0.0", "Ok")
    QUEUED = Reply(250, "2.0.0", "Ok: queued")
    ACCEPTED = Reply(250, "2.0.0", "Ok: sent")
    SENDER_OK = Reply(250, "2.1.0", "Ok")
    RECIPIENT_OK = Reply(250, "2.1.5", "Ok")
    AUTH_OK = Reply(235, "2.7.0", "Authentication successful")
    BYE = Reply(221, "2.0.0", "Bye")
    GREETING = Reply(220, "", "ESMTP")
    TLS_READY = Reply(220, "2.0.0", "Ready to start TLS")
    HELLO = Reply(250, "", "Hello")
    CANNOT_VERIFY = Reply(252, "2.5.0", "Cannot verify; send the mail and delivery is tried")
    CHALLENGE = Reply(334, "", "")
    SEND_DATA = Reply(354, "", "End data with <CR><LF>.<CR><LF>")

    NOT_SMTP = Reply(421, "4.7.0", "This is an SMTP server; closing")
    SHUTTING_DOWN = Reply(421, "4.3.2", "The gateway is stopping; try again in a minute")
    RULES_CHANGED = Reply(421, "4.3.2", "The configuration has changed; connect again")
    TOO_MANY_CONNECTIONS = Reply(421, "4.7.0", "Too many connections; try again later")
    ACCOUNT_CONNECTIONS = Reply(421, "4.7.0", "This account has too many connections; close some or try again later")
    TIMED_OUT = Reply(421, "4.4.2", "Nothing came in time; closing")
    NO_MESSAGE = Reply(421, "4.4.2", "No message came for a long time; closing")
    TOO_SLOW = Reply(421, "4.4.2", "The message came too slowly; closing")
    ANSWER_TAKES_LONG = Reply(421, "4.4.0", "The answer takes too long; send the message again later")
    TOO_MANY_COMMANDS = Reply(421, "4.7.0", "Too many commands without a message; closing")
    TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors; closing")
    CLIENT_BLOCKED = Reply(421, "4.7.0", "Too many failed logins from your address; try again later")
    OUR_FAULT = Reply(451, "4.3.0", "Something went wrong here; nothing was accepted, try again later")
    STORE_UNAVAILABLE = Reply(451, "4.3.0", "The mail store does not answer; try again later")
    PROVIDER_UNAVAILABLE = Reply(451, "4.4.0", "The email provider could not take it now; try again later")
    STORE_FULL = Reply(452, "4.3.1", "Not enough storage; try again later")
    TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients in one transaction; send the rest in another")
    RATE_LIMITED = Reply(452, "4.7.1", "The account's limit is reached")
    AUTH_UNAVAILABLE = Reply(454, "4.7.0", "The login cannot be checked now; try again later")

    UNKNOWN_COMMAND = Reply(500, "5.5.2", "Command not recognized")
    LINE_TOO_LONG = Reply(500, "5.5.2", "Command line too long")
    BARE_LINE_FEED = Reply(500, "5.5.2", "Lines must end with CR LF; closing")
    BAD_SYNTAX = Reply(501, "5.5.4", "Syntax error in parameters")
    BAD_SENDER_SYNTAX = Reply(501, "5.1.7", "Sender address is not valid")
    BAD_RECIPIENT_SYNTAX = Reply(501, "5.1.3", "Recipient address is not valid")
    AUTH_CANCELLED = Reply(501, "5.7.0", "Authentication cancelled")
    BAD_BASE64 = Reply(501, "5.5.2", "The response is not base64")
    UNKNOWN_MECHANISM = Reply(504, "5.5.4", "Authentication mechanism not supported; use PLAIN or LOGIN")
    BAD_SEQUENCE = Reply(503, "5.5.1", "Bad sequence of commands")
    NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
    UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognized")
    AUTH_REQUIRED = Reply(530, "5.7.0", "Authentication required")
    TLS_REQUIRED = Reply(530, "5.7.0", "Must issue a STARTTLS command first")
    AUTH_FAILED = Reply(535, "5.7.8", "Login or password is wrong")
    AUTH_NEEDS_TLS = Reply(538, "5.7.11", "Encryption is required for authentication; use STARTTLS")
    NO_SUCH_RECIPIENT = Reply(550, "5.1.1", "The provider refused the recipient")
    SENDER_NOT_ALLOWED = Reply(550, "5.7.1", "This account may not send as that sender")
    REFUSED_BY_PROVIDER = Reply(554, "5.0.0", "The email provider refused the message")
    NOT_TRUSTED = Reply(550, "5.7.1", "Your address may not send here, and there is no login")
    NEEDS_SMTPUTF8 = Reply(553, "5.6.7", "Addresses that are not ASCII need SMTPUTF8")
    SENT_BEFORE_TLS = Reply(554, "5.7.0", "Bytes came between STARTTLS and the handshake (CVE-2011-0411); closing")
    TOO_BIG = Reply(552, "5.3.4", "The message is larger than allowed")
    NO_VALID_RECIPIENTS = Reply(554, "5.5.1", "No valid recipients")
    BAD_CONTENT = Reply(554, "5.6.0", "The message cannot be read")
    CANNOT_CONVERT = Reply(554, "5.6.3", "The message holds what the email provider cannot carry")
    BAD_POWER = Reply(554, "5.6.0", "A header of the gateway has a bad value")
    LOOP = Reply(554, "5.4.6", "Too many hops: the message is going round in a loop")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The API took it for this recipient."""

    provider_message_id: str = ""  # Mensatek idMensaje; empty where the API gives none
    provider_batch_id: str = ""  # Mensatek idEnvio, DMDS eeid
    remark: str = ""  # what did not add up although it was taken; empty: nothing
    sent_count: int | None = None  # mails the API counted for the whole call, where that differs from its recipients


@dataclass(frozen=True, slots=True)
class Refused:
    """The API or the translation proved that it will never be taken for this recipient."""

    reason: str  # for log and history; may quote the provider, cleaned; never shown to an SMTP client
    reply: Reply = Replies.REFUSED_BY_PROVIDER
    blame: Blame = Blame.MESSAGE
    somebody_in_call: bool = False  # the API refused the whole call for a recipient that it does not name


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not taken yet, or nobody knows: unknown is temporary."""

    reason: str  # for log and history; may quote the provider, cleaned; never shown to an SMTP client
    blame: Blame = Blame.PROVIDER
    maybe_accepted: bool = False  # the API may have it already: look for proof before trying again
    retry_after_seconds: float | None = None  # what the API asked for; None: it did not say
    was_tried: bool = True  # False: no call was made for it in this attempt


Outcome = Accepted | Refused | Deferred


def combined_reply(outcomes: Iterable[Outcome]) -> Reply:
    """Say in one reply what happened to all recipients of a message sent while the client waits.

    All refused is permanent; nothing accepted but something deferred is temporary; as soon as one has it the answer
    is 250, for anything else would make the client send again to those who have it. Whoever calls keeps or reports
    the rest.
    """
    refusals: list[Refused] = []
    deferrals: list[Deferred] = []
    for outcome in outcomes:
        match outcome:
            case Accepted():
                return Replies.ACCEPTED
            case Refused():
                refusals.append(outcome)
            case Deferred():
                deferrals.append(outcome)
            case _:
                assert_never(outcome)
    if deferrals:
        return Replies.PROVIDER_UNAVAILABLE
    return refusals[0].reply if refusals else Replies.NO_VALID_RECIPIENTS
