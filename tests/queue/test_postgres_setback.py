"""A server's clock that is wrong: mail that seems to lie ahead of it is left where it is."""

import pytest
from postgres_parts import at
from queue_parts import NOON, claim_one, new

from relay.queue.postgres import PostgresQueue

DAY = 86400.0
UNSET = 3600.0  # in 1970


@pytest.mark.parametrize("server", [NOON - 30 * DAY, UNSET, NOON - 61])
async def test_a_server_whose_clock_is_behind_moves_no_mail(database, clock, server):
    """Moved back with the clock, all of it would have expired, and be given up."""
    queue = await PostgresQueue.open(at(database), clock=clock, lease_clock=lambda: server)
    made = new(expires_in=5 * DAY)
    await queue.put(made)

    await queue.recover("worker")
    await queue.close()
    queue = await PostgresQueue.open(at(database), clock=clock, lease_clock=lambda: server)

    claim = await claim_one(queue)
    assert (NOON, NOON + 5 * DAY) == (claim.message.received_at, claim.expires_at)
    await queue.close()


async def test_clocks_that_were_not_set_yet_move_no_mail_though_they_agree(database, clock):
    queue = await PostgresQueue.open(at(database), clock=clock, lease_clock=clock)
    await queue.put(new())
    clock.now = UNSET

    await queue.recover("worker")

    assert NOON == (await queue.stats()).oldest_received_at
    await queue.close()


@pytest.mark.parametrize("apart", [-60, 0, 60])
async def test_mail_that_is_ahead_of_both_clocks_comes_near_again(database, clock, apart):
    queue = await PostgresQueue.open(at(database), clock=clock, lease_clock=lambda: NOON + apart)
    await queue.put(new(received_at=NOON + 30 * DAY))

    await queue.recover("worker")

    assert NOON + apart == (await queue.stats()).oldest_received_at
    await queue.close()
