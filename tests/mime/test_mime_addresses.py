"""Address lists as people and programs write them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.message import Mailbox
from relay.mime.addresses import address_list, mailboxes


def listed(raw):
    return [(box.name, box.email) for box in mailboxes(raw)]


@pytest.mark.parametrize(
    ("expected", "raw"),
    [
        ([("", "a@example.org")], b"a@example.org"),
        ([("", "a@example.org")], b"<a@example.org>"),
        ([("Ana", "a@example.org")], b"Ana <a@example.org>"),
        ([("Ana Ruiz", "a@example.org")], b'"Ana Ruiz" <a@example.org>'),
        ([("Ruiz, Ana", "a@example.org")], b'"Ruiz, Ana" <a@example.org>'),
        ([("Ruiz, Ana", "a@example.org")], b"Ruiz, Ana <a@example.org>"),
        ([("Ruiz, Ana, Dr.", "a@example.org")], b"Ruiz, Ana, Dr. <a@example.org>"),
        ([("", "x@example.org"), ("Ruiz, Ana", "a@example.org")], b"x@example.org, Ruiz, Ana <a@example.org>"),
        ([("", "a@example.org"), ("", "b@example.org")], b"a@example.org, b@example.org"),
        ([("", "a@example.org"), ("", "b@example.org")], b"a@example.org; b@example.org;"),
        ([("", "a@example.org"), ("", "b@example.org")], b"a@example.org,,  , b@example.org,"),
        ([("A", "a@example.org"), ("B", "b@example.org")], b"A <a@example.org>,\r\n\tB <b@example.org>"),
        ([], b"undisclosed-recipients:;"),
        ([], b"Undisclosed recipients:;"),
        ([("", "a@example.org"), ("B", "b@example.org")], b"Friends: a@example.org, B <b@example.org>;"),
        ([("", "a@example.org"), ("", "c@example.org")], b"G: a@example.org;, c@example.org"),
        ([("Ana", "a@example.org")], b"a@example.org (Ana)"),
        ([("Ana (the (real) one)", "a@example.org")], b'"Ana (the (real) one)" <a@example.org>'),
        ([("Ana", "a@example.org")], b"Ana (nested (comment)) <a@example.org>"),
        ([("Ana", "a@example.org")], b"<a@example.org> (Ana)"),
        ([("", '"john doe"@example.org')], b'"john doe"@example.org'),
        ([("J", '"john doe"@example.org')], b'J <"john doe"@example.org>'),
        ([("J", "a@example.org")], b"J <@relay.example,@other.example:a@example.org>"),
        ([("J", "a@example.org")], b"J <mailto:a@example.org>"),
        ([("", "a@example.org")], b"mailto:a@example.org"),
        ([("Jos\u00e9", "j@example.org")], b"=?iso-8859-1?Q?Jos=E9?= <j@example.org>"),
        ([("José Peña", "j@example.org")], b'"=?utf-8?Q?Jos=C3=A9?= =?utf-8?Q?_Pe=C3=B1a?=" <j@example.org>'),
        ([("Peña, José", "j@example.org")], b"=?utf-8?Q?Pe=C3=B1a,_Jos=C3=A9?= <j@example.org>"),
        ([("Peña, José", "j@example.org")], b"=?utf-8?Q?Pe=C3=B1a=2C_Jos=C3=A9?= <j@example.org>"),
        ([("José", "j@example.org")], "José <j@example.org>".encode()),
        ([("José", "j@example.org")], "José <j@example.org>".encode("latin-1")),
        ([("", "josé@example.org")], "josé@example.org".encode()),
        ([("", "a@bücher.example")], "a@bücher.example".encode()),
        ([("", "用户@例子.example")], "<用户@例子.example>".encode()),
        ([("", "a@example.org")], b"a @ example.org"),
        ([("", "a@example.org")], b"< a@example.org >"),
        ([("", "a@example.org")], b"<<a@example.org>>"),
        ([("Ana", "a@example.org")], b"Ana a@example.org"),
        ([("Ana", "a@example.org")], b"'Ana' <a@example.org>"),
        ([("a@example.org", "a@example.org")], b"'a@example.org' <a@example.org>"),
        ([("", "a@example.org")], b"'a@example.org'"),
        ([("O'Brien", "o'brien@example.org")], b"O'Brien <o'brien@example.org>"),
        ([('The "Boss"', "a@example.org")], b'"The \\"Boss\\"" <a@example.org>'),
        ([("a@b.example", "c@example.org")], b'"a@b.example" <c@example.org>'),
        ([("", "a@[192.0.2.1]")], b"a@[192.0.2.1]"),
        ([("", "a@[IPv6:2001:db8::1]")], b"<a@[IPv6:2001:db8::1]>"),
        ([("", "a@[IPv6:2001:db8::1]")], b"a@[IPv6:2001:db8::1]"),
        ([("", "root")], b"root"),
        ([("Cron Daemon", "root")], b'"Cron Daemon" <root>'),
        ([("", "root"), ("", "a@example.org")], b"root, a@example.org"),
        ([("Ana", "a@example.org")], b'"Ana <a@example.org>'),
        ([("Ana", "a@example.org")], b"Ana <a@example.org"),
        ([("Ana", "a@example.org")], b"=?utf-8?Q?Ana_=3Ca=40example.org=3E?="),
        ([("broken Ana", "a@example.org")], b"(broken Ana <a@example.org>"),
        ([], b""),
        ([], b"<>"),
        ([], b" , ;"),
        ([], b"@"),
        ([], b"no address here at all"),
        ([("x Bcc: evil", "a@example.org")], b"=?utf-8?Q?x=0ABcc:_evil?= <a@example.org>"),
        ([("", "a@example.org")], b"a@example.org."),
        ([("Ana", "a@example.org")], b'"Ana" a@example.org'),
        ([("Ana", "a@example.org")], b'"Ana"a@example.org'),
        ([("Ana", "a@example.org")], b'a@example.org "Ana"'),
        ([("Ana", "a@example.org")], b"Ana 'a@example.org'"),
        ([("Ana", "a@example.org")], b"'Ana' a@example.org"),
        ([("O'Brien", "a@example.org")], b"O'Brien 'a@example.org'"),
        ([("", "a@example.org"), ("", "b@example.org")], b"a@example.org b@example.org"),
        ([("", "a@example.org"), ("", "b@example.org")], b"a@example.org\r\n\tb@example.org"),
        ([("Ana", "a@example.org")], b"Ana a@example.org aka b@example.org"),
    ],
)
def test_an_address_list(expected, raw):
    assert expected == listed(raw)


@pytest.mark.parametrize(
    ("expected", "cut", "values"),
    [
        (0, False, []),
        (2, False, [b"a@x.example", b"b@x.example"]),
        (2000, False, [b"Doe, J <a@x.example>," * 2000]),
        (2000, True, [b"a@x.example," * 2001]),
        (2000, True, [b"a@x.example"] * 2001),
        (9, True, [b"a," * 300_000]),
        (1, True, [b"a@x.example,b@x.example" + b"x" * 300_000]),
        (1, True, [b"a@x.example", b"b@x.example" * 30_000]),
    ],
)
def test_a_list_is_read_up_to_what_an_honest_mail_holds(expected, cut, values):
    """40,000 addresses in To took seconds of everybody's time; an envelope never holds so many."""
    found = address_list(values)
    assert (expected, cut) == (len(found.mailboxes), found.cut)


@given(st.binary(max_size=200))
def test_nothing_raises_and_nothing_dangerous_comes_out(raw):
    for box in mailboxes(raw):
        assert box.email
        assert not set(box.email) & set("\r\n\x00<>")
        assert not set(box.name) & set("\r\n\x00")


names = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=30).map(
    lambda text: " ".join(text.split())
)


@given(st.lists(st.tuples(names, st.from_regex(r"[a-z0-9.+-]{1,12}@[a-z]{1,10}\.example", fullmatch=True)), max_size=5))
def test_well_formed_lists_come_back(boxes):
    boxes = [(name if "=?" not in name and name[:1] + name[-1:] != "''" else "", email) for name, email in boxes]
    quoted = [name.replace("\\", "\\\\").replace('"', '\\"') for name, _ in boxes]
    raw = ", ".join(f'"{name}" <{email}>' for name, (_, email) in zip(quoted, boxes, strict=True)).encode()

    assert [Mailbox(email, name.strip(" ,")) for name, email in boxes] == [
        Mailbox(box.email, box.name.strip(" ,")) for box in mailboxes(raw)
    ]


@pytest.mark.parametrize(
    "unit",
    [
        b'"',
        b'"\\"',
        b"(",
        b"<",
        b"a,",
        b"a b,",
        b"@",
        b"@ :",
        b"=?a?q?",
        b" ",
        b"a<",
        b"[",
        b"a@b,",
        b'<"',
        b"()",
        b";",
        b"\\",
    ],
)
def test_much_of_anything_takes_linear_time(unit):
    begin = time.process_time()
    address_list([unit * (900_000 // len(unit))])
    address_list([unit * (190_000 // len(unit))])
    address_list([unit] * 50_000)
    assert time.process_time() - begin < 10  # quadratic time would be hours
