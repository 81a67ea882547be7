"""How many refusals a client may collect before it is turned away."""

from relay.outcome import Replies, Reply
from relay.smtp.answers import Answer, Farewell
from relay.smtp.lobby import Lobby

_MOST_TOLD = 100  # refusals that are told one by one, for each message at most
_CONSEQUENCES = ("RCPT", "DATA", "BDAT")  # refused for what went wrong before them, or one by one in a long list


class Patience:
    """Tells of refusals, and counts those that count."""

    def __init__(self, lobby: Lobby, client: str) -> None:
        self._lobby = lobby
        self._client = client
        self._errors = 0
        self._commands = 0
        self._pardons = 0
        self._has_told_of_surplus = False
        self._told = 0

    def pardon(self, number: int) -> None:
        """Let so many refused recipients pass in the transaction that begins: a list with bad addresses, or a pipeline
        behind a refused MAIL, is no attack.
        """
        self._pardons = number
        self._has_told_of_surplus = False

    def renew(self) -> None:
        """Forget errors and commands: the client has sent a message."""
        self._errors = self._commands = self._told = 0

    def weigh(self, verb: str, answer: Answer) -> Answer:
        """Return the answer, or the farewell that takes its place. What refuses nothing passes.

        `verb`: empty where it is none of ours, for what stands there may be a password that came at the wrong time.
        """
        if verb != "RCPT":  # its number has a limit of its own
            self._commands += 1
        if self._commands > self._lobby.rules.max_commands and not isinstance(answer, Farewell):
            return Farewell(Replies.TOO_MANY_COMMANDS, "too many commands")
        reply = answer.reply if isinstance(answer, Farewell) else answer
        if not isinstance(reply, Reply) or reply.is_success or (isinstance(answer, Farewell) and answer.reason):
            return answer  # a farewell with a reason is told of once, when the connection is closed for it
        if reply == Replies.TOO_MANY_RECIPIENTS:
            # No error, however many there are: smtplib gives all its recipients before it looks, and 421 in the middle
            # would cost those who were taken their mail (RFC 5321 §4.5.3.1.10).
            return self._tell_of_surplus(verb, answer, reply)
        self._tell(verb, reply)
        if isinstance(answer, Farewell) or self._is_pardoned(verb):
            return answer
        self._errors += 1
        if self._errors < self._lobby.rules.max_errors:
            return answer
        return Farewell(Replies.TOO_MANY_ERRORS, "too many errors")

    def _tell_of_surplus(self, verb: str, answer: Answer, reply: Reply) -> Answer:
        if not self._has_told_of_surplus:
            self._has_told_of_surplus = True  # once for each transaction: there may be thousands
            self._tell(verb, reply)
        return answer

    def _tell(self, verb: str, reply: Reply) -> None:
        """Tell of a refusal, unless that was done often: a list of bad recipients would fill the log."""
        self._told += 1
        if self._told <= _MOST_TOLD:
            is_last = self._told == _MOST_TOLD
            events = self._lobby.events
            events.command_refused(self._lobby.name, self._client, verb or "unknown", reply, is_last_told=is_last)

    def _is_pardoned(self, verb: str) -> bool:
        if verb not in _CONSEQUENCES or self._pardons <= 0:
            return False
        self._pardons -= 1
        return True
