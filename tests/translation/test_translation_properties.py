"""What a generated mail says comes out the other end, in the JSON of both APIs; and any bytes come to an end."""

import base64

import pytest
from generated import mails
from hypothesis import given
from hypothesis import strategies as st
from rivals import escaped, shown
from translating import APIS, FILES, HIDDEN, HTML, SHOWN, translated

FIELDS = [b"Subject", b"From", b"To", b"Cc", b"Reply-To", b"List-Unsubscribe", b"X-Relay-Reference"]
#: Line ends as headers can smuggle them, and what may bring them to light.
PIECES = [
    b"=?utf-8?Q?=0D=0AEvil:_x?=", b"=?utf-8?B?DQpFdmlsOiB4AA==?=", b"\x00", b"\r", b"\n x", b"\x85",
    "\u2028".encode(), b"ana@example.com", b"<", b">", b'"', b"\\\r\n ", b",", b"a",
]  # fmt: skip
_HIDDEN_FIELDS = {"mensatek": "Destinatarios", "dmds": "copia_oculta"}


def _texts(value):
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


@pytest.mark.parametrize("api", APIS)
@given(made=mails())
def test_everything_arrives(api, made):
    """Every file's bytes and name, every line of the text in its order, the subject, the sender, every address."""
    found = translated(made.raw, api, (*made.to, *made.cc, HIDDEN))

    (document,) = found.documents
    contents = [file.get("Contenido", file.get("contenido")) for file in found.files]
    assert [base64.b64encode(data).decode() for _, data in made.files] == contents
    assert [name for name, _ in made.files] == [file.get("Nombre", file.get("nombre")) for file in found.files]
    assert shown(escaped("".join(made.lines))) in shown(found.html)
    subject = document.get("Asunto", document.get("asunto"))
    assert made.subject == subject.replace("\N{WORD JOINER}", "")
    assert made.sender == document.get("Emailremitente", document.get("remitente"))
    rest = {key: value for key, value in document.items() if key not in (HTML[api], FILES[api])}
    assert {*made.to, *made.cc, HIDDEN} <= set(_texts(rest))


@given(made=mails())
def test_what_looks_like_a_variable_stays_text(made):
    """Mensatek replaces ###name### wherever it stands; nothing that it could replace may leave."""
    found = translated(made.raw, "mensatek", made.to)

    for document in found.documents:
        assert not any("###" in text for text in _texts(document))


@pytest.mark.parametrize("api", APIS)
@given(made=mails(), shown_too=st.booleans())
def test_a_hidden_recipient_is_in_its_own_field_alone(api, made, shown_too):
    found = translated(made.raw, api, (*made.to, HIDDEN) if shown_too else (HIDDEN,))

    for document in found.documents:
        own = _HIDDEN_FIELDS[api] if shown_too else {"mensatek": "Destinatarios", "dmds": "contactos"}[api]
        holders = {key for key, value in document.items() if HIDDEN in set(_texts(value))}
        assert {own} == holders


@pytest.mark.parametrize("api", APIS)
@given(st.binary(max_size=2000), st.sampled_from([b"", b"To: " + SHOWN.encode() + b"\r\n"]))
def test_any_bytes_come_to_an_end(api, data, head):
    """Nothing raises, and what comes out is fit for the wire: see `translated`."""
    translated(head + data, api)


@pytest.mark.parametrize("api", APIS)
@given(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=6), st.lists(st.sampled_from(PIECES), max_size=8))
def test_no_line_end_gets_into_a_field(api, fields, values):
    """`translated` looks into every field: however a line end is written, none is in any."""
    value = b"".join(values)
    translated(b"".join(b"%s: %s\r\n" % (name, value) for name in fields) + b"\r\nx", api)
