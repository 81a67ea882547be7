"""Addresses: who sends, who is addressed, who gets the answers."""

# ruff: noqa: E501 - tables: a kind is easier to read in one piece

from kinds.kind import Kind

_A = "ana@example.org"
_NAMED = f"Ana <{_A}>"


def _mail(*fields: bytes) -> bytes:
    return b"".join(field + b"\r\n" for field in fields) + b"Subject: Kind\r\n\r\nplain"


def _listed(value: bytes, *mailboxes: str, notes: frozenset[str] | None = frozenset()) -> Kind:
    raw = _mail(b"From: Ana <ana@example.org>", b"To: " + value)
    return Kind(f"to {value[:70]!r}", raw, ("plain",), to=mailboxes, notes=notes)


def lists() -> list[Kind]:
    """What stands in To (RFC 5322 §3.4, §4.4), and what does not belong there."""
    return [
        _listed(b"ana@example.org", _A), _listed(b"<ana@example.org>", _A), _listed(b"Ana <ana@example.org>", _NAMED),
        _listed(b'"Ana" <ana@example.org>', _NAMED), _listed(b"Ana<ana@example.org>", _NAMED),
        _listed(b"ana@example.org (Ana)", _NAMED), _listed(b"Ana (the boss) <ana@example.org>", _NAMED),
        _listed(b"Ana (a (nested) b) <ana@example.org>", _NAMED), _listed(b"(first) Ana <ana@example.org> (last)", _NAMED),
        _listed(b"ana(x)@example.org", f"x <{_A}>"), _listed(b"ana @ example.org", _A), _listed(b"Ana < ana@example.org >", _NAMED),
        _listed(b"ana . b@example . org", "ana.b@example.org"), _listed(b"Ana <ana@\r\n example.org>", _NAMED),
        _listed(b"a@x.org, b@y.org", "a@x.org", "b@y.org"), _listed(b"a@x.org; b@y.org", "a@x.org", "b@y.org"),
        _listed(b"a@x.org b@y.org", "a@x.org", "b@y.org"), _listed(b"a@x.org,, ,b@y.org,", "a@x.org", "b@y.org"),
        _listed(b"a@x.org,\r\n\tb@y.org", "a@x.org", "b@y.org"), _listed(b"A <a@x.org>; B <b@y.org>;", "A <a@x.org>",
                "B <b@y.org>"),
        _listed(b"A <a@x.org> B <b@y.org>", "A <a@x.org>", "B <b@y.org>"),
        _listed(b"<a@x.org> <b@y.org>", "a@x.org", "b@y.org"),
        _listed(b"Team: a@x.org, B <b@y.org>;", "a@x.org", "B <b@y.org>"),
        _listed(b"Team: a@x.org;, b@y.org", "a@x.org", "b@y.org"), _listed(b"undisclosed-recipients:;"),
        _listed(b"Undisclosed recipients: ;"), _listed(b"undisclosed-recipients:"), _listed(b""), _listed(b"One:; Two:;"),
        _listed(b'"A: B": a@x.org;', "a@x.org"), _listed(b"Team:a@x.org,b@y.org", "a@x.org", "b@y.org"),
        _listed(b"<@a.org,@b.org:ana@example.org>", _A), _listed(b"Ana <@a.org:ana@example.org>", _NAMED),
        _listed(b'"ana b"@example.org', '"ana b"@example.org'), _listed(b'"a@b"@example.org', '"a@b"@example.org'),
        _listed(b'Ana <"ana b"@example.org>', 'Ana <"ana b"@example.org>'),
        _listed(b'<"a,b"@example.org>, b@y.org', '"a,b"@example.org', "b@y.org"),
        _listed(b'<"a\\"b"@example.org>', '"a\\"b"@example.org'),
        _listed(b"Doe, John <j@x.org>", "Doe, John <j@x.org>"), _listed(b'"Doe, John" <j@x.org>', "Doe, John <j@x.org>"),
        _listed(b"Doe, John <j@x.org>, b@y.org", "Doe, John <j@x.org>", "b@y.org"),
        _listed(b"a@x.org, Doe, John <j@x.org>", "a@x.org", "Doe, John <j@x.org>"),
        _listed(b"J. Doe <j@x.org>", "J. Doe <j@x.org>"), _listed(b"Sales @ Shop <s@x.org>", "Sales @ Shop <s@x.org>"),
        _listed(b"O'Hara <o'hara@x.org>", "O'Hara <o'hara@x.org>"),
        _listed(b"'Ana' <ana@example.org>", _NAMED), _listed(b"'ana@example.org' <ana@example.org>", f"{_A} <{_A}>"),
        _listed(b"'ana@example.org'", _A), _listed(b'"ana@example.org"', _A),
        _listed(b'"ana@example.org" <ana@example.org>', f"{_A} <{_A}>"),
        _listed(b"ana@example.org <ana@example.org>", f"{_A} <{_A}>"), _listed(b"<<ana@example.org>>", _A),
        _listed(b"<ana@example.org", _A), _listed(b"Ana <ana@example.org", _NAMED), _listed(b"Ana ana@example.org", _NAMED),
        _listed(b"ana@example.org>", _A), _listed(b"<ana@example.org> Ana", _NAMED), _listed(b'Ana" <ana@example.org>', _NAMED),
        _listed(b'"Ana <ana@example.org>', _NAMED), _listed(b'"Ana \\"A\\" B" <ana@example.org>', f'Ana "A" B <{_A}>'),
        _listed(b'"Ana (x)" <ana@example.org>', f"Ana (x) <{_A}>"), _listed(b"[Ana] <ana@example.org>", f"[Ana] <{_A}>"),
        _listed(b"mailto:ana@example.org", _A), _listed(b"<mailto:ana@example.org>", _A),
        _listed(b"Ana [mailto:ana@example.org]", _NAMED), _listed(b"ana@example.org.", _A),
        _listed(b"ANA@EXAMPLE.ORG", "ANA@EXAMPLE.ORG"), _listed(b"a+b=c@example.org", "a+b=c@example.org"),
        _listed(b"!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"),
        _listed(b"ana@[192.0.2.1]", "ana@[192.0.2.1]"), _listed(b"<ana@[IPv6:2001:db8::1]>", "ana@[IPv6:2001:db8::1]"),
        _listed("ana@españa.example".encode(), "ana@españa.example"), _listed("josé@example.org".encode(), "josé@example.org"),
        _listed("José <josé@españa.example>".encode(), "José <josé@españa.example>"),
        _listed(b"ana@xn--espaa-rta.example", "ana@xn--espaa-rta.example"),
        _listed("José <jose@x.org>".encode("cp1252"), "José <jose@x.org>", notes=None),
        _listed(b"=?utf-8?Q?Jos=C3=A9?= <jose@x.org>", "José <jose@x.org>"),
        _listed(b'"=?utf-8?Q?Jos=C3=A9?=" <jose@x.org>', "José <jose@x.org>"),
        _listed(b"=?utf-8?Q?Jos=C3=A9?=<jose@x.org>", "José <jose@x.org>"),
        _listed(b"=?utf-8?Q?Doe,_Jos=C3=A9?= <jose@x.org>", "Doe, José <jose@x.org>"),
        _listed(b"=?utf-8?Q?Jos=C3?=\r\n =?utf-8?Q?=A9?= <jose@x.org>", "José <jose@x.org>"),
        _listed(b"=?utf-8?Q?Jos=C3=A9?= Ruiz <jose@x.org>", "José Ruiz <jose@x.org>"),
        _listed(b"Sr. =?utf-8?Q?Jos=C3=A9?= (=?utf-8?Q?ni=C3=B1o?=) <jose@x.org>", "Sr. José <jose@x.org>"),
        _listed(b"jose@x.org (=?utf-8?Q?Jos=C3=A9?=)", "José <jose@x.org>"),
        _listed(b"=?utf-8?Q?Jos=C3=A9_<jose@x.org>?=", "José <jose@x.org>"),
        _listed(b"=?utf-8?Q?Jos=C3=A9_=3Cjose=40x.org=3E?=", "José <jose@x.org>"),
        _listed(b"=?utf-8?Q?=22Doe=2C_Jos=C3=A9=22?= <jose@x.org>", "Doe, José <jose@x.org>"),
        _listed(b"=?utf-8?Q?Jos=C3=A9\r\n Ruiz?= <jose@x.org>", "José Ruiz <jose@x.org>"),
        _listed(b"=?utf-8?Q?a=0D=0ABcc:_x?= <ana@example.org>", f"a Bcc: x <{_A}>"),
        _listed(b"root", "root"), _listed(b"root, ana@example.org", "root", _A), _listed(b"<root>", "root"),
        _listed(b"Ana\x00 <ana@example.org>", _NAMED), _listed(b"Ana <ana\x00@example.org>", _NAMED),
        _listed(b"Ana <>"), _listed(b"<>"), _listed(b"@"), _listed(b"@example.org"), _listed(b"ana@"),
        _listed(b"Recipient list not shown: ;"), _listed(b",;,"), _listed(b'""'), _listed(b"()"),
        _listed(b", ".join(b"r%d@x.org" % n for n in range(1500)), *[f"r{n}@x.org" for n in range(1500)]),
    ]  # fmt: skip


def roles() -> list[Kind]:
    """Several fields, and which of them decides."""
    several = frozenset({"from_first_only"})
    replies = frozenset({"reply_to_first_only"})
    common: dict[str, tuple[str, ...] | None] = {"to": ("Bea <b@x.org>",)}
    to = b"To: Bea <b@x.org>"
    return [
        Kind("several from, sender decides", _mail(b"From: A <a@x.org>, C <c@x.org>", b"Sender: C <c@x.org>", to),
             sender="C <c@x.org>", notes=several, **common),
        Kind("several from, no sender", _mail(b"From: A <a@x.org>, C <c@x.org>", to), sender="A <a@x.org>",
             notes=several, **common),
        Kind("from twice", _mail(b"From: A <a@x.org>", b"From: C <c@x.org>", to), sender="A <a@x.org>", notes=several,
             **common),
        Kind("from twice the same", _mail(b"From: A <a@x.org>", b"From: A <A@X.org>", to), sender="A <a@x.org>", **common),
        Kind("from and another sender", _mail(b"From: A <a@x.org>", b"Sender: C <c@x.org>", to), sender="A <a@x.org>",
             notes=None, **common),
        Kind("only sender", _mail(b"Sender: C <c@x.org>", to), sender="C <c@x.org>", **common),
        Kind("from empty, sender told", _mail(b"From:", b"Sender: C <c@x.org>", to), sender="C <c@x.org>", **common),
        Kind("from without domain, sender told", _mail(b"From: root", b"Sender: C <c@x.org>", to), sender="C <c@x.org>",
             **common),
        Kind("nobody sends", _mail(to), sender="", **common),
        Kind("from a group", _mail(b"From: Team: A <a@x.org>;", to), sender="A <a@x.org>", **common),
        Kind("from folded", _mail(b"From:\r\n A\r\n <a@x.org>", to), sender="A <a@x.org>", **common),
        Kind("from with comma", _mail(b"From: Doe, A <a@x.org>", to), sender="Doe, A <a@x.org>", **common),
        Kind("from with colon", _mail(b"From: Shop: A <a@x.org>", to), sender=None, **common),
        Kind("reply-to", _mail(b"From: A <a@x.org>", to, b"Reply-To: R <r@x.org>"), sender=None, reply_to="R <r@x.org>",
             **common),
        Kind("several reply-to", _mail(b"From: A <a@x.org>", to, b"Reply-To: r@x.org, s@x.org"), sender=None,
             reply_to="r@x.org", notes=replies, **common),
        Kind("reply-to twice", _mail(b"From: A <a@x.org>", to, b"Reply-To: r@x.org", b"Reply-To: s@x.org"), sender=None,
             reply_to="r@x.org", notes=replies, **common),
        Kind("reply-to twice the same", _mail(b"From: A <a@x.org>", to, b"Reply-To: r@x.org, R <r@x.org>"), sender=None,
             reply_to="r@x.org", **common),
        Kind("reply-to empty", _mail(b"From: A <a@x.org>", to, b"Reply-To:"), sender=None, **common),
        Kind("to twice", _mail(b"From: A <a@x.org>", to, b"To: c@x.org"), sender=None, to=("Bea <b@x.org>", "c@x.org")),
        Kind("cc twice", _mail(b"From: A <a@x.org>", to, b"Cc: c@x.org", b"CC: d@x.org"), sender=None,
             cc=("c@x.org", "d@x.org"), **common),
        Kind("bcc is not read", _mail(b"From: A <a@x.org>", to, b"Bcc: c@x.org"), sender=None, **common),
        Kind("resent", _mail(b"Resent-From: m@x.org", b"Resent-To: n@x.org", b"Resent-Cc: o@x.org",
                             b"From: A <a@x.org>", to), sender=None, to=("n@x.org", "Bea <b@x.org>"), cc=("o@x.org",)),
        Kind("resent twice, the last stands first", _mail(b"Resent-To: n@x.org", b"Received: x", b"Resent-To: o@x.org",
             b"From: A <a@x.org>", to), sender=None, to=("n@x.org", "Bea <b@x.org>")),
        Kind("thousands of recipients", _mail(b"From: A <a@x.org>", b"To: " + b", ".join(
            b"r%d@x.org" % n for n in range(5000))), sender=None, to=tuple(f"r{n}@x.org" for n in range(2000)),
            notes=frozenset({"addresses_cut"})),
        Kind("apparently-to", _mail(b"From: A <a@x.org>", b"Apparently-To: b@x.org"), sender=None, to=(), notes=None),
    ]  # fmt: skip


def kinds() -> list[Kind]:
    """All of them."""
    return [*lists(), *roles()]
