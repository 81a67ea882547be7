"""What becomes of recipients at the API."""

from prometheus_client import Histogram

from relay.events.telling import SECONDS, Telling, children
from relay.log import Logger
from relay.outcome import Blame


class DeliveryEvents(Telling):
    """Told by who makes the calls."""

    def __init__(self, log: Logger) -> None:
        super().__init__(log)
        counter = self._counter
        self._recipients = counter("relay_recipients", "Recipients by the outcome of an attempt", "provider", "outcome")
        self._finished = counter(
            "relay_recipients_finished", "Recipients that came to a final state", "provider", "state"
        )
        self._unconfirmed = counter(
            "relay_unconfirmed", "Recipients that an API may have accepted without saying so", "provider"
        )
        self._duplicates = counter("relay_possible_duplicates", "Recipients tried again without proof", "provider")
        self._looks = counter(
            "relay_proof_looks",
            "Questions to an API about mail that it may have; result: told or failed",
            "provider",
            "result",
        )
        self._proven = counter(
            "relay_proof_found", "Recipients proven to have been accepted though no answer came", "provider"
        )
        self._acts = counter("relay_operator_acts", "What people did to kept messages by hand", "verb")
        self._discrepancies = counter(
            "relay_sent_count_differs", "Answers whose count differs from the recipients", "provider"
        )
        self._pauses = counter(
            "relay_account_pauses", "Pauses of accounts whose credentials or credits were refused", "provider"
        )
        self._troubles = counter(
            "relay_account_troubles", "Pauses of accounts because the API failed call after call", "provider"
        )
        self._call_seconds = children(
            Histogram(
                "relay_call_seconds",
                "Time of one API call",
                ["provider"],
                buckets=SECONDS,
                registry=self.registry,
            )
        )

    def operator_acted(
        self,
        who: str,
        *,
        verb: str,
        account: str,
        provider: str,
        messages: int,
        recipients: int,
        noted: int,
        doubtful: int,
    ) -> None:
        """A person acted on kept messages. `noted`: messages where it waits for an attempt to end; `doubtful`:
        recipients that may get a second copy by it.
        """
        self._acts(verb).inc()
        self._duplicates(provider).inc(doubtful)
        self._log.warning(
            "operator_acted",
            who=who,
            verb=verb,
            account=account,
            provider=provider,
            messages=messages,
            recipients=recipients,
            noted=noted,
            doubtful=doubtful,
        )

    def call_finished(
        self,
        message_id: str,
        *,
        account: str,
        provider: str,
        function: str,
        seconds: float,
        accepted: int,
        refused: int,
        deferred: int,
        reason: str,
        batch_id: str,
    ) -> None:
        """One API call ended; one line each. `reason`: of the first recipient that was not accepted."""
        self._call_seconds(provider).observe(seconds)
        for outcome, count in (("accepted", accepted), ("refused", refused), ("deferred", deferred)):
            child = self._recipients(provider, outcome)  # made where there is none, so that what never happened shows 0
            if count:
                child.inc(count)
        log = self._log.info if not (refused or deferred) else self._log.warning
        log(
            "call_finished",
            message_id=message_id,
            account=account,
            provider=provider,
            function=function,
            seconds=round(seconds, 4),
            accepted=accepted,
            refused=refused,
            deferred=deferred,
            reason=reason,
            batch_id=batch_id,
        )

    def recipient_finished(
        self,
        message_id: str,
        *,
        provider: str,
        recipient: str,
        state: str,
        reason: str,
        provider_message_id: str = "",
    ) -> None:
        """A recipient came to a final state."""
        self._finished(provider, state).inc()
        log = self._log.debug if state == "accepted" else self._log.warning
        log(
            "recipient_finished",
            message_id=message_id,
            provider=provider,
            recipient=recipient,
            state=state,
            reason=reason,
            provider_message_id=provider_message_id,
        )

    def recipient_unconfirmed(self, message_id: str, *, provider: str, recipient: str, reason: str) -> None:
        """The API may have taken it without saying so."""
        self._unconfirmed(provider).inc()
        self._log.warning(
            "recipient_unconfirmed",
            message_id=message_id,
            provider=provider,
            recipient=recipient,
            reason=reason,
        )

    def retried_unconfirmed(self, message_id: str, *, provider: str, recipient: str) -> None:
        """Tried again without proof, as the account asks: a second copy is possible."""
        self._duplicates(provider).inc()
        self._log.warning("retried_unconfirmed", message_id=message_id, provider=provider, recipient=recipient)

    def proof_sought(self, account: str, *, provider: str, messages: int, traces: int) -> None:
        """The API was asked what it made of messages in doubt, and told of so many mails."""
        self._looks(provider, "told").inc()
        self._log.info("proof_sought", account=account, provider=provider, messages=messages, traces=traces)

    def proof_found(self, message_id: str, *, provider: str, recipient: str) -> None:
        """An attempt without an answer is proven to have been accepted."""
        self._proven(provider).inc()
        self._log.info("proof_found", message_id=message_id, provider=provider, recipient=recipient)

    def proof_unavailable(self, account: str, *, provider: str, reason: str, seconds: float) -> None:
        """The API could not be asked what it made; it is left alone with such questions for a while."""
        self._looks(provider, "failed").inc()
        self._log.warning(
            "proof_unavailable", account=account, provider=provider, reason=reason, seconds=round(seconds)
        )

    def recipient_held(self, message_id: str, *, provider: str, recipient: str, reason: str) -> None:
        """A recipient waits for a person."""
        self._log.error("recipient_held", message_id=message_id, provider=provider, recipient=recipient, reason=reason)

    def sent_count_differs(self, message_id: str, *, provider: str, expected: int, sent: int) -> None:
        """The API counted more or fewer mails than the call had recipients."""
        self._discrepancies(provider).inc()
        self._log.error("sent_count_differs", message_id=message_id, provider=provider, expected=expected, sent=sent)

    def account_paused(self, account: str, *, provider: str, reason: str, seconds: float) -> None:
        """Credentials, credits or set-up were refused: somebody must act, the mail waits."""
        self._pauses(provider).inc()
        self._log.error("account_paused", account=account, provider=provider, reason=reason, seconds=round(seconds))

    def account_in_trouble(self, account: str, *, provider: str, reason: str, seconds: float) -> None:
        """The API failed call after call: the account is left alone for a while, then tried by one call at a time."""
        self._troubles(provider).inc()
        self._log.warning(
            "account_in_trouble", account=account, provider=provider, reason=reason, seconds=round(seconds)
        )

    def account_resumed(self, account: str, *, provider: str) -> None:
        """A paused account works again."""
        self._log.info("account_resumed", account=account, provider=provider)

    def delivery_impossible_now(self, message_id: str, *, account: str, reason: str, blame: Blame) -> None:
        """A message could not even be tried; it waits."""
        self._log.error(
            "delivery_impossible_now",
            message_id=message_id,
            account=account,
            reason=reason,
            blame=blame.value,
        )
