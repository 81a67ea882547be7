"""A server that goes away, at every moment that matters: nothing is lost, nothing is there twice."""

import asyncio

import asyncpg
import pytest
from postgres_parts import at, end_sessions, holding, let_go, make_standby, name_of, waiting_session
from queue_parts import ACCEPTED, claim_one, ids, new, random_data, states

from relay.errors import QueueError
from relay.outcome import Refused
from relay.queue.contract import Action, Pause, Result, State, Verb
from relay.queue.control import Selection
from relay.queue.opening import open_desk
from relay.queue.postgres import PostgresQueue

HAVE_COMMIT_WAIT = """
CREATE FUNCTION relay.wait() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON relay.act DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION relay.wait()
"""


@pytest.fixture
async def queue(database, clock):
    opened = await PostgresQueue.open(at(database), clock=clock, lease_clock=clock)
    yield opened
    await opened.close()


async def test_a_commit_that_was_cut_off_is_looked_up_and_its_caller_hears_that_it_was_kept(own_postgres_server, clock):
    """It hangs in COMMIT, for a replica that never answers, when its session is ended; what it wrote is there."""
    server = own_postgres_server
    url = server.database()
    queue = await PostgresQueue.open(at(url), clock=clock, lease_clock=clock)
    server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    server.sql("SELECT pg_reload_conf()")
    made = new()
    putting = asyncio.create_task(queue.put(made))
    session = await waiting_session(server, url, "IPC")
    assert not putting.done()

    server.sql("ALTER SYSTEM RESET synchronous_standby_names")
    server.sql(f"SELECT pg_terminate_backend({session})")
    server.sql("SELECT pg_reload_conf()")

    await asyncio.wait_for(putting, 30)
    assert [made.message.id] == ids(await queue.claim("worker", 10, 60))
    assert "1" == server.sql("SELECT count(*) FROM relay.message", name_of(url))
    await queue.close()


async def test_a_commit_that_was_cut_off_is_looked_up_once_what_answers_is_no_standby_any_more(
    own_postgres_server, clock
):
    """After a failover the old address may be a standby's for a while; it says nothing about what was kept."""
    server = own_postgres_server
    url = server.database()
    queue = await PostgresQueue.open(at(url), clock=clock, lease_clock=clock)
    server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    server.sql("SELECT pg_reload_conf()")
    putting = asyncio.create_task(queue.put(new()))
    session = await waiting_session(server, url, "IPC")

    server.sql("ALTER SYSTEM RESET synchronous_standby_names")
    server.sql(f"SET synchronous_commit = local; {make_standby(url)}")
    server.sql(f"SELECT pg_terminate_backend({session})")
    with pytest.raises(QueueError, match="it is a standby"):
        await asyncio.wait_for(queue.put(new()), 30)
    assert not putting.done()
    server.sql("SELECT pg_reload_conf()")
    server.sql(make_standby(url, "off"))

    await asyncio.wait_for(putting, 30)
    assert "1" == server.sql("SELECT count(*) FROM relay.message", name_of(url))
    await queue.close()


@pytest.mark.parametrize("life", ["new", "forgotten"])
async def test_the_first_commit_of_a_writer_is_waited_for_too(own_postgres_server, clock, life):
    """Its connection is lost while the server is still at COMMIT: nothing of it is to be seen yet, but it will be."""
    server = own_postgres_server
    url = server.database()
    queue = await PostgresQueue.open(at(url), clock=clock, lease_clock=clock)
    await queue.put(new())
    desk = await open_desk(at(url), clock=clock)
    if life == "forgotten":
        await desk.act(Verb.RELEASE, Selection(), who="ann", limit=10)
        server.sql("DELETE FROM relay.writer", name_of(url))
    server.sql(HAVE_COMMIT_WAIT, name_of(url))
    locker = await holding(server, url, "SELECT pg_advisory_lock(7)")
    acting = asyncio.create_task(desk.act(Verb.HOLD, Selection(), who="ann", limit=10))
    await waiting_session(server, url, "Lock")

    desk._writer._connection.terminate()
    await waiting_session(server, url, "Lock", sessions=2)
    await let_go(locker)

    assert 1 == (await asyncio.wait_for(acting, 30)).messages
    await desk.close()
    await queue.close()


async def test_a_standby_is_told_of_whatever_is_asked(queue, database, postgres_server, clock):
    await queue.put(new())
    await queue.stats()
    postgres_server.sql(make_standby(database))
    end_sessions(postgres_server, database)

    for ask in (queue.put(new()), queue.put(new(data=random_data(3_000_000))), queue.stats(), queue.check()):
        with pytest.raises(QueueError, match="it is a standby"):
            await asyncio.wait_for(ask, 30)
    with pytest.raises(QueueError, match="it is a standby"):
        await PostgresQueue.open(at(database, node="other"), clock=clock, lease_clock=clock)
    postgres_server.sql(make_standby(database, "off"))

    await queue.check()
    assert 1 == (await queue.stats()).messages_open


@pytest.mark.parametrize("operation", ["put", "begin", "conclude"])
async def test_what_was_cut_off_before_its_commit_is_done_again_once(queue, database, postgres_server, operation):
    """It waits for a lock when its session is ended."""
    made = new()
    acts = {"put": lambda: queue.put(made)}
    if operation != "put":
        await queue.put(made)
        claim = await claim_one(queue)
        acts["begin"] = lambda: queue.begin(claim, [0], 60)
        acts["conclude"] = lambda: queue.conclude(claim, [ACCEPTED], None, seconds=1.0)
    locker = await holding(postgres_server, database, "BEGIN; LOCK TABLE relay.message IN EXCLUSIVE MODE")
    doing = asyncio.create_task(acts[operation]())
    session = await waiting_session(postgres_server, database, "Lock")

    await asyncio.to_thread(postgres_server.sql, f"SELECT pg_terminate_backend({session})")
    await waiting_session(postgres_server, database, "Lock")
    await let_go(locker)

    await asyncio.wait_for(doing, 30)
    expected = {"put": State.QUEUED, "begin": State.SENDING, "conclude": State.ACCEPTED}
    assert [expected[operation]] == await states(queue, made.message.id)
    attempts = (await queue.entries(made.message.id))[0].attempts
    assert int(operation == "begin") == attempts
    assert 1 == sum((await queue.stats()).by_state.values())


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_a_server_that_stops_is_told_at_once_and_comes_back_by_itself(own_postgres_server, clock, how):
    server = own_postgres_server
    queue = await PostgresQueue.open(at(server.database()), clock=clock, lease_clock=clock)
    kept = [new(), new(data=random_data(3_000_000))]
    for made in kept:
        await queue.put(made)
    await queue.stats()

    server.stop(how)
    for ask in (queue.put(new()), queue.put(new(data=random_data(3_000_000))), queue.stats(), queue.check()):
        with pytest.raises(QueueError):
            await asyncio.wait_for(ask, 30)
    server.start()

    await queue.check()
    found = await queue.claim("worker", 10, 60)
    assert [made.message for made in kept] == [claim.message for claim in found]
    assert {State.QUEUED: 2} == {state: count for state, count in (await queue.stats()).by_state.items() if count}
    await queue.close()


async def test_sessions_that_were_ended_in_between_cost_nobody_anything(queue, database, postgres_server):
    await queue.put(new())
    await queue.stats()
    end_sessions(postgres_server, database)

    await queue.put(new())
    assert 2 == (await queue.stats()).messages_open


async def test_another_node_is_woken_by_what_one_releases(queue, database, clock):
    """Its look comes every few seconds anyway; the signal makes it come at once."""
    other = await PostgresQueue.open(at(database, node="other"), clock=clock, lease_clock=clock)
    await other.claim("other/0", 1, 60)
    waiting = asyncio.create_task(other.wait(60))
    await asyncio.sleep(0)

    await queue.put(new())

    await asyncio.wait_for(waiting, 10)
    await other.close()


async def test_a_text_with_a_character_that_no_database_holds_is_kept_without_it(queue):
    made = new()
    await queue.put(made)
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)

    await queue.conclude(claim, [Result(0, Refused("no\0body"), State.REFUSED)], None, seconds=1)

    assert "no\N{REPLACEMENT CHARACTER}body" == (await queue.entries(made.message.id))[0].reason


async def test_fifty_megabytes_go_in_and_out(queue):
    made = new(data=random_data(50 * 1024 * 1024))
    await queue.put(made)

    assert made.message == (await claim_one(queue)).message


async def test_a_big_body_whose_message_never_came_is_swept_away(queue, database, postgres_server):
    statement = "INSERT INTO relay.staged VALUES (7, 0); INSERT INTO relay.body VALUES (7, 0, 'x')"
    postgres_server.sql(statement, name_of(database))

    await queue.forget(100)

    assert "0" == postgres_server.sql("SELECT count(*) FROM relay.body", name_of(database))


async def test_counts_stay_right_when_sessions_have_ended(database, clock):
    for _ in range(2):
        queue = await PostgresQueue.open(at(database), clock=clock, lease_clock=clock)
        await queue.put(new())
        await queue.forget(100)
        await queue.close()
    queue = await PostgresQueue.open(at(database), clock=clock, lease_clock=clock)

    await queue.forget(100)

    counts = await queue.stats()
    assert (2, 2) == (counts.messages_open, counts.by_state[State.QUEUED])
    await queue.close()


async def test_a_full_store_says_so_and_takes_nothing(database, clock):
    queue = await PostgresQueue.open(at(database, max_bytes=1000), clock=clock, lease_clock=clock)
    await queue.put(new(data=bytes(600)))
    for size in (600, 3_000_000):
        with pytest.raises(QueueError, match="max_bytes is reached"):
            await queue.put(new(data=bytes(size)))

    assert 400 == await queue.room()
    assert 1 == (await queue.stats()).messages_open
    await queue.close()


@pytest.mark.parametrize("size", [1000, 3_000_000])
@pytest.mark.parametrize("bound", [{"max_bytes": 100}, {"max_messages": 1}])
async def test_a_report_is_owed_also_where_there_is_no_room_for_its_header(database, clock, size, bound):
    """Some recipients have the mail and its client hears 250: nobody else will ever tell of the refused one."""
    queue = await PostgresQueue.open(at(database, **bound), clock=clock, lease_clock=clock)
    await queue.put(new(data=bytes(100)))
    mixed = ("ana@example.org", "bad@example.org")
    made = new(*mixed, states=[State.ACCEPTED, State.REFUSED], data=bytes(size))

    await queue.put(made)

    (untold,) = await queue.reports.untold(10)
    assert (made.message.id, b"") == (untold.message.id, untold.message.data)
    assert [None, Action.FAILED] == [entry.owed for entry in untold.entries]
    with pytest.raises(QueueError, match="is reached"):
        await queue.put(new(*mixed, states=[State.QUEUED, State.REFUSED], data=bytes(size)))
    await queue.close()


async def test_what_is_forgotten_leaves_no_content_behind(database, queue, clock):
    """It was dropped while an attempt was under way; its account is paused since, so no claim comes to close it."""
    made = new()
    await queue.put(made)
    claim = await claim_one(queue)
    desk = await open_desk(at(database), clock=clock)
    await desk.act(Verb.DROP, Selection(ids=(made.message.id,)), who="ana", limit=1)
    await desk.close()
    await queue.pause(Pause(made.message.account, until=clock() + 9e9, reason="no credits", failures=1))
    await queue.release(claim, clock())
    clock.advance(1)

    assert 1 == await queue.prune(clock(), 10)
    connection = await asyncpg.connect(database)
    assert 0 == await connection.fetchval("SELECT count(*) FROM relay.body")
    await connection.close()
