"""Connections of each account: one application that runs wild leaves room for the others."""

import asyncio
import base64

from doorstep import PATIENCE_SECONDS, Doorstep, account

from relay.accounts.account import Account
from relay.config import AccountPolicy
from relay.outcome import Replies

PLAIN = base64.b64encode(b"\0user\0pass").decode()


def limited(doorstep: Doorstep, connections: int) -> Account:
    """Let the login `user`, and whoever is trusted, have so many connections."""
    one = account("user")
    one = Account(one.name, one.provider, one.credentials, AccountPolicy(max_connections=connections))
    doorstep.gatekeeper.accounts["user"] = one
    return one


async def logged_in(doorstep: Doorstep, login: str = PLAIN):
    caller = await doorstep.greeted()
    return caller, await caller.say(f"AUTH PLAIN {login}")


async def until_seats_are_free(doorstep: Doorstep) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while doorstep.door._seats._taken:  # noqa: ASYNC110 - the seats tell nobody
            await asyncio.sleep(0.01)


async def test_connections_of_one_account_are_counted_from_its_login_on(doorstep: Doorstep):
    limited(doorstep, 2)
    doorstep.gatekeeper.passwords["other"] = "pass"
    (first, said), (_, also) = await logged_in(doorstep), await logged_in(doorstep)
    assert said == also == str(Replies.AUTH_OK)
    third, said = await logged_in(doorstep)
    assert said == str(Replies.ACCOUNT_CONNECTIONS)
    assert await third.rest() == ""
    _, said = await logged_in(doorstep, base64.b64encode(b"\0other\0pass").decode())
    assert said == str(Replies.AUTH_OK)  # nobody else is shut out
    assert [event["reason"] for event in doorstep.events("connection_refused")] == [
        "too many connections of one account"
    ]
    assert await first.say("QUIT") == "221 2.0.0 Bye"
    await first.rest()
    _, said = await logged_in(doorstep)
    assert said == str(Replies.AUTH_OK)


async def test_every_way_out_gives_the_seat_back(doorstep: Doorstep):
    limited(doorstep, 1)
    for _ in range(3):
        caller, said = await logged_in(doorstep)
        assert said == str(Replies.AUTH_OK)
        caller.hang_up()
        await until_seats_are_free(doorstep)
    doorstep.gatekeeper.may_answer.clear()
    caller = await doorstep.greeted()
    await caller.send(f"AUTH PLAIN {PLAIN}\r\n".encode())
    caller.hang_up()  # while the login is checked: nobody is there to sit
    async with asyncio.timeout(PATIENCE_SECONDS):
        await doorstep.door._lobbies[0].empty.wait()
    doorstep.gatekeeper.may_answer.set()
    _, said = await logged_in(doorstep)
    assert said == str(Replies.AUTH_OK)


async def test_a_trusted_client_is_counted_from_its_first_mail_on(doorstep: Doorstep):
    doorstep.gatekeeper.trusts = limited(doorstep, 1)
    idle, busy = await doorstep.greeted(), await doorstep.greeted()
    assert await busy.say("MAIL FROM:<>") == str(Replies.SENDER_OK)
    assert await busy.say("RSET") == str(Replies.OK)
    assert await busy.say("MAIL FROM:<>") == str(Replies.SENDER_OK)
    assert await idle.say("MAIL FROM:<>") == str(Replies.ACCOUNT_CONNECTIONS)
    assert await idle.rest() == ""


async def test_who_logs_in_as_somebody_else_changes_seats(doorstep: Doorstep):
    doorstep.gatekeeper.trusts = account("trusted")
    limited(doorstep, 1)
    caller = await doorstep.greeted()
    assert await caller.say("MAIL FROM:<>") == str(Replies.SENDER_OK)
    assert dict(doorstep.door._seats._taken) == {"trusted": 1}
    assert await caller.say("RSET") == str(Replies.OK)
    assert await caller.say(f"AUTH PLAIN {PLAIN}") == str(Replies.AUTH_OK)
    assert dict(doorstep.door._seats._taken) == {"user": 1}
