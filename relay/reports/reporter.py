"""Telling senders: reports are made of what is owed, and sent until they are out.

Nothing here holds up mail: reports are made and sent beside it, each by itself, and a return route in trouble is tried
again by the rules of `retry`.
"""

import asyncio
import contextlib
from collections.abc import Callable

from relay.accounts.account import Gatekeeper
from relay.config.reports import ReportSettings
from relay.config.settings import AccountPolicy, RetrySettings
from relay.errors import QueueError
from relay.events import Events
from relay.message import Clock, new_message_id
from relay.queue.reporting import Report, Reports, ReportState, Untold
from relay.reports.composing import Occasion, compose, glance_at
from relay.reports.contract import Route, RouteTrouble
from relay.reports.telling import Told, lines_of, needs_no_report
from relay.retry import wait_seconds

#: Time between two looks at the store, in seconds.
_LOOK_EVERY = 2.0
#: Messages that are looked at in one go, and reports under way at once.
_AT_ONCE = 20
#: Longer than any route takes.
_LEASE_SECONDS = 300.0

#: Gives the route that settings choose. Raises RouteTrouble where there is none, or none any more.
RouteOf = Callable[[ReportSettings], Route]


class Reporter:
    """Makes reports and sends them, in the name of one owner."""

    def __init__(
        self,
        owner: str,
        *,
        reports: Reports,
        gatekeeper: Gatekeeper,
        defaults: AccountPolicy,
        route_of: RouteOf,
        hostname: str,
        retry: RetrySettings,
        random: Callable[[], float],
        events: Events,
        clock: Clock,
    ) -> None:
        """`defaults`: for mail of accounts that are gone."""
        self._owner = owner
        self._reports = reports
        self._gatekeeper = gatekeeper
        self._defaults = defaults
        self._route_of = route_of
        self._hostname = hostname
        self._retry = retry
        self._random = random
        self._events = events
        self._clock = clock
        self._stop = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Tell senders until `stop`."""
        while not self._stop.is_set():
            try:
                await self.make()
                await self.begin_sending()
            except QueueError as error:
                self._events.store_failed("report", str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await self._stop.wait()

    async def stop(self, within_seconds: float) -> int:
        """Begin nothing more, and wait so long for what is under way; returns how many did not end.

        Those are sent again by who takes over.
        """
        self._stop.set()
        if not self._under_way:
            return 0
        _, pending = await asyncio.wait(self._under_way, timeout=within_seconds)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        return len(pending)

    async def make(self) -> int:
        """Make the reports that are owed by now, until `stop`; returns how many messages were looked at."""
        looked_at = 0
        while not self._stop.is_set() and (untold := await self._reports.untold(_AT_ONCE)):
            told = [await self._tell_or_omit(each) for each in untold]
            looked_at += len(told)
            if not any(told):
                break  # somebody else tells of them
        return looked_at

    async def begin_sending(self) -> None:
        """Begin to send the reports that are due, as many as may be under way; none after `stop`."""
        room = _AT_ONCE - len(self._under_way)
        if not room or self._stop.is_set():
            return
        claimed = await self._reports.claim_reports(self._owner, room, _LEASE_SECONDS)
        if self._stop.is_set():  # nobody would wait for them: who takes over sends them
            return
        for report in claimed:
            task = asyncio.create_task(self._send(report), name=f"report {report.id}")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _tell_or_omit(self, untold: Untold) -> bool:
        try:
            return await self._tell(untold)
        except QueueError:
            raise
        except Exception as error:  # noqa: BLE001 - what cannot be made must not keep all other senders from being told
            self._events.unexpected("report", error, message_id=untold.message.id)
            self._events.report_omitted(untold.message.id, reason="the report could not be made")
            return await self._reports.told(untold, None)

    async def _tell(self, untold: Untold) -> bool:
        message = untold.message
        settings, provider = await self._settings_of(message.account)
        seen, lines = glance_at(untold), lines_of(untold)
        omitted = needs_no_report(seen) or ("" if settings.chosen_route != "none" else 'route is "none"')
        if omitted or not lines:
            is_told = await self._reports.told(untold, None)
            if is_told and lines:
                self._events.report_omitted(message.id, reason=omitted)
            return is_told
        occasion = Occasion(new_message_id(self._clock), self._clock(), self._hostname, provider)
        data = compose(untold, seen, occasion, settings)
        report = Report(occasion.id, message.id, message.account, message.envelope.mail_from, data, occasion.at)
        is_told = await self._reports.told(untold, report)
        if is_told:
            told = {line.told for line in lines}
            worst = next(each for each in Told if each in told)
            self._events.report_made(message.id, report_id=report.id, kind=worst.value, recipients=len(lines))
        return is_told

    async def _send(self, report: Report) -> None:
        try:
            settings, _ = await self._settings_of(report.account)
            trouble = await self._hand_over(report, settings)
            if trouble is not None:
                await self._failed(report, settings, trouble)
                return
            await self._reports.finish(report, ReportState.SENT)
        except QueueError as error:  # the lease ends by itself
            self._events.store_failed("report", str(error))
            return
        self._events.report_sent(report.message_id, report_id=report.id, route=settings.chosen_route)

    async def _hand_over(self, report: Report, settings: ReportSettings) -> RouteTrouble | None:
        try:
            await self._route_of(settings).send(report)
        except RouteTrouble as trouble:
            return trouble
        except Exception as error:  # noqa: BLE001 - one report's trouble is tried again, and no other's
            self._events.unexpected("report", error, message_id=report.message_id)
            return RouteTrouble("something went wrong here")
        return None

    async def _failed(self, report: Report, settings: ReportSettings, trouble: RouteTrouble) -> None:
        now, reason, route = self._clock(), trouble.reason, settings.chosen_route
        if trouble.is_permanent or now >= report.made_at + settings.max_age:
            await self._reports.finish(report, ReportState.GIVEN_UP, reason)
            self._events.report_given_up(report.message_id, report_id=report.id, route=route, reason=reason)
            return
        seconds = wait_seconds(report.attempts, None, self._retry, self._random)
        await self._reports.put_off(report, now + seconds, reason)
        self._events.report_deferred(
            report.message_id, report_id=report.id, route=route, reason=reason, seconds=seconds
        )

    async def _settings_of(self, account: str) -> tuple[ReportSettings, str]:
        """Return the account's settings, and its provider; an account that is gone has the defaults."""
        found = await self._gatekeeper.resolve(account)
        return (found.policy.reports, found.provider) if found else (self._defaults.reports, "")
