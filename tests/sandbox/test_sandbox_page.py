"""The page for people: readable, complete, and inert."""

import html.parser
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_caller import calling, email, send

MANY = "envio/send_many_inline/"
EVIL = """<script>alert(1)</script><img src=x onerror=alert(1)>"'></iframe><iframe src="https://evil.example">"""


class Reader(html.parser.HTMLParser):
    """Collects elements and the text outside of style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._style = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._style = tag == "style"

    def handle_endtag(self, tag):
        self._style = False

    def handle_data(self, data):
        self.text += "" if self._style else data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


async def read(caller, query=""):
    status, body, headers = await caller.request("GET", f"{caller.sandbox.url}/{query}")
    assert status == 200
    return Reader(body.decode()), headers


async def test_an_empty_sandbox_says_so(caller):
    page, _ = await read(caller)
    assert "No mail yet." in page.text
    assert "No call yet." in page.text


async def test_a_mail_is_shown_with_its_headers_attachments_and_remarks(caller):
    await caller.mensatek(
        email(
            Nombreremitente="Shop",
            Replyto="help@example.org",
            Referenciausuario="order-7",
            Listunsubscribe="<mailto:u@example.org>",
            Adjuntos=[{"Nombre": "factura.pdf", "Contenido": "aGk="}],
        )
    )
    page, _ = await read(caller)
    for text in (
        "Shop <sender@example.org>",
        "ana@example.net",
        "help@example.org",
        "order-7",
        "<mailto:u@example.org>",
        "factura.pdf",
        "2 bytes",
        "assumed key: Adjuntos[].Nombre",
        "mensatek POST EnviarEMAIL",
    ):
        assert text in page.text


async def test_content_is_shown_in_a_frame_that_can_do_nothing(caller):
    await caller.mensatek(email(Mensaje=EVIL))
    page, headers = await read(caller)
    (frame,) = page.all("iframe")
    assert "" == frame["sandbox"]
    assert "src" not in frame
    assert frame["srcdoc"].endswith(EVIL)
    assert "default-src 'none'" in frame["srcdoc"].partition(EVIL)[0]
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert ("'none'", "data:") == (policy["default-src"], policy["img-src"])
    assert "script-src" not in policy


@settings(max_examples=25, deadline=None)
@given(text=st.text(st.sampled_from("<>\"'&{}%#`= \nax/é"), min_size=1, max_size=40))
async def test_nothing_that_a_mail_says_becomes_part_of_the_page(text):
    async with calling() as caller:
        before, _ = await read(caller)
        entry = {"email": "ana@example.net", "nombre": text, "apellido": EVIL}
        attached = [{"nombre": text + EVIL, "contenido": "aGk="}]
        status, _ = await caller.dmds(
            MANY, send(asunto=text + EVIL, contactos=[entry], html=text + EVIL, adjuntos=attached, **{text + "?": EVIL})
        )
        assert status == 200
        page, _ = await read(caller)
        assert set() == {tag for tag, _ in page.elements} & {"script", "img", "object", "form", "base"}
        assert 1 == len(page.all("iframe"))
        assert len(before.all("style")) == len(page.all("style"))
        assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


async def test_nothing_is_loaded_from_elsewhere(caller):
    await caller.mensatek(email())
    page, _ = await read(caller)
    addresses = [attributes.get(name) for _, attributes in page.elements for name in ("src", "href", "action")]
    assert [] == [address for address in addresses if address and not address.startswith(("/", "#"))]
    assert not re.search(r"@import|url\(", str(page.elements))


async def test_one_mailbox_can_be_looked_at(caller):
    await caller.mensatek(email("ana@example.net", "bob@example.net"))
    page, _ = await read(caller, "?mailbox=Bob@example.net")
    assert "What Bob@example.net sees" in page.text
    assert 1 == len(page.all("iframe"))


async def test_only_the_newest_are_on_the_page(caller):
    await caller.mensatek(email(*(f"m{i}@example.net" for i in range(60))))
    page, _ = await read(caller)
    assert 50 == len(page.all("iframe"))
    assert "10 older ones are not shown." in page.text


async def test_large_and_dropped_content_is_not_in_the_page():
    async with calling(keep_bodies=1) as caller:
        await caller.mensatek(email())
        await caller.mensatek(email(Mensaje="x" * 300_000))
        page, _ = await read(caller)
        assert [] == page.all("iframe")
        assert "Its content is no longer kept." in page.text
        assert {"href": "/sandbox/mails/2/html"} in page.all("a")


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("", None),
        ("?refresh=5", "5"),
        ("?refresh=1", "2"),
        ("?refresh=9999", "3600"),
        ("?refresh=-1", None),
        ("?refresh=0", None),
        ("?refresh=99999", None),
        ("?refresh=%C2%B2", None),
    ],
)
async def test_it_loads_anew_where_asked(caller, query, seconds):
    page, _ = await read(caller, query)
    refreshes = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "refresh"]
    assert ([] if seconds is None else [seconds]) == refreshes


async def test_faults_bounces_refusals_and_duplicates_are_shown(caller):
    await caller.fault(api="dmds", kind="slow", seconds=1, times=None, match="x@example.net")
    await caller.fault(api="mensatek", kind="res", res=-2, error="no credits")
    await caller.mensatek(email())
    for _ in range(2):
        await caller.mensatek(email("bounce-hard@example.net"))
    page, _ = await read(caller)
    for text in ("dmds: slow, until cleared, for x@example.net", "fault: res", "no credits", "bounced-hard"):
        assert text in page.text
    assert "1 mailboxes with duplicates" in page.text


async def test_it_fits_phones_and_both_lights(caller):
    _, body, _ = await caller.request("GET", f"{caller.sandbox.url}/")
    assert b'name="viewport" content="width=device-width' in body
    assert b"prefers-color-scheme: dark" in body


async def test_the_page_shows_campaigns_contacts_and_events_of_dmds(caller):
    """And no key of any campaign."""
    await caller.dmds("campania/", {"nombre": EVIL, "tipo": "api"})
    await caller.dmds("contacto/", {"email": "ana@example.net", "nombre": EVIL, "bases": ["b1"], "campos": {"k": "v1"}})
    await caller.dmds("whitelist/ana@example.net")
    for _ in range(2):
        await caller.dmds(MANY, send("bounce-hard@example.net"))
    page, _ = await read(caller)
    shown = ("Campaign 12345", EVIL, "ana@example.net", "b1", "k=v1", "valid, whitelisted", "invalidacion")
    assert [] == [words for words in shown if words not in page.text]
    assert [] == page.all("script")
    assert "demo-apikey" not in page.text
