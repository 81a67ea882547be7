"""Opening a database: what is made there, by whom, and what is told where it cannot be used."""

import asyncio

import pytest
from postgres_parts import at, name_of
from queue_parts import claim_one, new

from relay.errors import QueueError, StoreInUse
from relay.queue.migration import scripts
from relay.queue.opening import owner_name
from relay.queue.postgres import PostgresDesk, PostgresQueue, look_over
from relay.queue.postgres.connection import connect, place
from relay.queue.postgres.migration import look, migrate

KNOWN = scripts("postgres")


@pytest.fixture
async def open_node(clock):
    """Open stores that are closed after the test."""
    opened = []

    async def open_one(settings, **more):
        opened.append(await PostgresQueue.open(settings, clock=clock, lease_clock=clock, **more))
        return opened[-1]

    yield open_one
    for queue in opened:
        await queue.close()


@pytest.fixture
def empty(postgres_server):
    return postgres_server.empty_database()


async def refusal(settings, clock) -> str:
    with pytest.raises(QueueError) as caught:
        await PostgresQueue.open(settings, clock=clock)
    return str(caught.value)


async def test_nodes_that_start_together_make_one_schema(empty, open_node, clock):
    nodes = await asyncio.gather(*(open_node(at(empty, node=f"node-{number}")) for number in range(4)))

    await nodes[0].put(new())

    assert 1 == len(await nodes[3].claim("node-3/0", 10, 60))


async def test_a_schema_is_brought_up_to_date_once_and_keeps_what_is_there(database, open_node, postgres_server):
    made = new()
    await (await open_node(at(database))).put(made)
    later = {**KNOWN, 2: "ALTER TABLE message ADD COLUMN extra text; CREATE TABLE more (one integer)"}
    for _ in range(2):
        connection = await connect(at(database))
        async with connection.transaction():
            await migrate(connection, "x", later)
        assert [1, 2] == sorted(await look(connection, "x"))
        await connection.close()

    assert made.message.id == postgres_server.sql("SELECT id FROM relay.message WHERE extra IS NULL", name_of(database))
    postgres_server.sql(
        "DROP TABLE relay.more; ALTER TABLE relay.message DROP COLUMN extra; "
        "DELETE FROM relay.migration WHERE number = 2",
        name_of(database),
    )


async def test_a_store_of_a_newer_version_is_refused(empty, open_node, clock, postgres_server):
    await (await open_node(at(empty))).close()
    postgres_server.sql("INSERT INTO relay.migration VALUES (99, 0)", name_of(empty))

    assert "a newer version of relay wrote it (schema 99" in await refusal(at(empty), clock)
    with pytest.raises(QueueError, match="newer version"):
        await PostgresDesk.open(at(empty), clock=clock)


async def test_a_schema_of_another_program_is_refused(empty, clock, postgres_server):
    postgres_server.sql("CREATE SCHEMA relay; CREATE TABLE relay.theirs (one integer)", name_of(empty), "relay")

    assert "is another program's" in await refusal(at(empty), clock)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda server, url: server.tcp_url(url, "wrong"), "the password is wrong"),
        (lambda server, url: server.tcp_url(url).replace(str(server.port), "1"), "nobody listens there"),
        (lambda server, url: url.replace(name_of(url), "nowhere"), "there is no such database"),
        (lambda _, url: url.replace("relay-pg-", "nowhere-"), "there is no such socket"),
    ],
)
async def test_what_is_wrong_is_told_without_the_password(postgres_server, database, clock, wrong, told):
    url = wrong(postgres_server, database)

    text = await refusal(at(url), clock)

    assert told in text
    assert f"store {place(url)}: " in text
    assert ":wrong@" not in text
    with pytest.raises(QueueError, match=told):
        await look_over(at(url), clock)


async def test_the_password_may_stand_apart(postgres_server, database, open_node):
    url = postgres_server.tcp_url(database)
    user, _, rest = url.rpartition("@")
    bare, _, password = user.rpartition(":")

    queue = await open_node(at(f"{bare}@{rest}", password=password))

    await queue.put(new())
    assert password not in queue._name


async def test_a_user_without_rights_is_told_so(empty, clock, postgres_server):
    postgres_server.sql(
        "REVOKE CREATE ON DATABASE "
        + name_of(empty)
        + " FROM relay; ALTER DATABASE "
        + name_of(empty)
        + " OWNER TO postgres"
    )

    assert "the user lacks rights" in await refusal(at(empty), clock)
    with pytest.raises(QueueError, match="lacks rights"):
        await look_over(at(empty), clock)


async def test_looking_over_makes_nothing_and_says_when_clocks_differ(empty, clock, postgres_server):
    hints = await look_over(at(empty), lambda: 0.0)

    assert "0" == postgres_server.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'relay'", name_of(empty))
    assert any("its clock and this machine's are" in hint for hint in hints)
    assert any("fsync is off" in hint for hint in hints)
    with pytest.raises(QueueError, match="nothing has been kept there yet"):
        await PostgresDesk.open(at(empty), clock=clock)


async def test_two_gateways_cannot_be_the_same_node(database, open_node, clock):
    await open_node(at(database, node="a"))
    await open_node(at(database, node="b"))

    with pytest.raises(StoreInUse, match="another gateway is node 'a' there"):
        await PostgresQueue.open(at(database, node="a"), clock=clock, exclusive=False)


async def test_a_node_frees_what_it_had_and_nobody_elses(database, open_node):
    here, there = await open_node(at(database, node="a")), await open_node(at(database, node="b"))
    owners = [owner_name(at(database, node=node), 0) for node in "ab"]
    await here.put(new())
    await here.put(new())
    await claim_one(here, owners[0])
    await claim_one(there, owners[1])

    assert ["a/0", "b/0"] == owners
    assert 1 == await here.recover("a/0")
    assert 1 == len(await there.claim("b/0", 10, 60))
