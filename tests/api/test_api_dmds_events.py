"""Events, by send and by time, and archives, by the client, on the sandbox."""

import email
import email.policy
from datetime import UTC, datetime, timedelta

import pytest

from relay.config.settings import DmdsSettings
from relay.errors import ApiRefused, ConfigError
from relay.providers.dmds import DmdsClient
from relay.providers.dmds.api.sends import File, Person, SendOptions

SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


async def send(dmds, count, options=None):
    contacts = [Person(f"m{number}@example.net") for number in range(count)]
    return await dmds.sends.many_inline(12345, contacts, "<p>Hola</p>", options)


async def test_events_count(dmds):
    assert 0 == await dmds.events.count(SINCE, UNTIL)
    await send(dmds, 23)
    assert 23 == await dmds.events.count(SINCE, UNTIL)
    assert 0 == await dmds.events.count(SINCE, SINCE + timedelta(days=1))


async def test_events_page(dmds):
    sent = await send(dmds, 23)
    page = await dmds.events.page(SINCE, UNTIL, 3, 10)
    assert (3, 23, 3) == (page.number, page.total, len(page.events))
    assert {("envio", sent.batch)} == {(event.kind, event.batch) for event in page.events}
    with pytest.raises(ValueError, match="at least 10"):
        await dmds.events.page(SINCE, UNTIL, 1, 9)


@pytest.mark.parametrize("count", [0, 9, 10, 23])
async def test_events_between(dmds, world, count):
    if count:
        await send(dmds, count)
    seen = [event.email async for event in dmds.events.between(SINCE, UNTIL, 10)]
    assert [f"m{number}@example.net" for number in range(count)] == seen


async def test_events_of_batch(dmds):
    first, second = await send(dmds, 2), await send(dmds, 1)
    assert ["m0@example.net", "m1@example.net"] == [each.email for each in await dmds.events.of_batch(first.batch)]
    (event,) = await dmds.events.of_batch(second.batch)
    assert event.at is not None
    assert abs(datetime.now(UTC) - event.at) < timedelta(hours=1)
    with pytest.raises(ApiRefused, match="invalid eeid"):
        await dmds.events.of_batch("nonsense")


async def test_a_moment_needs_a_time_zone(dmds):
    with pytest.raises(ValueError, match="a moment needs a time zone"):
        await dmds.events.count(datetime(2020, 1, 1), UNTIL)  # noqa: DTZ001 - that is what is wrong with it


async def test_times_are_told_in_the_zone_of_the_wire_table(sandbox, world):
    async with DmdsClient("demo", "demo-apikey", DmdsSettings(url=sandbox.dmds_url)) as dmds:
        await dmds.events.count(datetime(2020, 10, 15, 11, 25, 11, tzinfo=UTC), UNTIL)
    assert "2020-10-15T08:25:11" == world.calls[-1].document["desde"]
    with pytest.raises(ConfigError, match="no time zone 'Nowhere'"):
        DmdsClient("demo", "demo-apikey", DmdsSettings(url=sandbox.dmds_url, wire={"events_zone": "Nowhere"}))


async def test_batches_info(dmds):
    plain, archived = await send(dmds, 1), await send(dmds, 2, SendOptions(subject="Hola", archive=True))
    assert (await dmds.batches.info(plain.batch)).archive is None
    info = await dmds.batches.info(archived.batch)
    assert ["m0@example.net", "m1@example.net"] == [entry["email"] for entry in info.archive]
    assert 2 == info.members["sent"]


async def test_batches_eml(dmds):
    options = SendOptions(
        subject="¿Qué tal?", sender_email="app@example.org", attachments=[File("a.pdf", b"%PDF-")], archive=True
    )
    sent = await send(dmds, 2, options)
    mail = email.message_from_bytes(await dmds.batches.eml(sent.batch, "m1@example.net"), policy=email.policy.default)
    assert ("¿Qué tal?", "app@example.org", "m1@example.net") == (mail["Subject"], mail["From"], mail["To"])
    assert "<p>Hola</p>" == mail.get_body().get_content().strip()
    assert ["a.pdf"] == [part.get_filename() for part in mail.iter_attachments()]
    for batch, address in ((sent.batch, "m5@example.net"), ((await send(dmds, 1)).batch, "m0@example.net")):
        with pytest.raises(ApiRefused, match="no archived mail"):
            await dmds.batches.eml(batch, address)


async def test_a_wrong_key_is_told_as_such_and_never_shown(settings):
    async with DmdsClient("demo", "wrong-apikey", settings) as dmds:
        with pytest.raises(ApiRefused, match=r"the credentials are refused \(403\): Forbidden") as caught:
            await dmds.version()
    assert caught.value.is_login


@pytest.mark.parametrize(("dmdsid", "key"), [("demo/../x", "k"), ("", "k"), ("demo", ""), ("demo", "a\r\nb")])
def test_credentials_that_no_request_can_hold_are_not_taken(dmdsid, key):
    with pytest.raises(ConfigError):
        DmdsClient(dmdsid, key)
