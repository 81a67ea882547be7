"""Content into EnviarEMAIL: every field, and what is said of what it cannot carry."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_cases import MENSATEK, attachment, brief, content, people

from relay.config.settings import MensatekSettings
from relay.errors import MailRefused
from relay.message import Mailbox, Recipient, Role
from relay.mime.content import Fidelity, Note
from relay.powers import Powers, QuietHours
from relay.providers.encode import plain
from relay.providers.mensatek.entries import spanish_time
from relay.providers.mensatek.translate import MensatekTranslation
from relay.providers.mensatek.wire import MensatekWire
from relay.providers.wire import corrected

_ID = "01JCK0000000000000000000AA"
_ONE = people(1)


def _plan(mail, who=_ONE, *, settings=None, powers=None, **policy):
    settings = settings or MensatekSettings()
    wire = corrected(MensatekWire, settings.wire, "provider.mensatek.wire")
    return MensatekTranslation(settings, wire).plan(mail, brief(who, MENSATEK, powers=powers, **policy))


def _document(*args, **kwargs):
    return plain(_plan(*args, **kwargs).calls[0].document)


def _codes(*args, **kwargs):
    return [each.code for each in _plan(*args, **kwargs).notes]


def test_a_plain_mail_makes_the_smallest_call():
    plan = _plan(content())
    assert {
        "Nombreremitente": "Ana Ruiz",
        "Emailremitente": "ana@example.org",
        "Asunto": "Hola",
        "Mensaje": "<p>Hola</p>",
        "Referenciausuario": _ID,
        "Resp": "JSON",
        "Destinatarios": [{"Nombre": "To 1", "Email": "to1@example.com"}],
    } == plain(plan.calls[0].document)
    assert ("EnviarEMAIL", people(1), ()) == (plan.calls[0].function, plan.calls[0].recipients, plan.notes)


def test_every_field_is_reachable():
    mail = content(
        reply_to=Mailbox("help@example.org", "Help"),
        attachments=(attachment("factura.pdf"),),
        list_unsubscribe="<mailto:u@example.org>",
        list_help="<https://example.org/help>",
    )
    powers = Powers(
        schedule=datetime(2026, 7, 1, 8, 30, tzinfo=UTC),
        quiet_hours=(QuietHours("22:00", "09:00"), QuietHours("14:00", "16:00", "2")),
        track_opens=False,
        track_clicks=True,
        reference="order 7",
        recipient_references={"": "all", "to1@example.com": "R1"},
        variables={"": {"Mes": "julio", "Saldo": "0"}, "to1@example.com": {"Saldo": "7"}},
        report=True,
    )
    assert {
        "Nombreremitente": "Ana Ruiz",
        "Emailremitente": "ana@example.org",
        "Replyto": "help@example.org",
        "Asunto": "Hola",
        "Mensaje": "<p>Hola</p>",
        "Adjuntos": [{"Nombre": "factura.pdf", "Contenido": "JVBERi0="}],
        "Fecha": "2026-07-01 10:30",
        "Intervaloprohibido": [
            {"HoraInicio": "22:00", "HoraFin": "09:00", "Accion": "1"},
            {"HoraInicio": "14:00", "HoraFin": "16:00", "Accion": "2"},
        ],
        "Seguimientoaperturas": 0,
        "Seguimientoclicks": 1,
        "Report": 1,
        "Listunsubscribe": "<mailto:u@example.org>",
        "Listhelp": "<https://example.org/help>",
        "Referenciausuario": "order 7",
        "Resp": "JSON",
        "Destinatarios": [
            {
                "Nombre": "To 1",
                "Email": "to1@example.com",
                "Variables": [{"Nombre": "Mes", "Valor": "julio"}, {"Nombre": "Saldo", "Valor": "7"}],
                "Referencia": "R1",
            },
            {
                "Nombre": "To 2",
                "Email": "to2@example.com",
                "Variables": [{"Nombre": "Mes", "Valor": "julio"}, {"Nombre": "Saldo", "Valor": "0"}],
                "Referencia": "all",
            },
        ],
    } == _document(mail, people(2), powers=powers)


@pytest.mark.parametrize("subject", ["", "  ", "\x00"])
def test_a_mail_without_subject_gets_a_placeholder(subject):
    """Asunto is required: the API refused such a mail after our 250."""
    assert "(no subject)" == _document(content(subject=subject))["Asunto"]
    settings = MensatekSettings(empty_subject="###sin\nasunto###")
    assert "###" not in _document(content(subject=subject), settings=settings)["Asunto"]
    assert "\n" not in _document(content(subject=subject), settings=settings)["Asunto"]
    assert ["subject_missing"] == _codes(content(subject=subject))


def test_a_template_without_subject_gets_the_placeholder_too():
    """`Asunto` is required whatever the body is; left empty, the mail was refused after its 250."""
    assert "(no subject)" == _document(content(subject=""), powers=Powers(template=123))["Asunto"]
    assert {"body_replaced_by_template", "subject_missing"} == set(
        _codes(content(subject=""), powers=Powers(template=123))
    )


_ARRIVED = datetime(2024, 11, 13, 14, 49, tzinfo=UTC)  # what _ID says, to the minute


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (_ARRIVED + timedelta(minutes=2), "2024-11-13 15:51"),
        (_ARRIVED - timedelta(minutes=8), None),
        (_ARRIVED - timedelta(minutes=12), MailRefused),
        (datetime(2023, 1, 1, tzinfo=UTC), MailRefused),
    ],
)
def test_a_time_that_is_past_is_refused_or_nearly_now(moment, expected):
    """Measured from the mail's arrival: a mail that came in time must not be refused because a first attempt failed."""
    powers = Powers(schedule=moment)
    if expected is MailRefused:
        with pytest.raises(MailRefused) as caught:
            _plan(content(), powers=powers)
        assert "554 5.6.0 X-Relay-Schedule: the time is past by more than 10 minutes" == str(caught.value.reply)
    else:
        assert expected == _document(content(), powers=powers).get("Fecha")


def test_a_template_takes_the_place_of_the_body():
    document = _document(content(), powers=Powers(template=123))
    assert 123 == document["Plantilla"]
    assert "Mensaje" not in document
    assert ["body_replaced_by_template"] == _codes(content(html="###x###"), powers=Powers(template=123))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 1, 15, 12, 0, tzinfo=UTC), "2026-01-15 13:00"),
        (datetime(2026, 7, 15, 12, 0, tzinfo=UTC), "2026-07-15 14:00"),
        (datetime(2026, 7, 15, 23, 59, 59, tzinfo=timezone(timedelta(hours=-3))), "2026-07-16 04:59"),
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "2026-03-29 01:59"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "2026-03-29 03:00"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25 02:30"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25 02:30"),
    ],
)
def test_times_are_spanish_civil_time(moment, expected):
    assert expected == spanish_time(moment)


def test_an_hour_that_occurs_twice_is_noted():
    assert ["schedule_ambiguous"] == _codes(
        content(), powers=Powers(schedule=datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    )


# --- variables that are none ---


def test_markers_in_ordinary_mail_are_text():
    mail = content(
        subject="a ###b###",
        html="<p>###c###</p>",
        sender=Mailbox("a@b.org", "###x###"),
        attachments=(attachment("###d###.pdf"),),
    )
    recipient = Recipient("r@example.com", Role.TO, "###Nombre###")
    plan = _plan(mail, [recipient])
    assert "###" not in str(plan.calls[0].document)
    assert ["markers_neutralised"] == [each.code for each in plan.notes]


@pytest.mark.parametrize(
    "mail",
    [
        content(subject="###a###"),
        content(html="###a###"),
        content(sender=Mailbox("a@b.org", "###a###")),
        content(attachments=(attachment("###a###.pdf"),)),
    ],
)
def test_a_marker_anywhere_is_noted(mail):
    assert ["markers_neutralised"] == _codes(mail)


def test_what_breaks_a_marker_counts_for_the_limit_of_a_name():
    """A name of twenty number signs became one of thirty-nine, which the API refuses."""
    plan = _plan(
        content(attachments=(attachment("#" * 20 + ".pdf"),)),
        [Recipient("r@example.com", Role.TO, "#" * 30)],
        settings=MensatekSettings(attachment_name_limit=20, recipient_name_limit=20),
    )
    document = plan.calls[0].document
    assert [20, 20] == [len(document["Adjuntos"][0]["Nombre"]), len(document["Destinatarios"][0]["Nombre"])]
    assert "###" not in str(document)


@pytest.mark.parametrize(("policy", "powers"), [({"variables": True}, None), ({}, Powers(variables={"": {"c": "d"}}))])
def test_markers_are_variables_where_asked_for(policy, powers):
    mail = content(subject="a ###b###", html="<p>###c###</p>")
    document = _document(mail, powers=powers, **policy)
    assert ("a ###b###", "<p>###c###</p>") == (document["Asunto"], document["Mensaje"])
    assert "markers_neutralised" not in _codes(mail, powers=powers, **policy)


def test_an_empty_table_of_variables_asks_for_no_variables():
    """`X-Relay-Variables: {}` made every ### of an ordinary mail a variable."""
    document = _document(content(html="###c###"), powers=Powers(variables={"": {}}))
    assert "###" not in document["Mensaje"]
    assert "Variables" not in document["Destinatarios"][0]


# --- recipients ---


def test_what_is_given_by_address_is_found_without_regard_to_case():
    """To says Ana@, RCPT says ana@: her role was found, her variables and her reference were not."""
    people = [Recipient("ana@example.com", Role.TO), Recipient("ANA@example.com", Role.TO)]
    given = {"Ana@example.com": "loose", "ANA@example.com": "exact"}
    powers = Powers(
        variables={key: {"who": value} for key, value in given.items()} | {"": {"who": "all", "mes": "julio"}},
        recipient_references={**given, "": "all"},
    )
    entries = _document(content(), people, powers=powers)["Destinatarios"]
    assert ["loose", "exact"] == [entry["Referencia"] for entry in entries]
    assert [["loose", "julio"], ["exact", "julio"]] == [
        [each["Valor"] for each in entry["Variables"]] for entry in entries
    ]


@pytest.mark.parametrize("header", ["X-Relay-Variables", "X-Relay-Recipient-Reference"])
def test_what_is_given_to_nobody_is_noted(header):
    """A typo in an address lost its variables in silence; an account's default may be a whole address book."""
    powers = Powers(
        variables={"TO1@example.com": {"a": "b"}, "eve@example.com": {"pin": "7"}, "": {}},
        recipient_references={"to1@example.com": "r", "eve@example.com": "s", "": "t"},
    )
    (told,) = _plan(content(powers=((header.lower(), "..."),)), powers=powers).notes
    assert ("recipient_not_here", Fidelity.LOST) == (told.code, told.fidelity)
    assert told.text.startswith(f"{header} names 1 ")
    assert "eve" not in told.text
    assert [] == _codes(content(), powers=powers)


def test_recipients_are_divided_into_calls():
    plan = _plan(content(), people(2, 2, 1), recipients_per_call=2)
    assert [2, 2, 1] == [len(call.recipients) for call in plan.calls]
    assert [2, 2, 1] == [len(call.document["Destinatarios"]) for call in plan.calls]


@given(st.tuples(*[st.integers(0, 6)] * 3), st.integers(1, 8), st.sampled_from(["together", "individual"]))
def test_everybody_is_in_exactly_one_call_and_alone(counts, limit, mode):
    recipients = people(*counts)
    plan = _plan(content(), recipients, recipients_per_call=limit, recipients=mode)
    listed = [entry["Email"] for call in plan.calls for entry in call.document["Destinatarios"]]
    assert [each.address for each in recipients] == listed
    for call in plan.calls:
        assert [each.address for each in call.recipients] == [
            entry["Email"] for entry in call.document["Destinatarios"]
        ]
        assert not {"Cc", "Bcc", "Copia"} & call.document.keys()


@pytest.mark.parametrize(
    ("counts", "mode", "expected"),
    [
        ((1, 0, 3), "together", []),
        ((2, 0, 0), "together", [("others_not_visible", Fidelity.CHANGED)]),
        ((1, 1, 0), "together", [("cc_not_visible", Fidelity.LOST)]),
        ((3, 3, 0), "individual", []),
    ],
)
def test_what_is_said_of_recipients_who_cannot_see_each_other(counts, mode, expected):
    notes = _plan(content(), people(*counts), recipients=mode).notes
    assert expected == [(each.code, each.fidelity) for each in notes]


def test_header_addresses_that_get_nothing_from_us_are_noted():
    mail = content(to=(Mailbox("TO1@example.com"), Mailbox("list@example.net")), cc=(Mailbox("x@example.net"),))
    (told,) = _plan(mail).notes
    assert ("header_recipients_not_shown", Fidelity.CHANGED) == (told.code, told.fidelity)
    assert told.text.startswith("2 ")


def test_international_domains_go_out_in_ascii_with_a_note():
    recipient = Recipient("ana@bücher.example", Role.TO)
    assert "ana@xn--bcher-kva.example" == _document(content(), [recipient])["Destinatarios"][0]["Email"]
    assert ["address_as_ascii"] == _codes(content(), [recipient])


def test_long_recipient_names_are_cut_where_configured():
    settings = MensatekSettings(recipient_name_limit=3)
    recipient = Recipient("a@example.com", Role.TO, "Anastasia")
    assert "Ana" == _document(content(), [recipient], settings=settings)["Destinatarios"][0]["Nombre"]
    assert ["recipient_name_shortened"] == _codes(content(), [recipient], settings=settings)


# --- limits, powers, corrections ---


def test_what_mensatek_does_not_offer_is_noted():
    notes = _plan(content(), powers=Powers(campaign=3, archive=True, batch="x")).notes
    assert [("power_not_available", Fidelity.LOST)] * 3 == [(each.code, each.fidelity) for each in notes]
    assert "X-Relay-Campaign" in notes[0].text
    assert [] == _codes(content(), powers=Powers(archive=False))


def test_notes_of_the_mail_are_kept():
    told = Note("threading_lost", "x")
    assert (told,) == _plan(content(notes=(told,))).notes


def test_an_oversized_request_is_refused():
    with pytest.raises(MailRefused, match=r"5\.3\.4"):
        _plan(content(html="x" * 2000), settings=MensatekSettings(max_request_bytes=2000))


def test_wire_names_can_be_corrected():
    settings = MensatekSettings(wire={"recipient_reference": "Ref", "send": "EnviarCorreo"})
    plan = _plan(content(), settings=settings, powers=Powers(recipient_references={"": "R"}))
    assert "EnviarCorreo" == plan.calls[0].function
    assert "R" == plan.calls[0].document["Destinatarios"][0]["Ref"]


def test_a_reference_without_a_field_is_noted():
    settings = MensatekSettings(wire={"recipient_reference": ""})
    plan = _plan(content(), settings=settings, powers=Powers(recipient_references={"": "R"}))
    assert {"Nombre", "Email"} == plan.calls[0].document["Destinatarios"][0].keys()
    assert ["wire_name_empty"] == [each.code for each in plan.notes]
    assert [] == _codes(content(), settings=settings)


def test_no_field_can_end_a_header_line():
    evil = "x\r\nBcc: evil@example.org"
    mail = replace(
        content(sender=Mailbox("a@b.org", evil), subject=evil),
        list_unsubscribe=evil,
        list_help=evil,
        attachments=(attachment(evil),),
    )
    document = _document(mail, [Recipient("r@example.com", Role.TO, evil)], powers=Powers(reference=evil))
    assert "\\r" not in str(document)
    assert "\\n" not in str(document)
    assert "x  Bcc: evil@example.org" == document["Asunto"]
