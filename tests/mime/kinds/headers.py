"""Headers: subjects, names of files and addresses, as the RFCs want them and as programs write them."""

# ruff: noqa: E501 - tables: a kind is easier to read in one piece

from base64 import b64encode

from kinds.kind import HEAD, Kind, leaf, tree, whole

_WORD = "Año nuevo, señor"
_SPLIT = "ñandú"


def _b(data: bytes, charset: str = "utf-8") -> bytes:
    return b"=?" + charset.encode() + b"?B?" + b64encode(data) + b"?="


def _q(data: bytes, charset: str = "utf-8") -> bytes:
    return b"=?" + charset.encode() + b"?Q?" + b"".join(b"=%02X" % byte for byte in data) + b"?="


def _subject(value: bytes, text: str, *, notes: frozenset[str] | None = frozenset()) -> Kind:
    raw = HEAD.replace(b"Subject: Kind", b"Subject: " + value) + b"\r\nplain"
    return Kind(f"subject {value[:60]!r}", raw, ("plain",), subject=text, notes=notes)


def subjects() -> list[Kind]:
    """RFC 2047 in and out of order, and raw bytes."""
    encoded = _WORD.encode()
    cut = _SPLIT.encode()
    return [
        *[_subject(make(_WORD.encode(codec), label), _WORD)
          for make in (_b, _q) for codec, label in (
              ("utf-8", "utf-8"), ("utf-8", "UTF-8"), ("utf-8", "utf8"), ("cp1252", "iso-8859-1"), ("cp1252", "us-ascii"),
              ("cp1252", "windows-1252"), ("iso8859-15", "iso-8859-15"), ("cp1252", "unknown-8bit"), ("utf-8", "x-unknown"),
              ("utf-8", "utf-8*es"), ("utf-8", "UTF-8*en-US"), ("utf-7", "utf-7"), ("utf-16-be", "utf-16be"),
              ("utf-8", "us-ascii"), ("mac-roman", "macintosh"), ("cp850", "ibm850"))],
        *[_subject(make(text.encode(codec), codec), text) for make in (_b, _q) for codec, text in (
            ("iso-2022-jp", "会議のお知らせ"), ("shift_jis", "会議"), ("euc-jp", "会議"), ("gb2312", "会议"), ("gb18030", "会议㐂"),
            ("big5", "會議"), ("euc-kr", "회의"), ("koi8-r", "собрание"), ("windows-1251", "собрание"), ("tis-620", "ประชุม"),
            ("iso-8859-7", "συνάντηση"), ("windows-1255", "פגישה"), ("hz", "会议"), ("iso-2022-kr", "회의"))],
        _subject(_b(encoded).lower().replace(b64encode(encoded).lower(), b64encode(encoded)), _WORD),
        _subject(_b(cut[:1]) + b" " + _b(cut[1:]), _SPLIT),
        _subject(_b(cut[:1]) + b"\r\n " + _b(cut[1:]), _SPLIT),
        _subject(_q(cut[:1]) + b"\r\n\t" + _q(cut[1:]), _SPLIT),
        _subject(_b(cut[:1]) + b" " + _q(cut[1:]), _SPLIT),
        _subject(_q(cut[:1]) + b" " + _q(cut[1:], "UTF-8"), _SPLIT),
        _subject(b"=?utf-8?B?" + b64encode(encoded)[:5] + b"?=\r\n =?utf-8?B?" + b64encode(encoded)[5:] + b"?=", _WORD),
        _subject(_q(cut[:1], "utf-8*es") + b" " + _q(cut[1:], "utf-8*es"), _SPLIT),
        _subject(_b("会".encode("iso-2022-jp"), "iso-2022-jp") + b" " + _b("議".encode("iso-2022-jp"), "iso-2022-jp"), "会議"),
        _subject(b"Re: " + _b(encoded), "Re: " + _WORD),
        _subject(_b(encoded) + b" and more", _WORD + " and more"),
        _subject(_b(encoded) + b", " + _b(encoded), f"{_WORD}, {_WORD}"),
        _subject(_q(b"a ") + b" " + _q(b"b"), "a b"),
        _subject(b"a" + _q("ñ".encode()) + b"b", "añb"),
        _subject(_q("ñ".encode()) + _q("á".encode()), "ñá"),
        _subject(b"(" + _q("ñ".encode()) + b")", "(ñ)"),
        _subject(b'"' + _q("ñ".encode()) + b'"', '"ñ"'),
        _subject(b"=?utf-8?Q?A=C3=B1o nuevo?=", "Año nuevo"),
        _subject(b"=?utf-8?Q?A=C3=B1o_nuevo?=", "Año nuevo"),
        _subject(b"=?utf-8?q?A=c3=b1o?=", "Año"),
        _subject(b"=?utf-8?Q?what?_A=C3=B1o?=", "what? Año"),
        _subject(b"=?utf-8?Q?A=C3=B1o=?=", "Año="),
        _subject(b"=?utf-8?Q?A=C3=B1o\r\n nuevo?=", "Año nuevo"),
        _subject(b"=?utf-8?B?QcOx\r\n bw==?=", "Año"),
        _subject(b"=?utf-8?B?QcOxbw?=", "Año"),
        _subject(b"=?utf-8?B?QcOxbw===?=", "Año"),
        _subject(b"=?utf-8?B?QcO!xbw==?=", "Año"),
        _subject(b"=?utf-8?Q??=", ""),
        _subject(b"=?utf-8?B??= text", "text"),
        _subject(b"=?utf-8?Q?open", "=?utf-8?Q?open"),
        _subject(b"=?utf-8?X?odd?=", "=?utf-8?X?odd?="),
        _subject(b"=? ?Q?odd?=", "=? ?Q?odd?="),
        _subject(b"=??Q?A=C3=B1o?=", "Año"),
        _subject(b"=?utf-8?Q?one=0D=0ABcc:_x?=", "one Bcc: x"),
        _subject(b"=?utf-8?Q?nul=00here?=", "nulhere"),
        _subject(b"nul\x00here", "nulhere"),
        _subject(b"tab\there", "tab here"),
        _subject(_WORD.encode(), _WORD),
        _subject(_WORD.encode("cp1252"), _WORD, notes=None),
        Kind(
            "subject raw in the charset that the text seems to be in",
            HEAD.replace(b"Subject: Kind", b"Subject: " + "订单通知".encode("gbk")) + b"\r\n" + ("尊敬的客户 您的订单已经发货。" * 5).encode("gbk"),
            ("尊敬的客户",), subject="订单通知", notes=frozenset({"charset_guessed"}),
        ),
        _subject(_WORD.encode() + b" " + _b(encoded), f"{_WORD} {_WORD}"),
        _subject(_b(b"x" * 500), "x" * 500),
        _subject(b"long " * 2000, ("long " * 2000).strip()),
        _subject(b"x" * 100_000, "x" * 100_000),
        _subject(b"one\r\n two\r\n\tthree", "one two three"),
        _subject(b"\r\n folded at once", "folded at once"),
        _subject(b"one\r\n \r\n two", "one  two"),
        _subject(b"a broken\r\nfold", "a broken fold"),
        _subject(b"", ""),
        _subject(b"[EXT] =?utf-8?Q?=F0=9F=8E=89?= party", "[EXT] 🎉 party"),
        _subject(b"=?utf-8?Q?=ED=A0=BC=ED=BE=89?= party", "🎉 party"),
        _subject(b"=?utf-8?B?" + b64encode("é".encode()) + b"?=?=", "é?="),
        _subject(b"=?UTF-8?Q?a?==?UTF-8?Q?b?=", "ab"),
        _subject(b"=3D?utf-8?Q?odd?=", "=3D?utf-8?Q?odd?="),
        _subject(b"100%25 =E9", "100%25 =E9"),
        Kind("subject twice", HEAD + b"Subject: Other\r\n\r\nplain", ("plain",)),
        Kind("subject empty, then told", HEAD.replace(b"Subject: Kind", b"Subject:\r\nSubject: Kind") + b"\r\nplain",
             ("plain",)),
        Kind("subject in capitals", HEAD.replace(b"Subject:", b"SUBJECT:") + b"\r\nplain", ("plain",)),
        Kind("blank before the colon", HEAD.replace(b"Subject:", b"Subject :") + b"\r\nplain", ("plain",)),
        Kind("no blank behind the colon", HEAD.replace(b": ", b":") + b"\r\nplain", ("plain",)),
        Kind("tab behind the colon", HEAD.replace(b": ", b":\t") + b"\r\nplain", ("plain",)),
        Kind("field without name", HEAD + b": lost\r\nDate: today\r\n\r\nplain", ("plain",), subject=None),
        Kind("field name of eight bits", HEAD + b"X-\xf1: lost\r\nDate: today\r\n\r\nplain", ("plain",), notes=None),
        Kind("header of many fields", HEAD + b"X-Spam-A: b\r\n" * 3000 + b"\r\nplain", ("plain",)),
        Kind("field of 100 kB", HEAD + b"References: " + b"<a@b>\r\n " * 14000 + b"\r\n\r\nplain", ("plain",),
             notes=frozenset({"threading_lost"})),
    ]  # fmt: skip


def _named(parameters: bytes, name: str, *, notes: frozenset[str] | None = frozenset()) -> Kind:
    part = leaf(b"bytes", b"application/x-f", b"Content-Disposition: attachment" + parameters)
    return Kind(
        f"name {parameters!r}",
        whole(tree(b"mixed", leaf(b"plain"), part)),
        ("plain",),
        files=((name, b"bytes"),),
        notes=notes,
    )


def names() -> list[Kind]:
    """Names of files: RFC 2231, RFC 2047 where it is forbidden, raw bytes."""
    accent = "Menú año.pdf"
    quoted = "".join(f"%{byte:02X}" for byte in accent.encode()).encode()
    utf, latin = accent.encode(), accent.encode("cp1252")
    half = "ñ".encode()
    return [
        _named(b"; filename=a.pdf", "a.pdf"), _named(b'; filename="a b.pdf"', "a b.pdf"),
        _named(b"; filename=a b.pdf", "a b.pdf"), _named(b';filename="a;b.pdf"', "a;b.pdf"),
        _named(b'; filename="a\\"b.pdf"', 'a"b.pdf'), _named(b'; filename="a (1).pdf"', "a (1).pdf"),
        _named(b'; filename="C:\\Users\\Ana\\a.pdf"', "a.pdf"), _named(b'; filename="/tmp/a.pdf"', "a.pdf"),
        _named(b'; filename="..\\..\\a.pdf"', "a.pdf"), _named(b'; filename="a.pdf', "a.pdf"),
        _named(b"; filename='a.pdf'", "'a.pdf'"), _named(b"; FILENAME=a.pdf", "a.pdf"),
        _named(b"; filename = a.pdf", "a.pdf"), _named(b';\r\n\tfilename="a.pdf"', "a.pdf"),
        _named(b';\r\n filename="a\r\n b.pdf"', "a b.pdf"), _named(b'; filename="a.pdf"; size=5', "a.pdf"),
        _named(b'; size=5; filename="a.pdf"', "a.pdf"), _named(b'; filename="a.pdf"; filename="b.pdf"', "a.pdf"),
        _named(b"; filename*=utf-8''" + quoted, accent), _named(b"; filename*=UTF-8'es'" + quoted, accent),
        _named(b"; filename*=iso-8859-1''Men%FA%20a%F1o.pdf", accent), _named(b"; filename*=" + quoted, accent),
        _named(b"; filename*=\"utf-8''" + quoted + b'"', accent),
        _named(b"; filename=fallback.pdf; filename*=utf-8''" + quoted, accent),
        _named(b"; filename*=utf-8''" + quoted + b"; filename=fallback.pdf", accent),
        _named(b"; filename*0=Me; filename*1=nu.pdf", "Menu.pdf"),
        _named(b'; filename*0="a b"; filename*1=" c.pdf"', "a b c.pdf"),
        _named(b"; filename*1=nu.pdf; filename*0=Me", "Menu.pdf"),
        _named(b"; filename*0*=utf-8''Men%C3%BA; filename*1*=%20a%C3%B1o; filename*2=.pdf", accent),
        _named(b"; filename*2=.pdf; filename*1*=%20a%C3%B1o; filename*0*=utf-8''Men%C3%BA", accent),
        _named(b"; filename*0*=utf-8''a%C3; filename*1*=%B1o.pdf", "año.pdf"),
        _named(b"; filename*0*=utf-8''a; filename*2*=c.pdf", "ac.pdf"),
        _named(b"; filename*1*=b; filename*2*=c.pdf", "bc.pdf"),
        _named(b"; filename*0=utf-8''x.pdf", "utf-8''x.pdf"),
        _named(b"; filename*0*=utf-8''a%C3%B1o; filename*1=%20b.pdf", "año%20b.pdf"),
        _named(b"; filename*00*=utf-8''a%C3%B1; filename*01*=o.pdf", "año.pdf"),
        _named(b"; filename*0=a; filename*1=b; filename*2=c; filename*3=d; filename*4=e; filename*5=f; filename*6=g; "
               b"filename*7=h; filename*8=i; filename*9=j; filename*10=k.pdf", "abcdefghijk.pdf"),
        _named(b"; filename*=utf-8''a%ZZ.pdf", "a%ZZ.pdf"), _named(b"; filename*=no-such''a%F1o.pdf", "año.pdf"),
        _named(b"; filename*=''a%C3%B1o.pdf", "año.pdf"), _named(b"; filename*=utf-8'a%C3%B1o.pdf", "utf-8'año.pdf"),
        _named(b"; filename*=gb18030''%D6%D0.pdf", "中.pdf"), _named(b"; filename*=iso-2022-jp''%1B$BF|%1B(B.pdf", "日.pdf"),
        _named(b'; filename="' + _b(utf) + b'"', accent), _named(b"; filename=" + _b(utf), accent),
        _named(b'; filename="' + _q(latin, "iso-8859-1") + b'"', accent),
        _named(b'; filename="=?utf-8?Q?Men=C3=BA_a=C3=B1o.pdf?="', accent),
        _named(b'; filename="=?utf-8?Q?Men=C3=BA?=\r\n =?utf-8?Q?_a=C3=B1o.pdf?="', accent),
        _named(b"; filename==?utf-8?Q?Men=C3=BA?=\r\n =?utf-8?Q?_a=C3=B1o.pdf?=", accent),
        _named(b'; filename="=?utf-8?B?' + b64encode(half)[:2] + b"?= =?utf-8?B?" + b64encode(half)[2:] + b'?="', "ñ"),
        _named(b"; filename*=utf-8''" + _q(utf).replace(b"=", b"%3D").replace(b"?", b"%3F"), accent),
        _named(b'; filename*0="=?utf-8?Q?Men=C3=BA_"; filename*1="a=C3=B1o.pdf?="', accent),
        _named(b'; filename="pre ' + _q(b".pdf") + b'"', "pre .pdf"),
        _named(b'; filename="' + utf + b'"', accent), _named(b"; filename=" + utf, accent),
        _named(b'; filename="' + latin + b'"', accent, notes=None),
        _named(b'; filename=""', "attachment-1.bin"), _named(b"; filename=", "attachment-1.bin"),
        _named(b"", "attachment-1.bin"), _named(b'; name="a.pdf"', "a.pdf"), _named(b"; filename=.pdf", ".pdf"),
        _named(b'; filename="a%20b.pdf"', "a%20b.pdf"), _named(b'; filename="a\x00b.pdf"', "ab.pdf"),
        _named(b'; filename="a\tb.pdf"', "a b.pdf"), _named(b'; filename="=?utf-8?Q?a=0D=0Ab.pdf?="', "a b.pdf"),
        _named(b'; filename="=?utf-8?Q?..=2Fa.pdf?="', "a.pdf"), _named(b"; filename*=utf-8''..%2Fa.pdf", "a.pdf"),
        _named(b'; filename="' + b"x" * 300 + b'.pdf"', "x" * 251 + ".pdf"),
        _named(b'; filename="gpj.exe"', "gpj.exe"),
        _named(b"; filename=a,b.pdf", "a,b.pdf"), _named(b"; filename=a=b.pdf", "a=b.pdf"),
        _named(b"; filename=[a].pdf", "[a].pdf"), _named(b"; filename=a@b.pdf", "a@b.pdf"),
        _named(b' filename="a.pdf"', "a.pdf"), _named(b', filename="a.pdf"', "a.pdf"),
        _named(b'; filename="a.pdf";', "a.pdf"), _named(b';; filename="a.pdf"', "a.pdf"),
        _named(b'; creation-date="Mon, 5 Jan 2026 10:00:00 +0100"; filename="a.pdf"', "a.pdf"),
        *_typed(),
    ]  # fmt: skip


def _typed() -> list[Kind]:
    """Names and dispositions told elsewhere."""
    kinds = []
    for fields, name in (
        ((b'application/x-f; name="a.pdf"',), "a.pdf"),
        ((b"application/x-f; name*=utf-8''a%C3%B1o.pdf",), "año.pdf"),
        ((b"application/x-f; name==?utf-8?Q?a=C3=B1o.pdf?=",), "año.pdf"),
        ((b"application/x-f", b"Content-Disposition: inline; filename=a.pdf"), "a.pdf"),
        ((b"application/x-f", b"Content-Disposition: ATTACHMENT; filename=a.pdf"), "a.pdf"),
        ((b"application/x-f", b'Content-Disposition: "attachment"; filename=a.pdf'), "a.pdf"),
        ((b"application/x-f", b"Content-Disposition: filename=a.pdf"), "a.pdf"),
        ((b"application/x-f", b"Content-Disposition: ; filename=a.pdf"), "a.pdf"),
        ((b"application/x-f", b"Content-Disposition: unheard-of; filename=a.pdf"), "a.pdf"),
        ((b"text/plain", b"Content-Disposition: attachment"), "attachment-1.txt"),
        ((b"text/plain", b"Content-Disposition: attachment;filename=a.txt"), "a.txt"),
        ((b"application/x-f; name=type.pdf", b"Content-Disposition: attachment; filename=told.pdf"), "told.pdf"),
        ((b"application/x-f; name=type.pdf", b"Content-Disposition: attachment"), "type.pdf"),
        ((b"application/x-f; name=type.pdf", b'Content-Disposition: attachment; filename=""'), "type.pdf"),
        ((b"application/x-f; name=type.pdf", b"Content-Disposition:"), "type.pdf"),
    ):
        part = leaf(b"bytes", *fields)
        kinds.append(
            Kind(
                f"named {fields!r}", whole(tree(b"mixed", leaf(b"plain"), part)), ("plain",), files=((name, b"bytes"),)
            )
        )
    return kinds


def kinds() -> list[Kind]:
    """All of them."""
    return [*subjects(), *names()]
