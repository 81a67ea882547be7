"""Documents become JSON whole, whatever is in them."""

import base64
import json
from collections import UserList
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.providers import encode as encoding
from relay.providers.contract import Base64Text
from relay.providers.encode import encode, plain, size, weigh

_base64 = st.binary(max_size=200).map(lambda data: Base64Text((base64.b64encode(data),)))
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | _base64,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
_documents = st.dictionaries(st.text(), _values, max_size=5)


@given(_documents)
def test_any_document_comes_back_from_its_json(document):
    assert plain(document) == json.loads(b"".join(encode(document)))


@given(_documents)
def test_weight_is_what_encode_makes(document):
    assert size(encode(document)) == weigh(document)


@given(_documents)
def test_slices_of_long_texts_make_the_same_json(document):
    whole = b"".join(encode(document))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "_SLICE_CHARS", 2)
        assert whole == b"".join(encode(document))
        assert len(whole) == weigh(document)


@pytest.mark.parametrize("pieces", [(b'QUJD","Res":"1',), (b"QUJD\\",), (b"QUJD", b"QUJD" * 200_000 + b'"')], ids=len)
def test_base64_that_is_none_cannot_end_its_string(pieces):
    with pytest.raises(ValueError, match="other characters"):
        encode({"Contenido": Base64Text(pieces)})


def test_text_cannot_end_its_string():
    subject = 'x", "Emailremitente": "evil@example.org\r\n'
    assert {"Asunto": subject} == json.loads(b"".join(encode({"Asunto": subject})))


def test_broken_unicode_is_replaced_instead_of_failing():
    assert {"a": ["?b", 1], "c": "?"} == json.loads(b"".join(encode({"a": ["\ud800b", 1], "c": "\udfff"})))
    assert weigh({"a": "\ud800b"}) == len(b'{"a":"?b"}')


def test_big_base64_is_passed_on_and_not_copied():
    big = base64.b64encode(bytes(300_000))
    pieces = encode({"Asunto": "x", "Adjuntos": [{"Nombre": "a", "Contenido": Base64Text((big,))}], "Resp": "JSON"})
    assert [False, True, False] == [piece is big for piece in pieces]


def test_small_bodies_are_one_piece():
    assert 1 == len(encode({"a": "b", "c": [Base64Text((b"QUJD",))]}))


def test_any_mapping_and_sequence_is_written():
    document = {"a": MappingProxyType({"b": UserList([1, Base64Text((b"QUJD",))])}), "c": MappingProxyType({})}
    assert b'{"a":{"b":[1,"QUJD"]},"c":{}}' == b"".join(encode(document))
    assert {"a": {"b": [1, "QUJD"]}, "c": {}} == plain(document)
    assert 29 == weigh(document)


def test_what_is_no_json_is_a_mistake_of_ours():
    for wrong in ({"a": b"bytes"}, {"a": [object()]}):
        with pytest.raises(TypeError):
            encode(wrong)
        with pytest.raises(TypeError):
            weigh(wrong)


def test_neighbours_of_big_pieces_stay_in_order():
    big = base64.b64encode(bytes(100_000))
    pieces = encode({"a": Base64Text((big,)), "b": Base64Text((big,))})
    assert b'{"a":"' + big + b'","b":"' + big + b'"}' == b"".join(pieces)
    assert 5 == len(pieces)


def test_tuples_and_empty_containers_are_written():
    assert b'{"a":[],"b":{},"c":["x",{"d":"QUJD"}],"e":[]}' == b"".join(
        encode({"a": (), "b": {}, "c": ("x", {"d": Base64Text((b"QUJD",))}), "e": []})
    )
    assert b"{}" == b"".join(encode({}))
