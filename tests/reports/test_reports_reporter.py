"""Telling senders: once, in the end, and whatever happens between."""

import asyncio
import threading

import pytest
from report_parts import failed_by_flufl

from relay.message import EnvelopeRecipient
from relay.outcome import Refused
from relay.queue.contract import Claim, Result, State
from relay.reports import reporter


async def test_a_failure_is_told_once(open_office):
    async with open_office() as office:
        message = await office.fail("ana@example.org", "eva@example.org")
        for _ in range(3):
            await office.round()

        (report,) = office.reports()
        assert {"ana@example.org", "eva@example.org"} == failed_by_flufl(report)
        (made,) = office.events("report_made")
        (sent,) = office.events("report_sent")
        assert (message.id, "failed", 2) == (made["message_id"], made["kind"], made["recipients"])
        assert (made["report_id"], "directory") == (sent["report_id"], sent["route"])
        assert "Subject" not in office.log.getvalue()


async def test_what_was_made_is_sent_by_the_next_life(open_office):
    async with open_office() as office:
        await office.fail()
        await office.reporter.make()
        assert [] == office.reports()
        clock = office.clock
    async with open_office(clock=clock) as office:
        await office.round()

        assert 1 == len(office.reports())


async def test_what_was_being_sent_is_sent_again_under_the_same_id(open_office):
    """Killed between the route's word and the store's: a directory can tell, and holds one."""
    async with open_office() as office:
        await office.fail()
        await office.round()
        clock, (first,) = office.clock, office.reports()
        connection = office.queue._writer
        await connection.submit(
            lambda store: store.execute(
                "UPDATE report SET state = 'sending', finished_at = NULL, leased_by = 'local/0', lease_until = 9e9, "
                "data = ?",
                (first.replace(b"\n", b"\r\n"),),
            )
        )
    async with open_office(clock=clock) as office:
        await office.round()

        assert [first] == office.reports()
        assert 0 == await office.queue.reports.waiting_reports()


async def test_the_null_sender_and_answers_are_told_nothing(open_office):
    async with open_office() as office:
        await office.fail(sender="")
        await office.fail(data=b"Auto-Submitted: auto-replied\r\n\r\naway\r\n")
        for _ in range(2):
            await office.round()

        assert [] == office.reports()
        (omitted,) = office.events("report_omitted")
        assert "automatic answer" in omitted["reason"]


async def test_nobody_is_told_where_nobody_shall_be(open_office):
    async with open_office('[account.acme.reports]\nroute = "none"\n') as office:
        await office.fail()
        await office.round()

        assert [] == office.reports()
        assert 1 == len(office.events("report_omitted"))
        assert [] == list(await office.queue.reports.untold(10))


async def test_a_route_in_trouble_is_tried_again_and_given_up_in_the_end(open_office):
    rules = """
    [account.acme.reports]
    route = "smtp"
    max_age = "60s"
    [account.acme.reports.smtp]
    address = "127.0.0.1:1"
    tls = "none"
    """
    async with open_office(rules) as office:
        await office.fail()
        await office.round()
        (deferred,) = office.events("report_deferred")
        assert 30 == deferred["seconds"]
        await office.round()
        assert 1 == len(office.events("report_deferred"))
        office.clock.now += 30
        await office.round()
        assert 2 == len(office.events("report_deferred"))
        office.clock.now += 60
        await office.round()

        (given_up,) = office.events("report_given_up")
        assert "127.0.0.1:1" in given_up["reason"]
        assert 0 == await office.queue.reports.waiting_reports()


async def test_mail_of_an_account_that_is_gone_is_reported_by_the_defaults(open_office):
    async with open_office() as office:
        await office.fail()
        clock = office.clock
        await office.queue._writer.submit(lambda store: store.execute("UPDATE message SET account = 'gone'"))
    async with open_office(clock=clock) as office:
        await office.round()

        (report,) = office.reports()
        assert b"x-relay; no such user" in report


async def test_through_the_api_a_report_is_a_message_of_our_own_put_once(open_office):
    rules = '[defaults.reports]\npostmaster = "Correo <postmaster@example.com>"\n'
    async with open_office(rules) as office:
        await office.fail()
        await office.round()
        assert 1 == await _reports_again(office)
        await office.round()

        claims: list[Claim] = list(await office.queue.claim("worker", 10, 60))
        office_mail = [claim.message for claim in claims]
        assert [("", (EnvelopeRecipient("app@example.com", frozenset({"NEVER"})),))] == [
            (message.envelope.mail_from, message.envelope.recipients) for message in office_mail
        ]
        assert {"ana@example.org"} == failed_by_flufl(office_mail[0].data)
        assert b"From: Correo <postmaster@example.com>" in office_mail[0].data
        assert 2 == len(office.events("report_sent"))


async def _reports_again(office) -> int:
    """Let the store forget that the report was sent, as a kill between would."""

    def forget(store):
        return store.execute("UPDATE report SET state = 'queued', finished_at = NULL").rowcount

    return await office.queue._writer.submit(forget)


async def test_a_report_that_fails_itself_is_not_reported(open_office):
    rules = '[defaults.reports]\npostmaster = "postmaster@example.com"\n'
    async with open_office(rules) as office:
        await office.fail()
        await office.round()
        (claim,) = await office.queue.claim("local/0", 10, 60)
        await office.queue.begin(claim, [0], 60)
        refused = Result(0, Refused("no such user"), State.REFUSED)
        await office.queue.conclude(claim, [refused], None, seconds=0.1)
        await office.round()

        assert [] == list(await office.queue.reports.untold(10))
        assert 1 == len(office.events("report_made"))


async def test_a_report_that_cannot_be_made_leaves_the_others_alone(open_office, monkeypatch):
    async with open_office() as office:
        await office.fail("bad@example.org")
        await office.fail("good@example.org")
        compose = reporter.compose

        def fragile(untold, *rest):
            if untold.entries[0].recipient.address.startswith("bad"):
                raise ValueError("a bug")
            return compose(untold, *rest)

        monkeypatch.setattr(reporter, "compose", fragile)
        await office.round()

        assert ["good@example.org"] == [next(iter(failed_by_flufl(report))) for report in office.reports()]
        assert 1 == len(office.events("unexpected_error"))


async def test_it_runs_until_it_is_stopped(open_office):
    async with open_office() as office:
        await office.fail()
        running = asyncio.create_task(office.reporter.run())
        await until_sent(office)
        assert 0 == await office.reporter.stop(5)
        await running

        assert 1 == len(office.reports())


async def test_many_that_are_to_be_told_do_not_hold_up_the_end(open_office):
    async with open_office() as office:
        await asyncio.gather(*(office.fail() for _ in range(5 * reporter._AT_ONCE)))
        running = asyncio.create_task(office.reporter.run())
        while not office.events("report_made"):  # noqa: ASYNC110 - the log is all that tells
            await asyncio.sleep(0)
        await office.reporter.stop(5)
        made = len(office.events("report_made"))
        await running

        assert len(office.events("report_made")) <= made + reporter._AT_ONCE < 5 * reporter._AT_ONCE
        assert [] == office.reports()


async def test_nothing_is_begun_that_nobody_waits_for(open_office):
    """Stopped while the store was looking for what is due."""
    async with open_office() as office:
        await office.fail()
        await office.reporter.make()
        entered, gate = threading.Event(), threading.Event()
        held_up = office.queue._writer.submit(lambda _store: (entered.set(), gate.wait()))
        await asyncio.to_thread(entered.wait)
        running = asyncio.create_task(office.reporter.run())
        while not office.queue._writer._inbox.qsize():  # noqa: ASYNC110 - the claim is all that comes
            await asyncio.sleep(0.01)
        assert 0 == await office.reporter.stop(5)
        gate.set()
        await asyncio.gather(held_up, running)

        assert not office.reporter._under_way
        clock = office.clock
    async with open_office(clock=clock) as office:
        await office.round()
        assert 1 == len(office.reports())


@pytest.mark.parametrize("language", ["en", "es"])
async def test_an_account_has_settings_of_its_own_over_the_defaults(open_office, language):
    rules = f'[defaults.reports]\nlanguage = "es"\npostmaster = ""\n[account.acme.reports]\nlanguage = "{language}"\n'
    async with open_office(rules) as office:
        await office.fail()
        await office.round()

        (report,) = office.reports()
        assert (b"no entregado" in report) is (language == "es")


async def until_sent(office) -> None:
    while not office.events("report_sent"):  # noqa: ASYNC110 - the log is all that tells
        await asyncio.sleep(0.01)
