"""The budget of bytes: bounded, and never a circle of waiters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.budget import ByteBudget


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
    assert second.take(20)
    assert not third.take(1)
    assert not first.take(1)
    assert not told
    second.release()
    assert told == ["3", "1"]
    assert third.take(5)


def test_waiting_ends_with_release():
    """A client that hung up is not called."""
    budget = ByteBudget(10)
    told: list[str] = []
    first = budget.share(lambda: told.append("first"))
    waiter = budget.share(lambda: told.append("waiter"))
    assert first.take(20)
    assert not waiter.take(1)
    waiter.release()
    first.release()
    assert told == []


def test_a_share_without_bytes_wakes_nobody():
    budget = ByteBudget(10)
    told: list[str] = []
    holder, waiter, idle = (budget.share(lambda name=name: told.append(name)) for name in ("h", "w", "i"))
    assert holder.take(11)
    assert not waiter.take(1)
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
