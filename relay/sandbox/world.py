"""The sandbox's memory: mails, calls, faults, campaigns, contacts, credits. Typed, for tests in the same process."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from relay.sandbox.dmds.book import Book
from relay.sandbox.dmds.campaigns import Campaigns
from relay.sandbox.dmds.panel import Panel
from relay.sandbox.faults import Fault, Faults
from relay.sandbox.journal import Call, Delivery, Journal, JournalFile
from relay.sandbox.mail import Fate, Mail
from relay.sandbox.mailroom import Mailroom
from relay.sandbox.mensatek.ledger import Ledger
from relay.sandbox.options import SHAPES, SandboxOptions

#: Estados of a failure that may pass: expired, mailbox full (client, siblings).
_SOFT = frozenset({53, 54})


class UnknownShapeError(Exception):
    """There is no such API or shape; the text names those there are."""


@dataclass(frozen=True, slots=True)
class Report:
    """One delivery report that was posted to the caller."""

    time: float
    mail_id: int
    message_id: str
    mailbox: str
    estado: int
    status: int  # HTTP status answered; 0: none
    error: str = ""  # why there was no answer


@dataclass(frozen=True, slots=True)
class DueReport:
    """Delivery reports of one mail that are to be posted, in order."""

    mail_id: int
    fields: dict[str, str]  # all but Estado
    states: tuple[int, ...]


class World:
    """Everything behind the two APIs."""

    def __init__(self, options: SandboxOptions, *, clock: Callable[[], float], new_eeid: Callable[[], str]) -> None:
        self.options = options
        self.clock = clock
        self.faults = Faults()
        self.shapes = {"mensatek": str(options.mensatek_shape), "dmds": str(options.dmds_shape)}
        self.ledger = Ledger(options.credits, first_id=int(clock() * 1000))
        self.campaigns = Campaigns(options.dmds_campaigns, new_key=lambda: new_eeid().replace("-", ""))
        self.panel = Panel(options.dmds_filters)
        self.book = Book(clock=clock, new_eeid=new_eeid, keep_events=options.keep_mails)
        self.due_reports: asyncio.Queue[DueReport] = asyncio.Queue()
        self.closing = asyncio.Event()
        self._file = JournalFile(options.journal) if options.journal else None
        self._waiters: set[asyncio.Future[None]] = set()
        self._journal = Journal(
            self._file,
            keep_bodies=options.keep_bodies,
            keep_body_bytes=options.keep_body_bytes,
            keep_calls=options.keep_mails,
        )
        self._empty()

    @property
    def mails(self) -> tuple[Mail, ...]:
        """The mails that mailboxes got, oldest first; bounced ones among them, see `Mail.fate`."""
        return self._mailroom.all()

    @property
    def calls(self) -> tuple[Call, ...]:
        """The API calls, in the order they were recorded."""
        return self._journal.all()

    @property
    def reports(self) -> tuple[Report, ...]:
        """The delivery reports that were posted, oldest first."""
        return tuple(self._reports)

    def mailbox(self, address: str) -> tuple[Mail, ...]:
        """What one mailbox sees."""
        return tuple(mail for mail in self._mailroom.of(address) if mail.fate is Fate.DELIVERED)

    def of(self, address: str) -> tuple[Mail, ...]:
        """What was sent to one mailbox, also what bounced."""
        return self._mailroom.of(address)

    def boxes(self) -> dict[str, int]:
        """How many mails each mailbox was sent, of those that are listed."""
        return self._mailroom.boxes()

    def mail(self, mail_id: int) -> Mail | None:
        """One mail by its id."""
        return self._mailroom.get(mail_id)

    def stats(self) -> dict[str, object]:
        """Exact counts, also of what is no longer listed."""
        return {**self._mailroom.counts(), "calls": dict(self._journal.counts), "not_sent": self.book.not_sent}

    def choose_shape(self, api: str, shape: str) -> None:
        """Answer in another of the documented shapes from now on.

        Raises:
            UnknownShapeError: there is no such API or shape.
        """
        if api not in SHAPES:
            raise UnknownShapeError(f"api: must be one of {', '.join(SHAPES)}")
        if shape not in SHAPES[api]:
            raise UnknownShapeError(f"shape: must be one of {', '.join(SHAPES[api])}")
        self.shapes[api] = shape

    def forget(self) -> None:
        """Empty every mailbox and the journal; faults, shapes, credits and known batches stay."""
        self._empty()
        self._journal.forget()
        self.book.forget()
        self._tell()

    async def until(self, met: Callable[["World"], bool], *, timeout_seconds: float = 10.0) -> None:
        """Wait for something to become true of this world, for tests in the same event loop.

        Raises:
            TimeoutError: it did not in time; the text holds the counts.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while not met(self):
                    waiter = asyncio.get_running_loop().create_future()
                    self._waiters.add(waiter)
                    await waiter
        except TimeoutError:
            raise TimeoutError(f"not so after {timeout_seconds:g} seconds: {self.stats()}") from None

    # --- for the APIs ---

    def next_call_id(self) -> int:
        """The number of the call that begins."""
        return self._journal.next_id()

    def meet_fault(self, api: str, function: str, *, sends: bool, recipients: tuple[str, ...]) -> Fault | None:
        """The fault that this call meets; it is used up for one call."""
        fault = self.faults.take(api, function, sends=sends, recipients=recipients)
        self._tell()
        return fault

    def deliver(self, mail: Mail) -> Mail:
        """Put a mail into its mailbox, unless the address is one that bounces."""
        state = self.bounce_state(mail.mailbox)
        fate = Fate.DELIVERED if not state else Fate.BOUNCED_SOFT if state in _SOFT else Fate.BOUNCED_HARD
        return self._mailroom.put(mail, fate, self.clock())

    def bounce_state(self, address: str) -> int:
        """The Estado with which mail to this address bounces; 0: it does not."""
        folded = address.casefold()
        return next((state for part, state in self.options.bounces.items() if part.casefold() in folded), 0)

    async def record(self, call: Call, mails: Iterable[Mail]) -> None:
        """Keep a call before it is answered; on disk where there is a journal file."""
        await self._journal.record(call, mails)
        self._tell()

    def finish(self, call_id: int, status: int, answer: Delivery) -> None:
        """Note what became of an answer."""
        self._journal.finish(call_id, status, answer)
        self._tell()

    def reported(self, report: Report) -> None:
        """Note a delivery report that was posted."""
        self._reports.append(report)
        del self._reports[: -max(self.options.keep_mails, 1)]
        self._tell()

    async def pause(self, seconds: float) -> None:
        """Let time go by, but not beyond the end of the sandbox."""
        try:
            async with asyncio.timeout(seconds):
                await self.closing.wait()
        except TimeoutError:
            return

    def close(self) -> None:
        """Finish the journal file."""
        if self._file:
            self._file.close()

    def _empty(self) -> None:
        options = self.options
        self._reports: list[Report] = []
        self._mailroom = Mailroom(
            keep_bodies=options.keep_bodies, keep_body_bytes=options.keep_body_bytes, keep_mails=options.keep_mails
        )

    def _tell(self) -> None:
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
