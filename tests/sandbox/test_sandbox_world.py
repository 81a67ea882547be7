"""The sandbox itself: starting, stopping, remembering no more than it may, depending on nobody."""

import ast
import asyncio
import pathlib

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_caller import Caller, calling, email, send

import relay.sandbox
from relay.sandbox import WORLD, BadFaultError, Fate, Mail, Sandbox, SandboxOptions, create_app
from relay.sandbox.document import is_address, mailbox_key, plain, sealed, weight
from relay.sandbox.mailroom import Copies, Mailroom, Shelf

MANY = "envio/send_many_inline/"


def test_it_imports_nothing_of_the_gateway():
    """An independent witness shares no code with whom it judges."""
    imported = set()
    for file in pathlib.Path(relay.sandbox.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    assert [] == sorted(
        name for name in imported if name.partition(".")[0] == "relay" and not name.startswith("relay.sandbox")
    )


async def test_addresses():
    async with Sandbox(SandboxOptions(port=0)) as sandbox:
        assert sandbox.url.startswith("http://127.0.0.1:")
        assert f"{sandbox.url}/mensatek/v7" == sandbox.mensatek_url
        assert f"{sandbox.url}/dmds/{{dmdsid}}/v1" == sandbox.dmds_url


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:9"), ("::", "http://127.0.0.1:9"), ("::1", "http://[::1]:9"), ("h", "http://h:9")],
)
def test_addresses_of_other_hosts(host, url):
    assert url == Sandbox(SandboxOptions(host=host, port=9)).url


async def test_a_port_that_is_taken_is_an_error_and_nothing_stays_open(tmp_path):
    async with Sandbox(SandboxOptions(port=0)) as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"):
            async with Sandbox(SandboxOptions(port=port, journal=tmp_path / "journal")):
                pass


async def test_a_journal_that_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        create_app(SandboxOptions(journal=tmp_path / "nowhere" / "journal"))


async def test_the_application_keeps_its_world():
    assert () == create_app(SandboxOptions())[WORLD].mails


@pytest.mark.parametrize(
    "fault", [{"kind": "slow", "seconds": 3600}, {"kind": "slow_after", "seconds": 3600}, {"kind": "huge"}]
)
async def test_it_stops_at_once_whatever_is_under_way(fault):
    async with Sandbox(SandboxOptions(port=0)) as sandbox, aiohttp.ClientSession() as session:
        caller = Caller(sandbox, session)
        await caller.fault(api="dmds", **fault)
        task = asyncio.create_task(caller.dmds(MANY, send()))
        await sandbox.world.until(lambda world: not world.faults.all())
        started = asyncio.get_running_loop().time()
        await sandbox.__aexit__(None, None, None)
        assert asyncio.get_running_loop().time() - started < 10
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_waiting_for_what_does_not_come_tells_what_there_is(caller):
    await caller.mensatek(email())
    with pytest.raises(TimeoutError, match="'mails': 1"):
        await caller.world.until(lambda world: len(world.mails) == 2, timeout_seconds=0.01)


async def test_waiting_ends_with_what_comes(caller):
    task = asyncio.create_task(caller.world.until(lambda world: len(world.mails) == 2))
    await caller.mensatek(email())
    await caller.mensatek(email())
    await task


async def test_faults_can_be_asked_for_in_process(caller):
    caller.world.faults.ask({"api": "mensatek", "kind": "res", "res": -2})
    assert "-2" == (await caller.mensatek(email()))["Res"]
    with pytest.raises(BadFaultError, match="a fault is a JSON object"):
        caller.world.faults.ask("slow")


async def test_old_things_are_forgotten_and_counts_stay_exact():
    async with calling(keep_bodies=3, keep_mails=5) as caller:
        for number in range(8):
            await caller.mensatek(email("ana@example.net", Asunto=f"{number % 4}"))
        mails, calls, stats = caller.world.mails, caller.world.calls, caller.world.stats()
        assert [4, 5, 6, 7, 8] == [mail.id for mail in mails]
        assert [False, False, True, True, True] == [mail.html is not None for mail in mails]
        assert [4, 5, 6, 7, 8] == [call.id for call in calls]
        assert [False, False, True, True, True] == [call.document is not None for call in calls]
        assert (8, 5, 1, 1, 4) == tuple(
            stats[n] for n in ("mails", "listed", "mailboxes", "duplicates", "duplicate_mails")
        )
        assert 8 == stats["calls"]["mensatek"]


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 6), st.integers(0, 100))
def test_a_shelf_holds_no_more_than_it_may_but_the_newest(sizes, most, most_bytes):
    shelf = Shelf(most, most_bytes)
    held = {}
    for key, size in enumerate(sizes):
        held[key] = size
        for gone in shelf.add(key, size):
            assert gone == min(held)
            del held[gone]
        assert key in held
        assert len(held) <= most
        assert sum(held.values()) <= most_bytes or len(held) == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y\ud800"]), st.sampled_from("pq"))))
def test_copies_are_counted_exactly(mails):
    copies = Copies()
    for mail in mails:
        copies.add(*mail)
    assert len(mails) - len(set(mails)) == copies.copies
    assert {mail[0] for mail in mails if mails.count(mail) > 1} == copies.mailboxes


def test_a_mailroom_that_may_keep_nothing_keeps_the_newest():
    room = Mailroom(keep_bodies=0, keep_body_bytes=0, keep_mails=0)
    for _ in range(3):
        room.put(Mail("dmds", "a@example.org", "", "", "s", "h", mailbox="b@example.org"), Fate.DELIVERED, 0.0)
    assert (3, [3]) == (room.count, [mail.id for mail in room.all()])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"dmds_campaigns": {"demo": "k"}}, 'dmds_campaigns: "demo" is not'),
        ({"dmds_campaigns": {"-1": "k"}}, 'dmds_campaigns: "-1" is not'),
        ({"dmds_campaigns": {"a-²": "k"}}, 'dmds_campaigns: "a-²" is not'),
        ({"mensatek_shape": "yaml"}, 'mensatek_shape: "yaml" is none of document, object, counts, xml, txt'),
        ({"dmds_shape": "xml"}, 'dmds_shape: "xml" is none of document, err200'),
        ({"report_format": "xml"}, 'report_format: "xml" is none of json, form'),
        ({"port": -1}, "port: must not be negative"),
        ({"report_delay_seconds": -0.1}, "report_delay_seconds: must not be negative"),
    ],
)
def test_options_that_cannot_be_right_are_named(options, text):
    with pytest.raises(ValueError, match=text):
        SandboxOptions(**options)


def test_options_do_not_show_secrets():
    assert "demo-token" not in repr(SandboxOptions())
    assert "demo-apikey" not in repr(SandboxOptions(report_password="pw-secret"))
    assert "pw-secret" not in repr(SandboxOptions(report_password="pw-secret"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ana@example.net", True),
        ("a.b+c=d/e@sub.example.net", True),
        ("o'neil@example.net", True),
        ("ñandú@bücher.example", True),
        ("x@xn--bcher-kva.example", True),
        ("", False),
        ("ana", False),
        ("@example.net", False),
        ("ana@", False),
        ("ana@example", False),
        ("ana@example.", False),
        ("ana@.example.net", False),
        ("ana@exa..mple.net", False),
        ("a..b@example.net", False),
        (".a@example.net", False),
        ("a.@example.net", False),
        ("a b@example.net", False),
        ("a@b@example.net", False),
        ("<ana@example.net>", False),
        ("ana@example.net,bob@example.net", False),
        ("ana@example.net\r\nBcc: x@example.net", False),
        ("a" * 65 + "@example.net", False),
        ("a@" + "b" * 64 + ".net", False),
        ("a@" + "b.c" * 90 + ".net", False),
    ],
)
def test_what_is_an_address(text, expected):
    assert expected == is_address(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ana@Example.NET", "ana@example.net", True),
        ("ana@bücher.example", "ana@XN--BCHER-KVA.example", True),
        ("ana@example.net", "bob@example.net", False),
        ("ana@..", "ana@..", True),
    ],
)
def test_spellings_of_one_mailbox(one, other, same):
    assert same == (mailbox_key(one) == mailbox_key(other))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_what_holds_no_attachment_stays_as_it_is(value):
    assert value == plain(sealed(value))
    assert weight(value) >= 0
