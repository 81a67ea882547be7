"""Who comes in, how far, and who does not."""

import http.client
import re
import socket
import time
import urllib.parse

import pytest
from visiting import PASSWORDS, TOKENS, Visit, web_config

OK, SEE_OTHER, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = 200, 303, 401, 403, 404, 429
PAGES = ["/", "/overview/now", "/overview/curves", "/setup"]


def test_health_needs_no_login(visit):
    assert {visit.ask("GET", path)[0] for path in ("/livez", "/readyz", "/metrics")} == {OK}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_sends_who_is_nobody_to_the_login_and_back(visit, path):
    assert visit.ask("GET", path)[0] == SEE_OTHER
    assert visit.headers["location"].startswith("/login?next=/")


def test_a_person_logs_in_and_out(visit):
    assert visit.log_in("ana") == SEE_OTHER
    assert visit.headers["location"] == "/"
    assert {visit.ask("GET", path)[0] for path in PAGES} == {OK}

    assert visit.ask("POST", "/logout", {"csrf": visit.csrf()})[0] == SEE_OTHER
    assert visit.ask("GET", "/")[0] == SEE_OTHER


@pytest.mark.parametrize(
    ("name", "password"), [("ana", PASSWORDS["leo"]), ("nobody", "x"), ("", ""), ("ana", "\ud800")]
)
def test_a_wrong_password_is_answered_alike_for_everybody(web_gateway, name, password):
    visit = Visit(web_gateway)
    form = {"name": name.encode(), "password": password.encode("utf-8", "surrogatepass")}
    status, page = visit.ask("POST", "/login", form)
    assert (status, visit.cookie) == (FORBIDDEN, "")
    assert "Name or password is wrong." in page


def test_what_is_no_name_is_not_written_into_the_log(web_gateway):
    Visit(web_gateway).log_in("my password by mistake", "x")
    assert "my password by mistake" not in web_gateway.log()


@pytest.mark.parametrize(
    "cookie", ["relay_session=", "relay_session=x.y.z", "relay_session=WyJhbmEiLCIiLCIiXQ.aSF.AAAA"]
)
def test_a_cookie_that_was_made_up_is_nobodys(visit, cookie):
    visit.cookie = cookie
    assert visit.ask("GET", "/")[0] == SEE_OTHER


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(visit):
    visit.log_in("ana")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(visit.headers["set-cookie"].split("; "))


@pytest.mark.parametrize(
    "after", ["//elsewhere.example", "/\\elsewhere.example", "https://elsewhere.example", "/a\nb", ""]
)
def test_a_login_leads_nowhere_else(visit, after):
    visit.ask("POST", "/login", {"name": "ana", "password": PASSWORDS["ana"], "next": after})
    assert visit.headers["location"] == "/"


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_form_from_another_site_is_refused(visit, headers):
    form = {"name": "ana", "password": PASSWORDS["ana"]}
    assert visit.ask("POST", "/login", form, headers)[0] == FORBIDDEN
    visit.log_in("ana")
    assert visit.ask("POST", "/logout", {"csrf": visit.csrf()}, headers)[0] == FORBIDDEN
    assert visit.ask("GET", "/")[0] == OK


@pytest.mark.parametrize("csrf", ["", "x", "\xe9"])
def test_a_form_without_its_sessions_token_does_nothing(visit, csrf):
    visit.log_in("ana")
    assert visit.ask("POST", "/logout", {"csrf": csrf})[0] == FORBIDDEN
    assert visit.ask("GET", "/")[0] == OK


def test_who_may_look_does_not_act(visit):
    visit.log_in("leo")
    status, said = visit.ask("POST", "/accounts/erp/resume", {"csrf": visit.csrf()})
    assert (status, said) == (FORBIDDEN, '"leo" may look, and not act')
    visit.log_in("ana")
    assert visit.ask("POST", "/accounts/erp/resume", {"csrf": visit.csrf()})[0] == NOT_FOUND  # it is not paused


def test_every_answer_keeps_other_sites_and_scripts_out(visit):
    visit.log_in("ana")
    for path in [*PAGES, "/login", "/metrics", "/nowhere"]:
        visit.ask("GET", path)
        policy = visit.headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy
        assert visit.headers["x-content-type-options"] == "nosniff"
        assert visit.headers["cache-control"] == "no-store"


def test_pages_hold_no_script_and_no_style_of_their_own(visit):
    visit.log_in("ana")
    for path in PAGES:
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", visit.ask("GET", path)[1]), path


def test_static_files_are_kept_by_browsers_and_change_their_place_with_their_content(visit):
    page = visit.ask("GET", "/login")[1]
    place = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert visit.ask("GET", place)[0] == OK
    assert "immutable" in visit.headers["cache-control"]
    assert visit.ask("GET", re.sub("/[0-9a-f]{12}/", "/000000000000/", place))[0] == NOT_FOUND


def test_the_configuration_is_shown_without_its_secrets(visit):
    visit.log_in("leo")
    page = visit.ask("GET", "/setup")[1]
    assert "[web.user.ana]" in page
    assert "$argon2" not in page
    assert not any(token in page for token in TOKENS.values())


def test_without_users_there_are_no_pages(start_gateway, base_config):
    visit = Visit(start_gateway(f'{base_config}\n[listener.local]\naddress = "127.0.0.1:0"\n'))
    assert visit.ask("GET", "/livez")[0] == OK
    assert {visit.ask("GET", path)[0] for path in (*PAGES, "/login")} == {NOT_FOUND}


def test_a_guesser_is_slowed_and_blocked_and_the_person_is_not(start_gateway, base_config):
    rules = {"RELAY__LOGINS__FAILURES": "2", "RELAY__LOGINS__DELAY": "0"}
    gateway = start_gateway(f"{base_config}\n{web_config()}", environ=rules)
    known = Visit(gateway)
    assert known.log_in("ana") == SEE_OTHER  # from here ana is known
    guesser = Visit(gateway)
    assert [guesser.log_in("leo", "guess") for _ in range(3)] == [FORBIDDEN, FORBIDDEN, TOO_MANY]
    assert guesser.log_in("leo") == TOO_MANY  # the right one is not even checked
    assert known.log_in("ana") == SEE_OTHER  # all of this machine, as behind a proxy, is one client


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"name=a&password=hunter2\xff"),
        ("application/x-www-form-urlencoded; charset=nope", b"name=a&password=hunter2"),
        ("multipart/form-data", b"hunter2"),
        ("multipart/form-data; boundary=x", b"hunter2"),
        ("multipart/form-data; boundary=x", b"--x\r\nhunter2"),
    ],
)
def test_what_is_no_form_is_refused_and_not_told(web_gateway, kind, body):
    address = urllib.parse.urlsplit(web_gateway.web_url).netloc
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("POST", "/login", body, {"Content-Type": kind})
    assert connection.getresponse().status in {400, FORBIDDEN}
    connection.close()
    assert "hunter2" not in web_gateway.log()
    assert "unexpected_error" not in web_gateway.log()


def test_a_proxy_that_changes_the_host_is_no_other_site(visit):
    headers = {"Origin": "https://relay.example.org", "Sec-Fetch-Site": "same-origin"}
    assert visit.ask("POST", "/login", {"name": "ana", "password": PASSWORDS["ana"]}, headers)[0] == SEE_OTHER


def test_what_a_page_asks_for_by_itself_does_not_prolong_the_session(start_gateway, base_config):
    gateway = start_gateway(f"{base_config}\n{web_config()}", environ={"RELAY__WEB__SESSION": "10s"})
    visit = Visit(gateway)
    visit.log_in("ana")
    begun = visit.cookie
    time.sleep(2)  # a tenth of its time is over
    visit.ask("GET", "/overview/now")
    assert visit.cookie == begun
    visit.ask("GET", "/")
    assert visit.cookie != begun


def test_a_part_of_a_page_leads_the_whole_page_to_the_login(visit):
    visit.ask("GET", "/overview/now", headers={"HX-Request": "true"})
    assert visit.headers["hx-redirect"] == "/login"


def test_a_request_that_stays_half_sent_holds_nothing_up(start_gateway, base_config):
    gateway = start_gateway(f"{base_config}\n{web_config()}")
    host, port = urllib.parse.urlsplit(gateway.web_url).netloc.split(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nname=")
        assert gateway.reload(gateway.config.read_text())["event"] == "reloaded"
        assert Visit(gateway).log_in("ana") == SEE_OTHER
        assert gateway.stop() == 0


def test_another_password_ends_the_sessions_that_the_old_one_began(start_gateway, base_config):
    gateway = start_gateway(f"{base_config}\n{web_config()}")
    ana, leo = Visit(gateway), Visit(gateway)
    assert [ana.log_in("ana"), leo.log_in("leo")] == [SEE_OTHER, SEE_OTHER]
    config = gateway.config.read_text()
    old = config.partition('[web.user.ana]\npassword_hash = "')[2].partition('"')[0]
    new = web_config().partition('[web.user.ana]\npassword_hash = "')[2].partition('"')[0]  # another salt
    assert gateway.reload(config.replace(old, new))["event"] == "reloaded"
    assert (ana.ask("GET", "/")[0], leo.ask("GET", "/")[0]) == (SEE_OTHER, OK)
