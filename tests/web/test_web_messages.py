"""Messages as an operator sees them: found, looked into, acted upon."""

import re
import smtplib

import pytest
from running import BODY_MARKER, SUBJECT_MARKER, until
from visiting import Visit, web_config

OK, SEE_OTHER, FORBIDDEN, NOT_FOUND, UNPROCESSABLE = 200, 303, 403, 404, 422
NOWHERE = {
    "RELAY__PROVIDER__MENSATEK__URL": "http://127.0.0.1:9/v7",
    "RELAY__PROVIDER__DMDS__URL": "http://127.0.0.1:9/v1",
    "RELAY__DELIVERY__TROUBLE_AFTER": "0",  # each mail is tried at once
}
MAIL = (
    f"From: app@example.org\r\nTo: Ana <ana@example.net>\r\nSubject: {SUBJECT_MARKER}\r\n"
    f"Content-Type: text/html\r\n\r\n<p>{BODY_MARKER}<script>alert(1)</script>"
    '<img src="http://tracker.example/x.gif"><form action="/logout" method="post"></form>\r\n'
)


@pytest.fixture(scope="module")
def stuck(_make_gateway, base_config):
    """A gateway whose API nobody answers: what it takes, waits."""
    return _make_gateway(f"{base_config}\n{web_config()}", environ=NOWHERE, name="stuck")


@pytest.fixture
def ana(stuck):
    visit = Visit(stuck)
    visit.log_in("ana")
    return visit


def send(gateway, login, *recipients, sender="app@example.org"):
    """Send a mail; returns its id."""
    with smtplib.SMTP("127.0.0.1", gateway.port("local"), timeout=30) as smtp:
        smtp.login(login.user, login.password)
        smtp.mail(sender)
        for recipient in recipients:
            smtp.rcpt(recipient)
        return re.search(rb"[0-9A-Z]{26}", smtp.data(MAIL)[1])[0].decode()


def shown(visit, query=""):
    """The ids on the messages page."""
    status, page = visit.ask("GET", f"/messages{query}")
    assert status == OK
    return re.findall(r'href="/messages/([0-9A-Z]{26})"', page)


def act(visit, verb, *ids):
    """Do what a person does: choose, read the question, say yes. Returns both pages."""
    form = [("csrf", visit.csrf("/messages")), ("verb", verb), *(("id", one) for one in ids)]
    asked = visit.ask("POST", "/messages/confirm", form)[1]
    return asked, visit.ask("POST", "/messages/act", form)[1]


def test_a_message_is_found_by_what_one_knows_of_it(ana, stuck, logins, unique):
    mine = send(stuck, logins["kept-mensatek"], f"{unique}@example.net", sender=f"app-{unique}@example.org")
    send(stuck, logins["kept-mensatek"], "somebody@example.net")
    for query in (
        f"?ids={mine}",
        f"?ids={mine.lower()}",
        f"?recipient={unique}@example.net",
        f"?sender=app-{unique}@example.org",
        f"?sender=app-{unique}@example.org&state=queued&within=1h&account=mensatek",
    ):
        assert shown(ana, query) == [mine], query
    assert shown(ana, f"?recipient={unique}@example.net&state=held") == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?after=abc", "no page begins"),
        ("?after=0/99999999999999999999", "no page begins"),
        ("?reason=%00", "reason"),
        ("?state=lost", "held"),
        ("?within=soon", "2h"),
        ("?ids=x", "26 letters and digits"),
    ],
)
def test_a_filter_that_means_nothing_is_explained(ana, query, said):
    status, page = ana.ask("GET", f"/messages{query}")
    assert status == UNPROCESSABLE
    assert said in page


def test_what_is_typed_is_shown_again_and_is_text(ana):
    page = ana.ask("GET", "/messages?recipient=%22%3E%3Cscript%3E")[1]
    assert 'value="&#34;&gt;&lt;script&gt;"' in page
    assert "<script>" not in page


def test_a_long_list_comes_in_pages(ana, stuck, logins, unique):
    sent = [send(stuck, logins["kept-mensatek"], f"{unique}@example.net") for _ in range(55)]
    page = ana.ask("GET", f"/messages?recipient={unique}@example.net")[1]
    more = re.search(r'href="(/messages\?[^"]*)" rel="next"', page)[1].replace("&amp;", "&")
    both = [*re.findall(r'href="/messages/([0-9A-Z]{26})"', page), *shown(ana, more.removeprefix("/messages"))]
    assert both == sent[::-1]


def test_one_message_is_told_as_a_story(ana, stuck, logins, unique):
    sent = send(stuck, logins["kept-mensatek"], f"{unique}@example.net", "ana@example.net")
    until(lambda: "deferred" in ana.ask("GET", f"/messages/{sent}")[1], 20, "no attempt in the story")
    page = ana.ask("GET", f"/messages/{sent}")[1]
    assert "Taken from 127.0.0.1 for 2 recipients, queue mode." in page
    assert f"{unique}@example.net" in page
    assert SUBJECT_MARKER not in page
    assert BODY_MARKER not in page


def test_the_mail_is_shown_where_nothing_in_it_can_act(ana, stuck, logins, unique):
    sent = send(stuck, logins["kept-mensatek"], f"{unique}@example.net")
    status, page = ana.ask("GET", f"/messages/{sent}/seen")
    assert status == OK
    assert BODY_MARKER in page
    assert not re.search("<(script|form|iframe|meta)", page)
    policy = ana.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    assert f'<iframe class="seen" src="/messages/{sent}/seen" sandbox ' in ana.ask("GET", f"/messages/{sent}")[1]


def test_a_mail_that_would_take_long_to_clean_is_not_cleaned(ana, stuck, logins, unique):
    with smtplib.SMTP("127.0.0.1", stuck.port("local"), timeout=30) as smtp:
        login = logins["kept-mensatek"]
        smtp.login(login.user, login.password)
        smtp.mail("app@example.org")
        smtp.rcpt(f"{unique}@example.net")
        html = "".join(f"<font size={number % 7}>\r\n" for number in range(50_000))
        said = smtp.data(f"From: app@example.org\r\nSubject: x\r\nContent-Type: text/html\r\n\r\n{html}")[1]
    sent = re.search(rb"[0-9A-Z]{26}", said)[0].decode()
    assert "too large to be shown" in ana.ask("GET", f"/messages/{sent}/seen")[1]


def test_the_source_can_be_had_as_it_came(ana, stuck, logins, unique):
    sent = send(stuck, logins["kept-mensatek"], f"{unique}@example.net")
    assert ana.ask("GET", f"/messages/{sent}/source")[1].endswith(MAIL)
    assert ana.headers["content-disposition"] == f'attachment; filename="{sent}.eml"'


def test_messages_are_held_released_and_dropped_together(ana, stuck, logins, unique):
    sent = [send(stuck, logins["kept-mensatek"], f"{unique}@example.net") for _ in range(2)]
    until(lambda: "under way" not in ana.ask("GET", f"/messages/{sent[1]}")[1], 20, "an attempt does not end")
    asked, said = act(ana, "hold", *sent)
    assert "This concerns 2 recipients of 2 messages." in " ".join(asked.split())
    assert "Done for 2 recipients of 2 messages." in " ".join(said.split())
    assert shown(ana, f"?recipient={unique}@example.net&state=held") == sent[::-1]
    act(ana, "release", sent[0])
    assert shown(ana, f"?recipient={unique}@example.net&state=held") == [sent[1]]
    act(ana, "drop", sent[1])
    page = ana.ask("GET", f"/messages/{sent[1]}")[1]
    assert "web/ana: Drop" in page
    assert "Its content went" in page
    assert ana.ask("GET", f"/messages/{sent[1]}/seen")[0] == NOT_FOUND


@pytest.mark.parametrize("form", [{"verb": "eat"}, {"verb": "hold", "id": "x"}, {}])
def test_a_form_that_means_nothing_does_nothing(ana, form):
    csrf = {"csrf": ana.csrf("/messages")}
    assert {ana.ask("POST", f"/messages/{what}", form | csrf)[0] for what in ("confirm", "act")} == {UNPROCESSABLE}


def test_who_may_look_sees_no_buttons_and_may_not_press_them(stuck, logins, unique):
    leo = Visit(stuck)
    leo.log_in("leo")
    sent = send(stuck, logins["kept-mensatek"], f"{unique}@example.net")
    page = leo.ask("GET", f"/messages/{sent}")[1]
    assert 'name="verb"' not in page
    form = [("csrf", leo.csrf("/messages")), ("verb", "drop"), ("id", sent)]
    assert {leo.ask("POST", f"/messages/{what}", form)[0] for what in ("confirm", "act")} == {FORBIDDEN}
    assert shown(leo, f"?ids={sent}&state=open") == [sent]


def test_a_message_that_is_not_there_is_said_to_be_gone(ana):
    status, page = ana.ask("GET", "/messages/01M8HZZZZZZZZZZZZZZZZZZZZZ")
    assert status == NOT_FOUND
    assert "Nothing of it is kept" in page


def test_a_finished_message_keeps_its_story(start_gateway, base_config, logins, unique):
    gateway = start_gateway(f"{base_config}\n{web_config()}", name="finished")
    visit = Visit(gateway)
    visit.log_in("leo")
    sent = send(gateway, logins["kept-mensatek"], f"{unique}@example.net")
    until(lambda: shown(visit, "?state=accepted") == [sent], 20, "not accepted")
    page = visit.ask("GET", f"/messages/{sent}")[1]
    assert "Nothing is left to be done." in page
    assert "EnviarEMAIL" in page
