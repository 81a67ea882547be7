"""Content into send_many_inline: places, campaign, powers, and what cannot be carried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_cases import DMDS, attachment, brief, content, people

from relay.config.settings import DmdsSettings
from relay.errors import MailRefused
from relay.message import Mailbox, Recipient, Role
from relay.mime.content import Fidelity, Note
from relay.powers import Powers, QuietHours
from relay.providers.dmds.translate import DmdsTranslation
from relay.providers.dmds.wire import DmdsWire
from relay.providers.encode import encode, plain
from relay.providers.wire import corrected

_EEID = "3abc993d-8188-45e8-a6c9-e879378abba5"
_ONE = people(1)


def _plan(mail, who=_ONE, *, settings=None, powers=None, batch_id="", **policy):
    settings = settings or DmdsSettings()
    wire = corrected(DmdsWire, settings.wire, "provider.dmds.wire")
    made = brief(who, DMDS, powers=powers, batch_id=batch_id, **policy)
    return DmdsTranslation(settings, wire).plan(mail, made, DMDS)


def _document(*args, **kwargs):
    return plain(_plan(*args, **kwargs).calls[0].document)


def _codes(*args, **kwargs):
    return [each.code for each in _plan(*args, **kwargs).notes]


def test_a_plain_mail_makes_the_smallest_call():
    plan = _plan(content())
    assert {
        "campana_id": 14,
        "email": True,
        "asunto": "Hola",
        "remitente": "ana@example.org",
        "remitenteNombre": "Ana Ruiz",
        "html": "<p>Hola</p>",
        "contactos": [{"email": "to1@example.com", "nombre": "To 1"}],
    } == plain(plan.calls[0].document)
    assert ("send_many_inline", people(1), ()) == (plan.calls[0].function, plan.calls[0].recipients, plan.notes)


def test_copies_stand_in_their_places_and_the_call_has_one_contact():
    document = _document(
        content(reply_to=Mailbox("help@example.org", "Help"), attachments=(attachment("a.pdf"),)),
        (*people(2, 1, 1), Recipient("nameless@example.com", Role.CC)),
        powers=Powers(archive=True, batch=_EEID),
    )
    assert {
        "campana_id": 14,
        "email": True,
        "asunto": "Hola",
        "remitente": "ana@example.org",
        "remitenteNombre": "Ana Ruiz",
        "reply-to": "help@example.org",
        "html": "<p>Hola</p>",
        "adjuntos": [{"nombre": "a.pdf", "contenido": "JVBERi0="}],
        "archive": True,
        "reuse_eeid": True,
        "eeid": _EEID,
        "contactos": [{"email": "to1@example.com", "nombre": "To 1"}],
        "copia": [
            {"cc_email": "to2@example.com", "cc_nombre": "To 2"},
            {"cc_email": "cc1@example.com", "cc_nombre": "Cc 1"},
            {"cc_email": "nameless@example.com"},
        ],
        "copia_oculta": [{"bcc_email": "bcc1@example.com"}],
    } == document


@given(
    st.tuples(*[st.integers(0, 6)] * 3), st.integers(1, 8), st.sampled_from(["together", "individual"]), st.booleans()
)
def test_everybody_stands_exactly_once_and_bcc_is_blind(counts, limit, mode, is_rest):
    recipients = people(*counts)
    plan = _plan(content(), recipients, recipients_per_call=limit, recipients=mode, batch_id=_EEID if is_rest else "")
    placed = []
    for call in plan.calls:
        document = call.document
        contacts = [entry["email"] for entry in document["contactos"]]
        copies = [entry["cc_email"] for entry in document.get("copia", [])]
        blind = [entry["bcc_email"] for entry in document.get("copia_oculta", [])]
        assert [each.address for each in call.recipients] == contacts + copies + blind
        if copies or blind:
            assert 1 == len(contacts)
            assert not any("bcc" in address for address in contacts + copies)
            assert b"Bcc " not in b"".join(encode(document))
            assert not is_rest
            assert "together" == mode
        placed += contacts + copies + blind
    assert sorted(each.address for each in recipients) == sorted(placed)


def test_what_is_left_after_an_accepted_call_joins_its_batch_without_copies():
    document = _document(content(), people(1, 1), batch_id=_EEID)
    assert (True, _EEID) == (document["reuse_eeid"], document["eeid"])
    assert ["to1@example.com", "cc1@example.com"] == [entry["email"] for entry in document["contactos"]]


def test_a_batch_that_the_mail_asks_for_goes_first():
    assert "asked" == _document(content(), batch_id=_EEID, powers=Powers(batch="asked"))["eeid"]


def test_copies_beyond_the_limit_are_noted():
    (told,) = _plan(content(), people(1, 3, 2), recipients_per_call=2).notes
    assert ("copies_not_visible", Fidelity.LOST) == (told.code, told.fidelity)
    assert told.text.startswith("2 ")
    assert [] == _codes(content(), people(1, 1, 5), recipients_per_call=2)
    assert [] == _codes(content(), people(1, 3, 2), recipients_per_call=2, recipients="individual")


# --- campaign ---


@pytest.mark.parametrize(
    ("subject", "policy", "header", "default", "expected"),
    [
        ("Hola", {}, None, None, (14, "Hola")),
        ("[22]Hola", {}, None, None, (22, "Hola")),
        ("[22] Hola", {}, None, None, (22, "Hola")),
        ("[22]", {}, None, None, (22, "(no subject)")),
        (" [22]Hola", {}, None, None, (14, " [22]Hola")),
        ("Re: [22]Hola", {}, None, None, (14, "Re: [22]Hola")),
        ("[x]Hola", {}, None, None, (14, "[x]Hola")),
        ("[0]Hola", {}, None, None, (14, "[0]Hola")),
        ("[\u0661]Hola", {}, None, None, (14, "[\u0661]Hola")),
        ("[22]Hola", {"subject_campaign": False}, None, None, (14, "[22]Hola")),
        ("[22]Hola", {"campaigns": (22, 23)}, None, None, (22, "Hola")),
        ("[2024] report", {"campaigns": (22, 23)}, None, None, (14, "[2024] report")),
        ("[14]Hola", {"campaigns": (22,)}, None, None, (14, "Hola")),
        ("Hola", {}, 22, None, (22, "Hola")),
        ("[23]Hola", {}, 22, None, (22, "[23]Hola")),
        ("Hola", {}, None, 22, (22, "Hola")),
        ("[23]Hola", {}, None, 22, (23, "Hola")),
        ("Hola", {"campaigns": (22,)}, 22, None, (22, "Hola")),
        ("Hola", {"campaigns": (22,)}, 14, None, (14, "Hola")),
    ],
)
def test_which_campaign(subject, policy, header, default, expected):
    headers = (("x-relay-campaign", str(header)),) if header else ()
    document = _document(content(subject=subject, powers=headers), powers=Powers(campaign=header or default), **policy)
    assert expected == (document["campana_id"], document["asunto"])


@pytest.mark.parametrize("subject", ["", " ", "[22]"])
def test_a_mail_without_subject_has_not_the_campaigns(subject):
    """DMDS shows the campaign's own subject where none is sent."""
    assert "(no subject)" == _document(content(subject=subject))["asunto"]
    assert (
        "sin asunto" == _document(content(subject=subject), settings=DmdsSettings(empty_subject="sin asunto"))["asunto"]
    )
    assert "subject_missing" in _codes(content(subject=subject))
    off = DmdsSettings(wire={"subject": ""})
    assert "subject_missing" not in _codes(content(subject=subject), settings=off)


def test_a_number_taken_from_the_subject_is_noted():
    assert ["subject_campaign"] == _codes(content(subject="[22]Hola"))


def test_a_campaign_that_the_account_may_not_choose_is_refused_by_name():
    mail = content(powers=(("x-relay-campaign", "9"),))
    with pytest.raises(MailRefused) as caught:
        _plan(mail, powers=Powers(campaign=9), campaigns=(22,))
    assert 554 == caught.value.reply.code
    assert "X-Relay-Campaign" in caught.value.reply.text
    assert "9" in caught.value.reply.text


# --- powers and notes ---


def test_variables_are_tags_of_contacts():
    powers = Powers(variables={"": {"mes": "julio"}, "to1@example.com": {"saldo": "7"}})
    assert {"mes": "julio", "saldo": "7"} == _document(content(), powers=powers)["contactos"][0]["tags"]


@pytest.mark.parametrize("counts", [(2,), (1, 1), (1, 0, 1)])
def test_a_personal_mail_goes_to_each_alone(counts):
    """A copy would show its recipient what was meant for the call's contact."""
    first, second = people(*counts)
    plan = _plan(content(), (first, second), powers=Powers(variables={first.key: {"saldo": "7"}}))
    (call,) = plan.calls
    assert [{"saldo": "7"}, None] == [entry.get("tags") for entry in call.document["contactos"]]
    assert not {"copia", "copia_oculta"} & call.document.keys()
    assert [("others_not_visible", Fidelity.CHANGED)] == [(each.code, each.fidelity) for each in plan.notes]


def test_variables_are_found_without_regard_to_case_and_make_a_mail_personal():
    """To says Ana@, RCPT says ana@: her role was found and her variables were not."""
    ana, bob = Recipient("ana@example.com", Role.TO), Recipient("bob@example.com", Role.TO)
    plan = _plan(content(), (ana, bob), powers=Powers(variables={"Ana@example.com": {"saldo": "7"}}))
    assert [{"saldo": "7"}, None] == [entry.get("tags") for entry in plan.calls[0].document["contactos"]]
    assert ["others_not_visible"] == [each.code for each in plan.notes]


def test_variables_for_nobody_are_noted():
    mail = content(powers=(("x-relay-variables", "..."),))
    (told,) = _plan(mail, powers=Powers(variables={"eve@example.com": {"pin": "7"}})).notes
    assert ("recipient_not_here", Fidelity.LOST) == (told.code, told.fidelity)


def test_an_empty_table_of_variables_loses_nothing():
    off = DmdsSettings(wire={"contact_variables": ""})
    assert [] == _codes(content(), settings=off, powers=Powers(variables={"": {}}))


def test_a_sender_that_dmds_is_not_told_may_be_local():
    """The campaign supplies the sender; cron's root@localhost is no reason to refuse."""
    off = DmdsSettings(wire={"sender_email": "", "sender_name": ""})
    assert "remitente" not in _document(content(sender=Mailbox("root@localhost")), settings=off)
    with pytest.raises(MailRefused):
        _plan(content(sender=Mailbox("root@localhost")))


def test_variables_for_everybody_leave_copies_as_they_are():
    shared = Powers(variables={"": {"mes": "julio"}, "somebody@else.example": {"x": "y"}})
    assert "copia" in _document(content(), people(1, 1), powers=shared)


def test_a_second_to_that_is_shown_as_cc_is_noted():
    (told,) = _plan(content(), people(2)).notes
    assert ("to_shown_as_cc", Fidelity.CHANGED) == (told.code, told.fidelity)
    assert [] == _codes(content(), people(1, 3, 2))


@pytest.mark.parametrize(
    ("powers", "header"),
    [
        (Powers(template=1), "X-Relay-Template"),
        (Powers(quiet_hours=(QuietHours("22:00", "09:00"),)), "X-Relay-Quiet-Hours"),
        (Powers(track_opens=True), "X-Relay-Track-Opens"),
        (Powers(track_clicks=True), "X-Relay-Track-Clicks"),
        (Powers(reference="r"), "X-Relay-Reference"),
        (Powers(recipient_references={"": "r"}), "X-Relay-Recipient-Reference"),
        (Powers(report=True), "X-Relay-Report"),
    ],
)
def test_what_dmds_does_not_offer_is_noted(powers, header):
    (told,) = _plan(content(), powers=powers).notes
    assert ("power_not_available", Fidelity.LOST) == (told.code, told.fidelity)
    assert told.text.endswith(header)


def test_defaults_that_ask_for_nothing_are_not_noted():
    assert [] == _codes(content(), powers=Powers(track_opens=False, track_clicks=False, report=False, archive=False))
    assert "archive" not in _document(content(), powers=Powers(archive=False))


def test_list_headers_are_noted():
    notes = _plan(content(list_unsubscribe="<mailto:u@example.org>", list_help="<mailto:h@example.org>")).notes
    assert [("list_header_lost", Fidelity.LOST)] * 2 == [(each.code, each.fidelity) for each in notes]


def test_notes_of_the_mail_are_kept():
    told = Note("threading_lost", "x")
    assert (told,) == _plan(content(notes=(told,))).notes


# --- corrections and limits ---


def test_wire_names_and_shape_of_attachments_can_be_corrected():
    mail = content(attachments=(attachment("a.pdf"),))
    types = DmdsSettings(wire={"attachments": "files", "attachment_name": "n", "attachment_type": "tipo"})
    assert [{"n": "a.pdf", "tipo": "application/pdf", "contenido": "JVBERi0="}] == _document(mail, settings=types)[
        "files"
    ]
    as_map = DmdsSettings(wire={"attachments_shape": "map"})
    assert {"a.pdf": "JVBERi0="} == _document(mail, settings=as_map)["adjuntos"]


def test_fields_that_the_configuration_switches_off_are_noted_as_lost():
    off = {"subject": "", "sender_email": "", "sender_name": "", "attachments": "", "contact_variables": ""}
    plan = _plan(
        content(attachments=(attachment("a.pdf"),)),
        settings=DmdsSettings(wire=off),
        powers=Powers(variables={"": {"a": "b"}}),
    )
    assert {"campana_id", "email", "html", "contactos"} == plan.calls[0].document.keys()
    assert [("wire_name_empty", Fidelity.LOST)] * 5 == [(each.code, each.fidelity) for each in plan.notes]


def test_an_oversized_request_is_refused():
    with pytest.raises(MailRefused, match=r"5\.3\.4"):
        _plan(content(html="x" * 2000), settings=DmdsSettings(max_request_bytes=2000))


def test_no_field_can_end_a_header_line():
    evil = "x\r\nBcc: evil@example.org"
    mail = content(sender=Mailbox("a@b.org", evil), subject=evil, attachments=(attachment(evil),))
    recipients = [Recipient("r@example.com", Role.TO, evil), Recipient("s@example.com", Role.CC, evil)]
    document = str(_document(mail, recipients))
    assert "\\r" not in document
    assert "\\n" not in document
