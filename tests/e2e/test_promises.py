"""The promises at the program's own doors: SMTP in, mailboxes out."""

import hashlib
import smtplib
from collections import Counter
from email.message import EmailMessage

import pytest
from running import BODY_MARKER, SUBJECT_MARKER, until

APIS = ("mensatek", "dmds")


def mail_of(to="", cc="", bcc="", **headers):
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "App <app@example.org>", SUBJECT_MARKER
    for name, value in {"To": to, "Cc": cc, "Bcc": bcc}.items():
        if value:
            mail[name] = value
    for name, value in headers.items():
        del mail[name.replace("_", "-")]
        mail[name.replace("_", "-")] = value
    mail.set_content(BODY_MARKER)
    return mail


class Session:
    """One SMTP conversation; replies as (code, text)."""

    def __init__(self, gateway, login):
        self._gateway, self._login = gateway, login

    def send(self, recipients, mail, mail_from="app@example.org"):
        with smtplib.SMTP("127.0.0.1", self._gateway.port("plain"), timeout=60) as smtp:
            smtp.login(self._login.user, self._login.password)
            code, text = smtp.mail(mail_from)
            for recipient in recipients if code == 250 else ():
                refusal = smtp.rcpt(recipient)
                if refusal[0] != 250:
                    return refusal[0], refusal[1].decode()
            if code == 250:
                code, text = smtp.data(mail if isinstance(mail, bytes) else mail.as_bytes())
            return code, text.decode()


@pytest.fixture(params=[f"{how}-{api}" for how in ("kept", "passed") for api in APIS])
def session(gateway, logins, request):
    return Session(gateway, logins[request.param])


@pytest.fixture
def kept(gateway, logins):
    return {api: Session(gateway, logins[f"kept-{api}"]) for api in APIS}


@pytest.fixture
def people(unique):
    return [f"{name}.{unique}@example.net" for name in ("ana", "luis", "eva", "audit", "boss")]


# --- who gets the mail ---


def test_the_envelope_decides_and_everybody_gets_one_copy(session, sandbox, people):
    ana, luis, eva, audit, boss = people
    mail = mail_of(to=f"Ana <{ana}>, {eva}", cc=luis, bcc=boss)
    assert session.send([ana, luis, audit], mail)[0] == 250
    for address in (ana, luis, audit):
        sandbox.wait_for(address, 1)
    assert sandbox.mails(eva) == sandbox.mails(boss) == ()


def test_bcc_is_seen_by_nobody(session, sandbox, people):
    ana, luis, _, audit, boss = people
    assert session.send([ana, luis, audit, boss], mail_of(to=ana, cc=luis, bcc=f"{audit}, {boss}"))[0] == 250
    for address in (ana, luis, audit, boss):
        (mail,) = sandbox.wait_for(address)
        others = {audit, boss} - {address}
        assert not any(other in repr(mail) for other in others)


def test_cc_is_visible_where_the_api_can_show_it_and_noted_where_it_cannot(kept, sandbox, gateway, people):
    ana, luis, *_ = people
    assert kept["dmds"].send([ana, luis], mail_of(to=ana, cc=luis))[0] == 250
    for address in (ana, luis):
        (mail,) = sandbox.wait_for(address)
        assert [shown.email for shown in mail.to] == [ana]
        assert [shown.email for shown in mail.cc] == [luis]
    code, text = kept["mensatek"].send([ana, luis], mail_of(to=ana, cc=luis))
    assert code == 250
    message_id = text.split()[-1]
    (event,) = [event for event in gateway.events("message_accepted") if event["message_id"] == message_id]
    assert any("cc_not_visible" in note for note in event["notes"])


def test_two_spellings_of_a_mailbox_are_one_recipient(session, sandbox, unique):
    address = f"{unique}@Example.NET"
    assert (
        session.send([address, address.lower(), address.upper().replace(unique.upper(), unique)], mail_of(to=address))[
            0
        ]
        == 250
    )
    sandbox.wait_for(address.lower(), 1)


@pytest.mark.parametrize("api", APIS)
def test_a_thousand_recipients_get_one_copy_each(kept, sandbox, unique, api):
    recipients = [f"r{number}.{unique}@example.net" for number in range(1000)]
    assert kept[api].send(recipients, mail_of(to="list@example.org"))[0] == 250

    def arrived():
        return sandbox.ask(lambda world: Counter(mail.mailbox for mail in world.mails if unique in mail.mailbox))

    until(lambda: len(arrived()) == 1000, 60, "not everybody got it")
    assert arrived() == Counter(recipients)


def test_more_recipients_than_the_listener_takes_get_452(kept, unique):
    code, text = kept["dmds"].send([f"r{number}.{unique}@example.net" for number in range(1001)], mail_of())
    assert (code, text[:5]) == (452, "4.5.3")


# --- what they get ---


def test_the_api_shows_sender_reply_to_subject_and_files(session, sandbox, unique):
    address, subject = f"{unique}@example.net", f"{SUBJECT_MARKER} ñ € 漢字"
    mail = mail_of(to=address, Subject=subject, Reply_To="Help <help@example.org>", From="Señora App <app@example.org>")
    mail.add_attachment(b"%PDF-1.4\x00\xff", maintype="application", subtype="pdf", filename="Año 2026.pdf")
    assert session.send([address], mail)[0] == 250
    (seen,) = sandbox.wait_for(address)
    assert (seen.sender, seen.from_name, seen.subject) == ("app@example.org", "Señora App", subject)
    assert "help@example.org" in seen.reply_to
    assert [(file.name, file.size) for file in seen.attachments] == [("Año 2026.pdf", 10)]


def test_a_marker_in_ordinary_mail_stays_text(session, sandbox, unique):
    address = f"{unique}@example.net"
    mail = mail_of(to=address, Subject=f"{SUBJECT_MARKER} ###Nombre###")
    mail.set_content(f"{BODY_MARKER} ###Nombre### 100 ####")
    assert session.send([address], mail)[0] == 250
    (seen,) = sandbox.wait_for(address)
    assert seen.subject.replace("\u2060", "").endswith("###Nombre###")
    assert seen.html.replace("&#35;", "#").count("###Nombre###") == 1


def test_the_vendors_subject_convention_chooses_the_campaign(kept, sandbox, unique):
    """The sandbox knows one campaign only, and its APIKEY belongs to that one."""
    address = f"{unique}@example.net"
    assert kept["dmds"].send([address], mail_of(to=address, Subject=f"[12345]{SUBJECT_MARKER}"))[0] == 250
    (seen,) = sandbox.wait_for(address)
    assert seen.subject == SUBJECT_MARKER


def test_powers_are_reached_by_header_and_do_not_travel(kept, sandbox, unique):
    address = f"{unique}@example.net"
    mail = mail_of(
        to=address,
        Subject=f"{SUBJECT_MARKER} ###motivo###",
        X_Relay_Reference="order-7",
        X_Relay_Variables='{"Motivo": "birthday"}',
        X_Relay_Track_Opens="yes",
    )
    assert kept["mensatek"].send([address], mail)[0] == 250
    (seen,) = sandbox.wait_for(address)
    assert (seen.reference, seen.subject) == ("order-7", f"{SUBJECT_MARKER} birthday")
    assert "X-Relay" not in repr(seen)


# --- when we say no ---


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"X_Relay_Schedule": "tomorrow"}, "X-Relay-Schedule"),
        ({"X_Relay_Template": "first"}, "X-Relay-Template"),
        ({"X_Relay_Trak_Opens": "yes"}, "Track-Opens"),  # names the one that was meant
    ],
)
def test_a_bad_power_is_refused_by_its_name(session, people, headers, said):
    code, text = session.send([people[0]], mail_of(to=people[0], **headers))
    assert code == 554
    assert text.startswith("5.6.0")
    assert said in text


def test_a_strict_account_refuses_what_would_be_lost(start_gateway, base_config, logins, people, sandbox):
    door = '[listener.plain]\naddress = "127.0.0.1:0"\n[defaults]\nstrict = true\n'
    strict = Session(start_gateway(base_config + "\n" + door), logins["kept-mensatek"])
    ana, luis, *_ = people
    code, text = strict.send([ana, luis], mail_of(to=ana, cc=luis))
    assert (code, text[:3]) == (554, "5.6")
    assert "Cc" in text
    assert strict.send([ana], mail_of(to=ana))[0] == 250
    sandbox.wait_for(ana, 1)


@pytest.mark.parametrize("garbage", [b"", b"\0" * 1000, b"\xff" * 1000, b"no header at all", b":\r\n\r\n:", b"\r\n"])
def test_broken_mail_is_sent_or_refused_but_never_raises(session, gateway, people, garbage):
    code, _ = session.send([people[0]], garbage)
    assert code in {250, 554}
    assert gateway.events("unexpected_error") == []


def test_a_message_over_the_limit_is_refused_before_and_after_it_is_sent(kept, gateway, logins, people):
    too_big = 36 * 1024 * 1024
    with smtplib.SMTP("127.0.0.1", gateway.port("plain"), timeout=60) as smtp:
        smtp.login(logins["kept-dmds"].user, logins["kept-dmds"].password)
        assert smtp.mail("app@example.org", [f"SIZE={too_big}"])[0] == 552
        assert smtp.mail("app@example.org")[0] == 250
        assert smtp.rcpt(people[0])[0] == 250
        assert smtp.data(b"Subject: x\r\n\r\n" + (b"b" * 998 + b"\r\n") * 38_000)[0] == 552
        assert smtp.noop()[0] == 250  # the connection lives on


def test_the_reply_names_the_id_that_every_later_line_bears(kept, gateway, sandbox, people):
    _, text = kept["dmds"].send([people[0]], mail_of(to=people[0]))
    message_id = text.split()[-1]
    sandbox.wait_for(people[0])
    gateway.wait_for_event("call_finished")
    lines = [line for line in gateway.log().splitlines() if message_id in line]
    assert len(lines) >= 1


def test_the_pages_tell_that_it_lives_is_ready_and_how_it_does(gateway):
    assert gateway.get("/livez") == (200, "alive\n")
    assert gateway.get("/readyz") == (200, "ready\n")
    status, text = gateway.get("/metrics")
    assert status == 200
    assert "relay_queue_oldest_seconds" in text
    assert gateway.get("/")[0] == 404


def test_an_attachment_arrives_byte_for_byte_in_the_call(kept, sandbox, unique):
    address, content = f"{unique}@example.net", bytes(range(256)) * 4096
    mail = mail_of(to=address)
    mail.add_attachment(content, maintype="application", subtype="octet-stream", filename="all.bin")
    assert kept["mensatek"].send([address], mail)[0] == 250
    (seen,) = sandbox.wait_for(address)
    assert seen.attachments[0].sha256 == hashlib.sha256(content).hexdigest()
