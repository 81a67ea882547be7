"""The budget of bytes: bounded, and never a circle of waiters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.budget import SMALL_BYTES, ByteBudget, Share


def test_bytes_are_taken_and_given_back():
    budget = ByteBudget(100)
    share = budget.share(lambda: None)
    assert share.take(60)
    assert share.take(40)
    assert budget.used_bytes == 100
    share.release()
    share.release()
    assert (budget.used_bytes, share.held_bytes) == (0, 0)


def test_the_first_beyond_the_limit_passes_and_the_second_waits_until_there_is_room():
    budget = ByteBudget(100)
    told: list[str] = []
    first, second, third = (budget.share(lambda name=name: told.append(name)) for name in "123")
    assert first.take(90)
    assert second.take(20)  # the overdraft, so that somebody can finish
    assert second.take(20)  # and stands outside the count from then on
    assert third.take(10)
    assert not third.take(1)
    assert not first.take(1)
    assert not told
    second.release()
    assert told == ["3", "1"]


def test_who_waits_is_called_in_order_and_only_as_far_as_there_is_room():
    """Hundreds that were called at each release, and found no room, took more time than their mail."""
    budget = ByteBudget(100)
    told: list[int] = []

    def waiter(number: int) -> Share:
        share = budget.share(lambda: (told.append(number), share.take(40)))
        return share

    holders = [budget.share(lambda: None) for _ in range(3)]
    assert [True] * 3 == [holder.take(50) for holder in holders]  # the third beyond the limit
    waiters = [waiter(number) for number in range(5)]
    assert [False] * 5 == [each.take(40) for each in waiters]

    holders[0].release()
    assert told == [0]
    holders[1].release()
    assert told == [0, 1]
    holders[2].release()  # who goes beyond the limit next is the oldest that waits
    assert told == [0, 1, 2]
    waiters[0].release()
    assert told == [0, 1, 2, 3]


def test_small_mail_does_not_wait_behind_big_mail():
    budget = ByteBudget(16 * SMALL_BYTES)
    big = [budget.share(lambda: None) for _ in range(10)]
    assert [True] * 8 + [False] * 2 == [share.take(2 * SMALL_BYTES) for share in big]  # the eighth beyond the rest
    small = [budget.share(lambda: None) for _ in range(3)]

    assert [True, True, False] == [share.take(SMALL_BYTES) for share in small]
    assert not small[0].take(1)  # from here on it is big


def test_what_is_announced_to_be_big_is_big_from_its_first_byte():
    """Else the beginnings of big mails, which wait, would fill what is kept for small ones."""
    budget = ByteBudget(16 * SMALL_BYTES)
    holders = [budget.share(lambda: None) for _ in range(8)]
    assert [True] * 8 == [share.take(2 * SMALL_BYTES) for share in holders]
    announced = budget.share(lambda: None)
    announced.announced_bytes = 2 * SMALL_BYTES

    assert not announced.take(1)
    assert budget.share(lambda: None).take(1)


def test_small_mail_that_waits_is_called_past_big_mail_that_came_before():
    budget = ByteBudget(16 * SMALL_BYTES)
    told: list[str] = []
    holders = [budget.share(lambda: None) for _ in range(8)]
    assert [True] * 8 == [share.take(2 * SMALL_BYTES) for share in holders]
    filling = [budget.share(lambda: None) for _ in range(2)]
    assert [True] * 2 == [share.take(SMALL_BYTES) for share in filling]
    big, small = budget.share(lambda: told.append("big")), budget.share(lambda: told.append("small"))
    assert not big.take(2 * SMALL_BYTES)
    assert not small.take(SMALL_BYTES)

    filling[0].release()
    assert told == ["small"]
    assert small.take(SMALL_BYTES)
    holders[-1].release()
    assert told == ["small", "big"]


def test_waiting_ends_with_release():
    """A client that hung up is not called."""
    budget = ByteBudget(10)
    told: list[str] = []
    first = budget.share(lambda: told.append("first"))
    waiter = budget.share(lambda: told.append("waiter"))
    assert first.take(20)
    assert not waiter.take(11)
    waiter.release()
    first.release()
    assert told == []


def test_a_share_without_bytes_wakes_nobody():
    budget = ByteBudget(10)
    told: list[str] = []
    holder, waiter, idle = (budget.share(lambda name=name: told.append(name)) for name in ("h", "w", "i"))
    assert holder.take(11)
    assert not waiter.take(11)
    idle.release()
    assert told == []


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 50)), max_size=60))
def test_use_never_exceeds_the_limit_and_one_message(steps: list[tuple[int, int]]):
    """Whatever the order, what is used is what is held, and at most one share is over the limit."""
    budget = ByteBudget(100)
    shares = [budget.share(lambda: None) for _ in range(5)]
    for number, size in steps:
        if size < 0:
            shares[number].release()
        else:
            shares[number].take(size)
        held = [share.held_bytes for share in shares]
        assert budget.used_bytes == sum(held)
        assert sum(held) - max(held) <= 100


@pytest.mark.parametrize("size", [0, 10])
def test_exactly_full_is_not_too_much(size: int):
    budget = ByteBudget(10)
    assert budget.share(lambda: None).take(size)
    assert budget.share(lambda: None).take(10 - size)
