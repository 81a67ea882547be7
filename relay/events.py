"""The closed list of what is logged and counted: one method for each event.

Nobody else logs or counts. No method takes a body, a subject, a password or a key, so none can be told.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from relay.log import Logger
from relay.mime.content import Note
from relay.outcome import Blame, Reply

_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)
_REMEMBERED = 4096  # children of one metric
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Events:
    """What happens, told to the log and to the metrics."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self.registry = CollectorRegistry()
        counter = self._counter
        self._connections = _children(
            Gauge("relay_connections", "SMTP connections open", ["listener"], registry=self.registry)
        )
        self._refused_connections = counter(
            "relay_connections_refused", "Connections turned away", "listener", "reason"
        )
        self._logins = counter("relay_logins", "Logins by result: accepted, refused, unavailable, blocked", "result")
        self._messages = counter("relay_messages_accepted", "Messages answered with 250", "account", "mode")
        self._message_bytes = self._total("relay_message_bytes", "Bytes of messages answered with 250")
        self._refused_messages = counter("relay_messages_refused", "Messages refused after DATA, by reply code", "code")
        self._repeated = self._total(
            "relay_messages_repeated", "Messages that came again after their 250 was not heard"
        )
        self._notes = counter("relay_fidelity_notes", "Fidelity notes on accepted messages", "code")
        self._recipients = counter("relay_recipients", "Recipients by the outcome of an attempt", "provider", "outcome")
        self._finished = counter(
            "relay_recipients_finished", "Recipients that came to a final state", "provider", "state"
        )
        self._unconfirmed = counter(
            "relay_unconfirmed", "Recipients that an API may have accepted without saying so", "provider"
        )
        self._duplicates = counter("relay_possible_duplicates", "Recipients tried again without proof", "provider")
        self._discrepancies = counter(
            "relay_sent_count_differs", "Answers whose count differs from the recipients", "provider"
        )
        self._pauses = counter(
            "relay_account_pauses", "Pauses of accounts whose credentials or credits were refused", "provider"
        )
        self._store_errors = self._total("relay_store_errors", "Failed operations on the store")
        self._unexpected = counter("relay_unexpected_errors", "Errors nobody foresaw", "where")
        self._workers_lost = self._total("relay_workers_lost", "Workers that ended without being asked to")
        self._accept_seconds = Histogram(
            "relay_accept_seconds",
            "Time from the end of DATA to its reply",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._call_seconds = _children(
            Histogram(
                "relay_call_seconds",
                "Time of one API call",
                ["provider"],
                buckets=_SECONDS,
                registry=self.registry,
            )
        )

    def speak_by(self, log: Logger) -> None:
        """Go on with another logger."""
        self._log = log

    # --- the program ---

    def started(self, version: str, settings: dict[str, object]) -> None:
        """The program runs with these settings, secrets masked."""
        self._log.info("started", version=version, settings=settings)

    def stopped(self, unfinished: int) -> None:
        """The program ends; so many calls were still under way."""
        self._log.info("stopped", unfinished_calls=unfinished)

    def descriptors_short(self, reason: str) -> None:
        """The system allows fewer descriptors than the settings may ask for."""
        self._log.warning("descriptors_short", reason=reason)

    def listener_opened(self, listener: str, address: str, tls: str) -> None:
        """A door is open."""
        self._log.info("listener_opened", listener=listener, address=address, tls=tls)

    def worker_began(self, number: int) -> None:
        """A worker serves."""
        self._log.info("worker_began", worker=number)

    def worker_failed(self, number: int, reason: str) -> None:
        """A worker could not begin; it is tried again."""
        self._log.error("worker_failed", worker=number, reason=reason)

    def worker_ended(self, number: int, code: int, *, was_asked: bool) -> None:
        """A worker is gone, by this exit code (negative: by that signal); one that was not asked to is replaced."""
        if was_asked:
            self._log.info("worker_ended", worker=number, code=code)
            return
        self._workers_lost.inc()
        self._log.error("worker_ended", worker=number, code=code)

    def listener_closed(self, listener: str) -> None:
        """A door is no longer configured, and takes nobody more."""
        self._log.info("listener_closed", listener=listener)

    def reloaded(self, needs_restart: Sequence[str]) -> None:
        """The configuration was read again and holds; but for these keys, whose change needs a restart."""
        log = self._log.warning if needs_restart else self._log.info
        log("reloaded", needs_restart=list(needs_restart))

    def reload_refused(self, reason: str) -> None:
        """The configuration was read again and is wrong; the one in use stays."""
        self._log.error("reload_refused", reason=reason)

    def certificate_renewed(self, listener: str) -> None:
        """A listener took the certificate that its files hold now."""
        self._log.info("certificate_renewed", listener=listener)

    def certificate_refused(self, listener: str, reason: str) -> None:
        """A listener's certificate files changed for the worse; the one in use stays."""
        self._log.error("certificate_refused", listener=listener, reason=reason)

    def web_opened(self, address: str) -> None:
        """The pages are up."""
        self._log.info("web_opened", address=address)

    def unexpected(self, where: str, error: BaseException, **about: str) -> None:
        """Something nobody foresaw, with its traceback."""
        self._unexpected(where).inc()
        self._log.error("unexpected_error", where=where, exc_info=error, **about)

    # --- the front door ---

    def connected(self, listener: str, client: str) -> None:
        """A client connected."""
        self._connections(listener).inc()
        self._log.debug("connected", listener=listener, client=client)

    def disconnected(self, listener: str, client: str) -> None:
        """A client is gone."""
        self._connections(listener).dec()
        self._log.debug("disconnected", listener=listener, client=client)

    def connection_refused(self, listener: str, client: str, reason: str) -> None:
        """A client was turned away at the door."""
        self._refused_connections(listener, reason).inc()
        self._log.warning("connection_refused", listener=listener, client=client, reason=reason)

    def command_refused(self, listener: str, client: str, verb: str, reply: Reply) -> None:
        """A command other than DATA got a refusal."""
        self._log.info(
            "command_refused",
            listener=listener,
            client=client,
            verb=verb,
            code=reply.code,
            enhanced=reply.enhanced,
            text=reply.text,
        )

    def login_accepted(self, login: str, account: str, client: str) -> None:
        """A login was right."""
        self._logins("accepted").inc()
        self._log.debug("login_accepted", login=login, account=account, client=client)

    def login_refused(self, login: str, client: str, reason: str) -> None:
        """A login was wrong."""
        self._logins("refused").inc()
        self._log.warning("login_refused", login=login, client=client, reason=reason)

    def login_unavailable(self, login: str, client: str, reason: str) -> None:
        """A login could not be checked."""
        self._logins("unavailable").inc()
        self._log.warning("login_unavailable", login=login, client=client, reason=reason)

    def login_blocked(self, login: str, client: str) -> None:
        """A login was not even checked, after too many failures."""
        self._logins("blocked").inc()
        self._log.warning("login_blocked", login=login, client=client)

    # --- taking responsibility ---

    def message_accepted(
        self,
        message_id: str,
        *,
        account: str,
        mode: str,
        client: str,
        mail_from: str,
        recipients: int,
        size: int,
        notes: Sequence[Note],
        seconds: float,
        queued: bool,
    ) -> None:
        """A message got its 250. `queued`: something of it is kept for the worker."""
        self._messages(account, mode).inc()
        self._message_bytes.inc(size)
        self._accept_seconds.observe(seconds)
        for note in notes:
            self._notes(note.code).inc()
        self._log.info(
            "message_accepted",
            message_id=message_id,
            account=account,
            mode=mode,
            client=client,
            mail_from=mail_from,
            recipients=recipients,
            size=size,
            queued=queued,
            seconds=round(seconds, 4),
            notes=[f"{note.code}: {note.text}" for note in notes],
        )

    def message_refused(
        self,
        message_id: str,
        *,
        account: str,
        client: str,
        mail_from: str,
        recipients: int,
        size: int,
        reply: Reply,
        reason: str = "",
    ) -> None:
        """A message was refused at the end of DATA; `reason` where the reply does not tell all."""
        self._refused_messages(str(reply.code)).inc()
        self._log.warning(
            "message_refused",
            message_id=message_id,
            account=account,
            client=client,
            mail_from=mail_from,
            recipients=recipients,
            size=size,
            code=reply.code,
            enhanced=reply.enhanced,
            text=reply.text,
            reason=reason,
        )

    def message_repeated(self, message_id: str, *, account: str) -> None:
        """A message came again whose client had not heard that it was taken; it is not sent again."""
        self._repeated.inc()
        self._log.warning("message_repeated", message_id=message_id, account=account)

    # --- delivery ---

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

    def recipient_held(self, message_id: str, *, provider: str, recipient: str, reason: str) -> None:
        """A recipient waits for a person."""
        self._log.error("recipient_held", message_id=message_id, provider=provider, recipient=recipient, reason=reason)

    def sent_count_differs(self, message_id: str, *, provider: str, expected: int, sent: int) -> None:
        """The API counted more or fewer mails than the call had recipients."""
        self._discrepancies(provider).inc()
        self._log.error("sent_count_differs", message_id=message_id, provider=provider, expected=expected, sent=sent)

    def body_unreadable(self, message_id: str, reason: str, is_held: bool) -> None:  # noqa: FBT001 - the queue calls it
        """A kept message's body cannot be read: it waits for a person, or for the disk."""
        self._log.error("body_unreadable", message_id=message_id, reason=reason, is_held=is_held)

    def account_paused(self, account: str, *, provider: str, reason: str, seconds: float) -> None:
        """Credentials, credits or set-up were refused: somebody must act, the mail waits."""
        self._pauses(provider).inc()
        self._log.error("account_paused", account=account, provider=provider, reason=reason, seconds=round(seconds))

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

    def recovered(self, messages: int) -> None:
        """At start, so many messages were found in the middle of an attempt."""
        log = self._log.warning if messages else self._log.info
        log("recovered", messages=messages)

    def pruned(self, messages: int) -> None:
        """The history of so many finished messages was deleted, for its age."""
        self._log.info("pruned", messages=messages)

    def store_failed(self, what: str, error: str) -> None:
        """The store could not do something; nothing was changed."""
        self._store_errors.inc()
        self._log.error("store_failed", what=what, error=error)

    def _total(self, name: str, about: str) -> Counter:
        return Counter(name, about, registry=self.registry)

    def _counter(self, name: str, about: str, *labels: str) -> Callable[..., Counter]:
        return _children(Counter(name, about, labels, registry=self.registry))


def _children(metric: _Metric) -> Callable[..., _Metric]:
    """Give a metric's children by their labels' values; to look them up oneself takes a tenth of the library's time."""
    return lru_cache(_REMEMBERED)(metric.labels)
