"""Every kind of fault, as a caller meets it."""

import asyncio
import json

import aiohttp
import pytest
from sandbox_caller import basic, email, send

from relay.sandbox import Delivery

MANY = "envio/send_many_inline/"


async def call(caller, api, **more):
    """Make a sending call; returns status, body, headers."""
    if api == "mensatek":
        url, document, headers = f"{caller.sandbox.mensatek_url}/EnviarEMAIL", email(), basic("demo-user:demo-token")
    else:
        url, document = f"{caller.sandbox.dmds_url.format(dmdsid='demo')}/{MANY}", send()
        headers = {"Authorization": "demo-apikey"}
    return await caller.request("POST", url, json=document, headers=headers, **more)


APIS = pytest.mark.parametrize("api", ["mensatek", "dmds"])


@APIS
@pytest.mark.parametrize("accept", [True, False])
@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"kind": "status", "status": 504, "body": "late"}, 504, b"late"),
        ({"kind": "status", "status": 429}, 429, b""),
        ({"kind": "garbage"}, 200, b"<html><body><h1>It works!</h1>"),
        ({"kind": "garbage", "body": "}{"}, 200, b"}{"),
        ({"kind": "empty"}, 200, b""),
        ({"kind": "redirect"}, 302, b""),
        ({"kind": "redirect", "status": 307}, 307, b""),
        ({"kind": "huge", "bytes": 10}, 200, b'{"status":'),
    ],
)
async def test_answers_that_say_nothing_of_the_mail(caller, api, accept, fault, status, body):
    await caller.fault(api=api, accept=accept, **fault)
    assert (status, body) == (await call(caller, api))[:2]
    assert accept == (len(caller.world.mails) == 1)
    (made,) = caller.world.calls
    assert (status, fault["kind"], Delivery.SENT) == (made.status, made.fault, made.answer)
    assert accept == (made.recipients == ("ana@example.net",))
    await call(caller, api)
    assert 1 + accept == len(caller.world.mails), "the fault was for one call"


@pytest.mark.parametrize("retry_after", [7, "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_a_status_may_say_when_to_come_back(caller, retry_after):
    await caller.fault(api="dmds", kind="status", status=503, retry_after=retry_after)
    assert str(retry_after) == (await call(caller, "dmds"))[2]["Retry-After"]


async def test_a_redirect_says_where_to(caller):
    await caller.fault(api="dmds", kind="redirect", location="http://elsewhere.example/")
    assert "http://elsewhere.example/" == (await call(caller, "dmds"))[2]["Location"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"res": -2}, {"Res": "-2"}),
        ({"res": -5, "error": "Sender"}, {"Res": "-5", "Error": "Sender"}),
        ({"res": 0}, {"Res": "0"}),
        ({"res": -99}, {"Res": "-99"}),
    ],
)
async def test_any_res(caller, fault, expected):
    await caller.fault(api="mensatek", kind="res", **fault)
    assert expected == await caller.mensatek(email())
    assert () == caller.world.mails


@pytest.mark.parametrize("status", [200, 400, 403])
async def test_any_error_of_dmds(caller, status):
    await caller.fault(api="dmds", kind="err", status=status, on="invalid email x")
    assert (status, {"status": "err", "on": "invalid email x"}) == await caller.dmds(MANY, send())
    assert () == caller.world.mails


@APIS
async def test_slow_accepts_late_even_if_the_caller_has_gone(caller, api):
    await caller.fault(api=api, kind="slow", seconds=0.4)
    with pytest.raises(TimeoutError):
        await call(caller, api, timeout=aiohttp.ClientTimeout(total=0.1))
    assert () == caller.world.mails
    await caller.world.until(lambda world: len(world.calls) == 1 and world.calls[0].answer is Delivery.LOST)
    assert 1 == len(caller.world.mails)


@APIS
async def test_slow_after_accepts_first(caller, api):
    await caller.fault(api=api, kind="slow_after", seconds=30)
    task = asyncio.create_task(call(caller, api))
    await caller.world.until(lambda world: len(world.mails) == 1)
    await caller.world.until(lambda world: len(world.calls) == 1)
    assert Delivery.PENDING is caller.world.calls[0].answer
    assert not task.done()
    task.cancel()


@APIS
async def test_slow_after_answers_in_the_end(caller, api):
    await caller.fault(api=api, kind="slow_after", seconds=0.01)
    assert 200 == (await call(caller, api))[0]
    assert Delivery.SENT is caller.world.calls[0].answer


@APIS
@pytest.mark.parametrize(("kind", "mails"), [("cut_before", 0), ("cut_after", 1)])
async def test_a_cut_connection_with_and_without_the_mail(caller, api, kind, mails):
    await caller.fault(api=api, kind=kind)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await call(caller, api)
    assert mails == len(caller.world.mails)
    await caller.world.until(lambda world: world.calls[0].answer is Delivery.CUT)
    assert (0, mails) == (caller.world.calls[0].status, len(caller.world.calls[0].recipients))


async def test_some_recipients_are_refused_and_some_forgotten(caller):
    await caller.fault(api="mensatek", kind="partial", not_sent=["B@example.net"], missing=["c@example.net"])
    answer = await caller.mensatek(email("a@example.net", "b@example.net", "c@example.net"))
    assert ("1", "3") == (answer["Res"], answer["Destinatarios"])
    assert ["a@example.net"] == [entry["Email"] for entry in json.loads(answer["Enviados"])]
    assert ["b@example.net"] == [entry["Email"] for entry in json.loads(answer["NoEnviados"])]
    assert ["a@example.net"] == [mail.mailbox for mail in caller.world.mails]


async def test_the_forgotten_may_have_got_their_mail(caller):
    await caller.fault(api="mensatek", kind="partial", missing=["c@example.net"], accept_missing=True)
    answer = await caller.mensatek(email("a@example.net", "c@example.net"))
    assert "1" == answer["Res"]
    assert ["a@example.net", "c@example.net"] == [mail.mailbox for mail in caller.world.mails]


@pytest.mark.parametrize("by", [-1, 3])
async def test_dmds_may_count_wrong(caller, by):
    await caller.fault(api="dmds", kind="sent_differs", by=by)
    _, answer = await caller.dmds(MANY, send())
    assert (1 + by, 1) == (answer["sent"], len(caller.world.mails))


@pytest.mark.parametrize("size", [36, 100, 65536 + 36, 1_000_000])
async def test_a_huge_answer_has_the_size_asked_for(caller, size):
    await caller.fault(api="dmds", kind="huge", bytes=size)
    assert size == len((await call(caller, "dmds"))[1])


async def test_an_endless_answer_ends_when_the_caller_has_enough(caller):
    await caller.fault(api="dmds", kind="huge")
    url = f"{caller.sandbox.dmds_url.format(dmdsid='demo')}/{MANY}"
    async with caller.session.post(url, json=send(), headers={"Authorization": "demo-apikey"}) as answer:
        assert 5_000_000 == len(await answer.content.readexactly(5_000_000))
        answer.close()
    await caller.world.until(lambda world: world.calls[0].answer is Delivery.LOST)


async def test_a_fault_may_last_for_some_calls_or_until_cleared(caller):
    await caller.fault(api="dmds", kind="status", status=500, times=2)
    assert [500, 500, 200] == [(await call(caller, "dmds"))[0] for _ in range(3)]
    await caller.fault(api="dmds", kind="status", status=500, times=None)
    assert [500] * 3 == [(await call(caller, "dmds"))[0] for _ in range(3)]
    assert (204, "") == await caller.control("DELETE", "sandbox/faults")
    assert 200 == (await call(caller, "dmds"))[0]


async def test_a_fault_waits_for_its_api_function_and_recipient(caller):
    await caller.fault(api="dmds", kind="status", status=501, match="*@SLOW.example")
    await caller.fault(api="dmds", kind="status", status=502, function="version")
    await caller.fault(api="dmds", kind="status", status=503)
    await caller.fault(api="dmds", kind="status", status=504, function="*", match="bob@example.net")
    assert 200 == (await call(caller, "mensatek"))[0]
    assert 200 == (await caller.dmds("campania/", method="GET"))[0]
    assert 503 == (await caller.dmds(MANY, send("bob@example.net")))[0]
    assert 501 == (await caller.dmds(MANY, send(copia=[{"cc_email": "x@slow.example"}])))[0]
    assert 502 == (await caller.dmds("version/", method="GET"))[0]
    assert 504 == (await caller.dmds("contacto/bob@example.net", method="GET"))[0]
    assert (200, []) == await caller.control("GET", "sandbox/faults")


async def test_waiting_faults_can_be_seen(caller):
    await caller.fault(api="mensatek", kind="slow", seconds=2, times=3)
    assert (
        200,
        [
            {
                "id": 1,
                "kind": "slow",
                "api": "mensatek",
                "times": 3,
                "function": "",
                "match": "",
                "seconds": 2,
                "left": 3,
            }
        ],
    ) == (await caller.control("GET", "sandbox/faults"))


KINDS = (
    "status, res, err, slow, slow_after, cut_before, cut_after, garbage, empty, partial, sent_differs, redirect, huge"
)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ([], "not a JSON object"),
        ({}, f"kind: must be one of {KINDS}"),
        ({"kind": "explode", "api": "dmds"}, f"kind: must be one of {KINDS}"),
        ({"kind": "slow"}, "api: is missing; seconds: is missing"),
        ({"kind": "slow", "api": "smtp", "seconds": 1}, "api: must be one of mensatek, dmds"),
        ({"kind": "slow", "api": "dmds", "seconds": "1"}, "seconds: must be a number"),
        ({"kind": "slow", "api": "dmds", "seconds": True}, "seconds: must be a number"),
        ({"kind": "slow", "api": "dmds", "seconds": -1}, "seconds: must be at least 0"),
        ({"kind": "slow", "api": "dmds", "seconds": 4000}, "seconds: must be at most 3600"),
        ({"kind": "res", "api": "dmds", "res": -1}, "api: must be one of mensatek"),
        ({"kind": "err", "api": "mensatek"}, "api: must be one of dmds"),
        ({"kind": "status", "api": "dmds"}, "status: is missing"),
        ({"kind": "status", "api": "dmds", "status": 42}, "status: must be at least 200"),
        ({"kind": "status", "api": "dmds", "status": 600}, "status: must be at most 599"),
        (
            {"kind": "status", "api": "dmds", "status": 500, "retry_after": 1.5},
            "retry_after: must be a whole number or must be a string or must be null",
        ),
        ({"kind": "empty", "api": "dmds", "accept": 1}, "accept: must be true or false"),
        ({"kind": "empty", "api": "dmds", "times": 0}, "times: must be at least 1 or must be null"),
        ({"kind": "empty", "api": "dmds", "match": 1}, "match: must be a string"),
        (
            {"kind": "empty", "api": "dmds", "seconds": 1},
            "seconds: unknown; known are api, times, function, match, accept",
        ),
        ({"kind": "partial", "api": "mensatek", "missing": "a@example.net"}, "missing: must be a list of strings"),
        ({"kind": "partial", "api": "mensatek", "missing": [1]}, "missing: must be a list of strings"),
        ({"kind": "redirect", "api": "dmds", "status": 200}, "status: must be one of 301, 302, 303, 307, 308"),
    ],
)
async def test_a_bad_fault_is_400_with_what_is_wrong(caller, fault, text):
    assert (400, f"{text}\n") == await caller.control("POST", "sandbox/faults", fault)
    assert () == caller.world.faults.all()
