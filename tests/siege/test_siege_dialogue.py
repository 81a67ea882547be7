"""A fuzzer that knows the protocol: every reply is by the book, and every message with a 250 arrives once."""

from collections import Counter

from dialogue_machine import KINDS, Ledger, Target, machine_for
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from running import until


def test_every_reply_is_by_the_book_and_no_accepted_message_is_lost_or_doubled(
    fortress, size, logins, trusting, sandbox, unique
):
    ports = {kind: fortress.gateway.port(kind) for kind in KINDS}
    ledger, before = Ledger(), fortress.vitals()
    run_state_machine_as_test(
        machine_for(Target(ports, logins, trusting, f"fuzz.{unique}"), ledger),
        settings=settings(
            max_examples=size.of(60, 5000),
            stateful_step_count=size.of(30, 60),
            deadline=None,
            derandomize=not size.is_long,
            database=None,
            phases=(Phase.generate, Phase.shrink) if size.is_long else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert ledger.accepted, "the fuzzer never got a message through"
    fortress.assert_calm(before)
    _assert_mailboxes(sandbox, ledger, f"fuzz.{unique}")


def _assert_mailboxes(sandbox, ledger, word):
    def arrived():
        return sandbox.ask(lambda world: [(mail.mailbox, mail.subject) for mail in world.mails if word in mail.mailbox])

    until(lambda: set(ledger.accepted.items()) <= set(arrived()), 120, "a message with a 250 did not arrive")
    found = arrived()
    assert [] == [mailbox for mailbox, times in Counter(mailbox for mailbox, _ in found).items() if times > 1]
    assert {mailbox for mailbox, _ in found} <= set(ledger.accepted) | ledger.unheard
