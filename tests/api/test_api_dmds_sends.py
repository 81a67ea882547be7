"""The four sends by the client, and what mailboxes of the sandbox see of them."""

import pytest
from aiohttp import web

from relay.errors import ApiRefused, ProviderError
from relay.providers.dmds.api.sends import File, Person, SendOptions
from relay.sandbox.faults import CutAfter, CutBefore

ANA = Person("ana@example.net", "Ana", "Ruiz")
LUIS = Person("luis@example.net", "Luis")


@pytest.fixture
async def pages():
    """A web server: a page, redirects to it, one that is not in UTF-8."""

    async def page(_request):
        return web.Response(text="<p>¿Qué tal?</p>", content_type="text/html")

    async def latin(_request):
        return web.Response(body="<p>¿Qué tal?</p>".encode("latin-1"), content_type="text/html")

    def moved(status, where):
        async def move(_request):
            return web.Response(status=status, headers={"Location": where})

        return move

    app = web.Application()
    app.router.add_get("/page", page)
    app.router.add_get("/latin", latin)
    app.router.add_get("/moved", moved(301, "/found"))
    app.router.add_get("/found", moved(302, "/page"))
    app.router.add_get("/round", moved(302, "/round"))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_sends_one(dmds, world, pages):
    """Redirects are followed until there is a page (doc)."""
    sent = await dmds.sends.one(12345, ANA, f"{pages}/moved", SendOptions(subject="Hola"))
    (mail,) = world.mailbox("ana@example.net")
    assert ("Hola", "<p>¿Qué tal?</p>", sent.batch, 1) == (mail.subject, mail.html, mail.batch_id, sent.count)


async def test_sends_many(dmds, world, pages):
    sent = await dmds.sends.many(12345, [ANA, LUIS], f"{pages}/page")
    assert 2 == sent.count
    assert ["<p>¿Qué tal?</p>"] * 2 == [mail.html for mail in world.mails]


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("{}/missing", "answers 404"),
        ("{}/latin", "not in UTF-8"),
        ("{}/round", "TooManyRedirects"),
        ("http://127.0.0.1:1/", "cannot be fetched"),
        ("file:///etc/passwd", "begins with http"),
    ],
)
async def test_a_page_that_cannot_be_had_sends_nothing(dmds, world, pages, page, why):
    with pytest.raises(ApiRefused, match=why):
        await dmds.sends.one(12345, ANA, page.format(pages))
    assert () == world.mails


async def test_sends_one_inline(dmds, world):
    options = SendOptions(
        subject="Su factura\r\nBcc: x@example.net",
        sender_email="app@example.org",
        sender_name="Ventas",
        reply_to="ventas@example.org",
        copies=[LUIS],
        blind_copies=["audit@example.org"],
        attachments=[File("factura.pdf", b"%PDF-")],
    )
    sent = await dmds.sends.one_inline(12345, ANA, "<p>Hola</p>", options)
    assert 3 == sent.count
    (mail,) = world.mailbox("luis@example.net")
    assert ["Ana Ruiz <ana@example.net>"] == [str(each) for each in mail.to]
    assert ["Luis <luis@example.net>"] == [str(each) for each in mail.cc]
    assert ("Su factura  Bcc: x@example.net", "app@example.org", "Ventas", "ventas@example.org") == (
        mail.subject,
        mail.sender,
        mail.from_name,
        mail.reply_to,
    )
    assert [("factura.pdf", 5)] == [(file.name, file.size) for file in mail.attachments]
    assert 1 == len(world.mailbox("audit@example.org"))


async def test_sends_many_inline(dmds, world):
    first = await dmds.sends.many_inline(12345, [ANA, LUIS], "<p>Hola</p>")
    joined = await dmds.sends.many_inline(
        12345, [Person("eva@example.net")], "<p>Hola</p>", SendOptions(batch=first.batch)
    )
    assert (first.batch, 2, 1) == (joined.batch, first.count, joined.count)
    assert 3 == len(world.mails)
    assert all(1 == len(mail.to) for mail in world.mails)


async def test_a_batch_that_is_not_there_is_not_joined(dmds):
    with pytest.raises(ApiRefused, match="invalid eeid"):
        await dmds.sends.one_inline(12345, ANA, "<p>Hola</p>", SendOptions(batch="nonsense"))


@pytest.mark.parametrize(
    ("contacts", "options", "why"),
    [
        ([], SendOptions(), "needs a contact"),
        ([ANA, LUIS], SendOptions(copies=[Person("eva@example.net")]), "copies go with one contact"),
        ([ANA, LUIS], SendOptions(blind_copies=["eva@example.net"]), "copies go with one contact"),
    ],
)
async def test_what_could_double_mail_is_not_asked_for(dmds, world, contacts, options, why):
    with pytest.raises(ValueError, match=why):
        await dmds.sends.many_inline(12345, contacts, "<p>Hola</p>", options)
    assert () == world.calls


async def test_pages_are_not_archived(dmds, world):
    with pytest.raises(ValueError, match="only sends with inline HTML"):
        await dmds.sends.one(12345, ANA, "http://127.0.0.1/", SendOptions(archive=True))


@pytest.mark.parametrize(("fault", "copies"), [(CutAfter(api="dmds"), 1), (CutBefore(api="dmds"), 0)])
async def test_silence_after_a_send_says_that_it_may_have_been_done(dmds, world, fault, copies):
    """And nothing is sent again by itself."""
    world.faults.add(fault)
    with pytest.raises(ProviderError) as caught:
        await dmds.sends.one_inline(12345, ANA, "<p>Hola</p>")
    assert caught.value.maybe_accepted
    assert copies == len(world.mails)
