"""The pages in a real browser: used as an operator would, in both languages, wide and narrow, light and dark."""

import re
import smtplib
import socketserver
import threading
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from running import until
from visiting import PASSWORDS, Visit, web_config

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOWHERE = {
    "RELAY__PROVIDER__MENSATEK__URL": "http://127.0.0.1:9/v7",
    "RELAY__PROVIDER__DMDS__URL": "http://127.0.0.1:9/v1",
    "RELAY__DELIVERY__TROUBLE_AFTER": "0",  # each mail is tried at once
}
SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
#: A mail that tries everything to be more than looked at.
HOSTILE = """From: \u202eelgoog <app@example.org>\r
To: ana@example.net\r
Subject: x\r
Content-Type: text/html\r
\r
<p id=seen>hello</p><script>parent.document.title = 'taken'; document.title = 'taken'</script>
<img src="ELSEWHERE/tracker.gif" onerror="parent.document.title = 'taken'">
<link rel=stylesheet href="ELSEWHERE/style.css"><link rel=prefetch href="ELSEWHERE/early">
<style>@import "ELSEWHERE/import.css"; body { background: url(ELSEWHERE/background.png) }</style>
<iframe src="ELSEWHERE/frame"></iframe><object data="ELSEWHERE/object"></object>
<meta http-equiv=refresh content="0; url=ELSEWHERE/away">
<form action="/logout" method=post><button id=out>Log out</button></form>
<a id=away href="ELSEWHERE/" target=_top>x</a>
"""


class Elsewhere(socketserver.ThreadingTCPServer):
    """A place that nobody should come to; counts who does."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.visits = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def verify_request(self, request, _client_address):
        request.settimeout(2)
        try:
            self.visits.append(request.recv(200).split(b"\r\n")[0])
        except TimeoutError:
            self.visits.append(b"a connection")
        return False


@pytest.fixture(scope="module")
def elsewhere():
    with Elsewhere() as server:
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def stuck(_make_gateway, base_config):
    """A gateway whose API nobody answers: what it takes, waits."""
    return _make_gateway(f"{base_config}\n{web_config()}", environ=NOWHERE, name="browsed")


@pytest.fixture(scope="module")
def hostile(stuck, logins, elsewhere):
    """The id of the hostile mail, after its first attempt."""
    with smtplib.SMTP("127.0.0.1", stuck.port("local"), timeout=30) as smtp:
        smtp.login(logins["kept-mensatek"].user, logins["kept-mensatek"].password)
        smtp.mail("app@example.org")
        smtp.rcpt("ana@example.net")
        sent = re.search(
            rb"[0-9A-Z]{26}",
            smtp.data(HOSTILE.replace("ELSEWHERE", f"http://127.0.0.1:{elsewhere.server_address[1]}").encode())[1],
        )[0].decode()
    visit = Visit(stuck)
    visit.log_in("leo")
    until(lambda: "deferred" in visit.ask("GET", f"/messages/{sent}")[1], 30, "no attempt")
    return sent


@pytest_asyncio.fixture(params=["wide-light-en", "narrow-dark-es"], loop_scope="module")
async def page(request, browser, stuck):
    """A tab of a person who has logged in."""
    width, scheme, language = request.param.split("-")
    context = await browser.new_context(
        viewport={"width": 1200 if width == "wide" else 390, "height": 844},
        color_scheme=scheme,
        locale={"en": "en-GB", "es": "es-ES"}[language],
        base_url=stuck.web_url,
    )
    tab = await context.new_page()
    tab.complaints = []
    tab.on("console", lambda said: tab.complaints.append(said.text) if said.type == "error" else None)
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.look = request.param
    await tab.goto("/login")
    await tab.fill("#name", "ana")
    await tab.fill("#password", PASSWORDS["ana"])
    await tab.press("#password", "Enter")
    await tab.wait_for_selector("#trouble-title")
    yield tab
    await context.close()


async def kept(tab, name):
    """Take a picture for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await tab.screenshot(path=SCREENSHOTS / f"{name}-{tab.look}.png", full_page=True)


async def assert_accessible(tab):
    results = await Axe().run(tab)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("place", ["/", "/messages", "/setup", "message"])
async def test_a_page_reads_well_for_everybody(page, hostile, place):
    await page.goto(f"/messages/{hostile}" if place == "message" else place)
    await page.wait_for_load_state("networkidle" if place != "/" else "load")
    await kept(page, place.strip("/") or "overview")
    await assert_accessible(page)
    is_wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not await page.evaluate(is_wider), "the page is wider than the window"
    if place != "message":  # there the frame complains of what it is kept from
        assert page.complaints == []


async def test_the_login_reads_well_for_everybody(page):
    await page.context.clear_cookies()
    await page.goto("/login")
    await kept(page, "login")
    await assert_accessible(page)


async def test_the_overview_renews_itself_and_draws_its_curves(page):
    await page.wait_for_selector("figure canvas", timeout=30_000)
    async with page.expect_response("**/overview/now", timeout=30_000) as renewed:
        pass
    assert (await renewed.value).status == 200
    await kept(page, "curves")
    assert page.complaints == []


async def test_the_keyboard_is_enough(page):
    await page.goto("/messages")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.id") == "recipient":
            break
    await page.keyboard.type("nobody-has-this@example.net")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/messages?*recipient=nobody-has-this*")


async def test_a_hostile_mail_is_only_looked_at(page, hostile, elsewhere):
    await page.goto(f"/messages/{hostile}")
    frame = page.frame_locator("iframe.seen")
    assert await frame.locator("#seen").inner_text() == "hello"
    title = await page.title()
    await frame.locator("#out").click()
    await frame.locator("#away").hover()
    await page.wait_for_timeout(500)
    assert await page.title() == title
    assert page.url.endswith(hostile)
    assert elsewhere.visits == []
    await page.goto("/")  # still logged in
    assert await page.locator("#trouble-title").count() == 1


async def test_messages_are_chosen_and_held(page, hostile):
    await page.goto(f"/messages?ids={hostile}")
    await page.check("input[data-choose]")
    assert await page.locator('input[name="id"]:checked').count() == 1
    await page.click('button[value="hold"]')
    await page.click('.ask button[value="hold"]')
    await page.wait_for_selector('[role="status"]')
    await page.click(".ask .button")
    await page.wait_for_selector(".badge.urgent")
    await page.check("input[data-choose]")
    await page.click('button[value="release"]')
    await page.click('.ask button[value="release"]')
    await page.wait_for_selector('[role="status"]')
