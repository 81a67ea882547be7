"""How long a client may take, in every phase, by a clock that only the test moves."""

import pytest

from relay.config import ListenerSettings
from relay.outcome import Replies
from relay.smtp.deadlines import Deadlines, Phase, shortest_timeout

RULES = ListenerSettings.model_validate(
    {
        "greeting_timeout": 10,
        "command_timeout": 100,
        "data_timeout": 50,
        "data_least_rate": 20,
        "final_timeout": 500,
        "message_within": 1000,
    }
)


class Clock:
    def __init__(self):
        self.now = 5_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def deadlines(clock):
    return Deadlines(RULES, clock)


def over_after(deadlines, clock):
    """Return for how many seconds from now there is still time, by halves."""
    return next((half / 2 for half in range(5000) if deadlines.is_over(clock.now + half / 2)), None)


def test_the_first_command_has_a_limit_of_its_own(deadlines, clock):
    deadlines.greeted()
    assert over_after(deadlines, clock) == 10
    assert deadlines.farewell.reply == Replies.TIMED_OUT


def test_each_command_begins_anew(deadlines, clock):
    for _ in range(3):
        deadlines.turn(Phase.COMMAND)
        assert over_after(deadlines, clock) == 100
        clock.now += 99


def test_a_connection_without_a_message_ends_whatever_it_says(deadlines, clock):
    """A NOOP every four minutes would hold a place for ever."""
    for _ in range(10):
        clock.now += 99
        deadlines.turn(Phase.COMMAND)
    assert over_after(deadlines, clock) == 10
    assert deadlines.farewell.reply == Replies.NO_MESSAGE
    deadlines.accepted()
    assert over_after(deadlines, clock) == 100


def test_each_block_of_a_message_begins_anew_while_it_comes_fast_enough(deadlines, clock):
    deadlines.turn(Phase.DATA)
    assert over_after(deadlines, clock) == 50
    for block in range(1, 20):
        clock.now += 49
        deadlines.turn(Phase.DATA, size=block * 20 * 49)
        assert over_after(deadlines, clock) == 50
        assert deadlines.farewell.reply == Replies.TIMED_OUT


def test_a_message_that_drips_is_cut_when_it_is_too_slow_on_the_average(deadlines, clock):
    deadlines.turn(Phase.DATA)
    for size in range(1, 50):
        clock.now += 1
        deadlines.turn(Phase.DATA, size=size)
    assert over_after(deadlines, clock) == 3.5  # 50 s of grace and 49 bytes at 20 a second, 49 s ago
    assert deadlines.farewell.reply == Replies.TOO_SLOW


def test_what_was_waited_for_room_is_not_slow(deadlines, clock):
    deadlines.turn(Phase.DATA)
    deadlines.turn(Phase.DATA, size=1)
    deadlines.turn(Phase.STALLED)
    assert over_after(deadlines, clock) == 50
    clock.now += 49
    deadlines.turn(Phase.DATA, size=1)
    assert over_after(deadlines, clock) == 50


def test_without_a_least_rate_only_silence_ends_a_message(clock):
    deadlines = Deadlines(RULES.model_copy(update={"data_least_rate": 0}), clock)
    deadlines.turn(Phase.DATA)
    for size in range(1, 1000):
        clock.now += 49
        deadlines.turn(Phase.DATA, size=size)
    assert over_after(deadlines, clock) == 50


def test_the_next_message_has_its_own_rate(deadlines, clock):
    deadlines.turn(Phase.DATA)
    deadlines.turn(Phase.DATA, size=10)
    clock.now += 30
    deadlines.turn(Phase.COMMAND)
    deadlines.turn(Phase.DATA)
    assert over_after(deadlines, clock) == 50


def test_a_client_waits_for_its_answer_so_long(deadlines, clock):
    deadlines.turn(Phase.WORKING)
    assert over_after(deadlines, clock) is None  # a login has deadlines of its own
    deadlines.taken()
    assert over_after(deadlines, clock) == 500
    assert deadlines.farewell.reply == Replies.ANSWER_TAKES_LONG


def test_a_handshake_has_its_own_deadline(deadlines, clock):
    deadlines.turn(Phase.SECURING)
    assert over_after(deadlines, clock) is None


def test_replies_must_be_read(deadlines, clock):
    assert not deadlines.is_unread(clock.now + 10_000)
    deadlines.blocked()
    assert not deadlines.is_unread(clock.now + 99)
    assert deadlines.is_unread(clock.now + 100)
    deadlines.unblocked()
    assert not deadlines.is_unread(clock.now + 10_000)


def test_the_door_looks_often_enough():
    assert shortest_timeout(RULES) == 10


@pytest.mark.parametrize("profile", ["submission", "smarthost", "device"])
def test_every_profile_has_the_patience_that_the_rfc_asks_for(profile):
    """RFC 5321 §4.5.3.2; and the answer comes before a client gives up after ten minutes."""
    rules = ListenerSettings.model_validate({"profile": profile})
    assert rules.command_timeout >= 300
    assert rules.data_timeout >= 180
    assert rules.final_timeout < 600
