"""The names of attached files, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mails import content, file, mail, multipart, part

from relay.mime.naming import cleaned
from relay.mime.parameters import structured


def name_of(fields):
    return content(mail(b"x", *fields)).attachments[0].name


@pytest.mark.parametrize(
    ("expected", "parameter"),
    [
        ("a.pdf", b'filename="a.pdf"'),
        ("a.pdf", b"filename=a.pdf"),
        ("a b.pdf", b"filename=a b.pdf"),
        ("a b.pdf", b'filename = "a b.pdf" ; size=3'),
        ("a;b.pdf", b'filename="a;b.pdf"'),
        ('a "b".pdf', b'filename="a \\"b\\".pdf"'),
        ("ñ.pdf", b"filename*=utf-8''%C3%B1.pdf"),
        ("ñ.pdf", b"filename*=iso-8859-1'es'%F1.pdf"),
        ("ñ.pdf", b"FILENAME*=UTF-8''%c3%b1.pdf"),
        ("ñ.pdf", b"filename=\"n.pdf\"; filename*=utf-8''%C3%B1.pdf"),
        ("ñ.pdf", b"filename*=utf-8''%C3%B1.pdf; filename=\"n.pdf\""),
        ("long name.pdf", b'filename*0="long "; filename*1="name.pdf"'),
        ("long name.pdf", b'filename*1="name.pdf"; filename*0="long "'),
        ("año €.pdf", b"filename*0*=utf-8''a%C3%B1o%20;\r\n filename*1*=%E2%82%AC;\r\n filename*2=.pdf"),
        ("ñ.pdf", b"filename*0*=utf-8''%C3; filename*1*=%B1.pdf"),
        ("0123456789ab", b"; ".join(b'filename*%d="%x"' % (number, number) for number in range(12))),
        ("ñ.pdf", b'filename="=?utf-8?Q?=C3=B1.pdf?="'),
        ("ñ.pdf", b"filename==?utf-8?Q?=C3=B1.pdf?="),
        ("ñandú.pdf", b'filename="=?utf-8?Q?=C3=B1and?=\r\n =?utf-8?Q?=C3=BA.pdf?="'),
        ("ñ.pdf", b'filename*0="=?utf-8?Q?=C3=B1"; filename*1=".pdf?="'),
        ("ñ.pdf", 'filename="ñ.pdf"'.encode()),
        ("ñ.pdf", 'filename="ñ.pdf"'.encode("latin-1")),
        ("文件.pdf", 'filename="文件.pdf"'.encode()),
        ("x.pdf", b'filename="C:\\Users\\ana\\x.pdf"'),
        ("x.pdf", b'filename="../../etc/x.pdf"'),
        ("x.pdf", b'filename="/x.pdf"'),
        ("x.pdf", b'filename="x.pdf'),
        ("50%.pdf", b'filename="50%.pdf"'),
        ("a.pdf", b'filename="a\x00\x07.pdf"'),
        ("exe.fdp.a", 'filename="\u202eexe.fdp.a"'.encode()),
        ("attachment-1.pdf", b'filename=""'),
        ("attachment-1.pdf", b'filename=".."'),
        ("attachment-1.pdf", b'filename="   "'),
        ("attachment-1.pdf", b"size=3"),
        ("folded name.pdf", b'filename="folded\r\n name.pdf"'),
        (".profile", b'filename=".profile"'),
    ],
)
def test_a_name_from_content_disposition(expected, parameter):
    assert expected == name_of([b"Content-Type: application/pdf", b"Content-Disposition: attachment; " + parameter])


@pytest.mark.parametrize(
    ("expected", "kind"),
    [
        ("n.pdf", b'application/pdf; name="n.pdf"'),
        ("ñ.pdf", b"application/pdf; name*=utf-8''%C3%B1.pdf"),
        ("ñ.pdf", b'application/pdf; name="=?utf-8?Q?=C3=B1.pdf?="'),
        ("attachment-1.pdf", b"application/pdf"),
        ("attachment-1.jpg", b"image/jpeg"),
        ("attachment-1.docx", b"application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("attachment-1.bin", b"application/octet-stream"),
        ("attachment-1.bin", b"application/x-unheard-of"),
        ("attachment-1.txt", b"text/plain"),
        ("invite.ics", b"text/calendar; method=REQUEST"),
        ("meeting.ics", b"text/calendar; name=meeting"),
        ("meeting.ics", b"text/calendar; name=meeting.ics"),
        ("winmail.dat", b"application/ms-tnef; name=anything.bin"),
        ("smime.p7m", b"application/pkcs7-mime"),
        ("message.eml", b"message/rfc822"),
        ("Fwd Hello.eml", b'message/rfc822; name="Fwd Hello"'),
        ("old.msg", b'message/rfc822; name="old.msg"'),
    ],
)
def test_a_name_from_content_type(expected, kind):
    assert expected == name_of([b"Content-Type: " + kind, b"Content-Disposition: attachment"])


@pytest.mark.parametrize(
    ("charset", "name"), [("gb2312", "请求.pdf"), ("cp1251", "Счёт.pdf"), ("shift_jis", "予定表.pdf")]
)
@pytest.mark.parametrize("own", [True, False])
def test_a_raw_name_is_read_in_the_charset_of_its_part_or_of_the_text(own, charset, name):
    """In Shift_JIS the second byte of 表 is a backslash: the name must be decoded before it is parsed."""
    label = b"; charset=" + charset.encode()
    field = b'Content-Disposition: attachment; filename="' + name.encode(charset) + b'"'
    raw = multipart(
        b"mixed",
        part(b"x", b"Content-Type: text/plain" + (b"; charset=koi8-r" if own else label)),
        part(b"x", b"Content-Type: application/pdf" + (label if own else b""), field),
    )
    found = content(raw)
    assert [name] == [entry.name for entry in found.attachments]
    assert "charset_guessed" in {note.code for note in found.notes}


def test_a_forwarded_message_is_named_by_its_raw_subject():
    inner = "Subject: Заказ\r\nContent-Type: text/plain; charset=cp1251\r\n\r\nx".encode("cp1251")
    forwarded = multipart(b"mixed", part(inner, b"Content-Type: message/rfc822"))
    assert "Заказ.eml" == content(forwarded).attachments[0].name


def test_a_forwarded_message_is_named_by_its_subject():
    inner = b"Subject: =?utf-8?Q?Re:_Informe_1/2_=E2=80=94_a=C3=B1o?=\r\n\r\nhello"
    forwarded = multipart(b"mixed", part(inner, b"Content-Type: message/rfc822"))
    assert "Re: Informe 1_2 — año.eml" == content(forwarded).attachments[0].name


def test_equal_names_are_made_distinct():
    names = [b"a.pdf", b"a.pdf", b"A.PDF", b"a (2).pdf", b"noext", b"noext", b".env", b".env"]
    parts = [file(b"x", b"application/pdf; name=%s" % name) for name in names]
    listed = [entry.name for entry in content(multipart(b"mixed", *parts)).attachments]

    assert ["a.pdf", "a (2).pdf", "A (3).PDF", "a (2) (2).pdf", "noext", "noext (2)", ".env", ".env (2)"] == listed


def test_nameless_parts_are_numbered():
    kinds = [b"image/png", b"application/pdf", b"image/png"]
    listed = [entry.name for entry in content(multipart(b"mixed", *(file(b"x", kind) for kind in kinds))).attachments]

    assert ["attachment-1.png", "attachment-2.pdf", "attachment-3.png"] == listed


def test_a_very_long_name_keeps_its_extension():
    name = cleaned("ñ" * 1000 + ".pdf")
    assert name.endswith("ñ.pdf")
    assert len(name.encode()) <= 255
    assert 255 == len(cleaned("x" * 300 + "." + "y" * 30))


@given(st.text(max_size=80))
def test_no_name_can_hurt(raw):
    name = cleaned(raw)
    assert not set(name) & set("/\\\r\n\x00\u202e")
    assert name not in (".", "..")


@given(
    st.text(
        st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp"), exclude_characters="/\\"),
        min_size=1,
        max_size=40,
    )
)
def test_a_name_survives_rfc_2231(name):
    name = name.strip()
    percent = "".join(f"%{byte:02X}" for byte in name.encode())
    pieces = [percent[at : at + 15] for at in range(0, len(percent), 15)] or [""]
    segments = [f"; filename*{number}*={piece}" for number, piece in enumerate(["utf-8''" + pieces[0], *pieces[1:]])]
    value = "attachment" + "".join(segments)

    assert name == structured(value.encode()).text("filename")


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        (("text/plain", "utf-8"), b"text/plain; charset=utf-8"),
        (("text/plain", "utf-8"), b'TEXT/Plain; CHARSET="utf-8"'),
        (("text/plain", "us-ascii"), b"text/plain; charset=us-ascii (Plain text)"),
        (("text/plain", "utf-8"), b"text/plain; format=flowed;; charset = utf-8 ;"),
        (("text/plain", "utf-8"), b"text/plain; junk; charset='utf-8'"),
        (("text/plain", "utf-8"), b"text/plain;charset=utf-8;charset=latin1"),
        (("text/plain", ""), b"text/plain; charset"),
        (("text/html", "utf-8"), b"text/html charset=utf-8"),
        (("text/html", "utf-8"), b"text/html, charset=utf-8"),
        (("text/html", "utf-8"), b"text / html; charset=utf-8"),
        (("text/html", "utf-8"), b'"text/html; charset=utf-8"'),
        (("text/html", "utf-8"), b"text/html\r\n\tcharset=utf-8"),
        (("", ""), b""),
    ],
)
def test_a_structured_value(expected, value):
    found = structured(value)
    assert expected == (found.value, found.token("charset"))


def test_a_forgotten_semicolon_loses_neither_type_nor_name():
    """PHP scripts write `Content-Type: text/html charset=utf-8`; it arrived as a file of type text/htmlcharset."""
    assert "<b>ñ</b>" == content(part("<b>ñ</b>".encode(), b"Content-Type: text/html charset=utf-8")).html
    pdf = part(b"x", b'Content-Type: application/pdf name="a;b.pdf"', b"Content-Disposition: attachment")
    (attachment,) = content(multipart(b"mixed", pdf)).attachments
    assert ("a;b.pdf", "application/pdf") == (attachment.name, attachment.media_type)
    assert "y z.txt" == name_of([b"Content-Type: text/plain", b'Content-Disposition: attachment filename="y z.txt"'])


@given(st.binary(max_size=200))
def test_no_value_raises(raw):
    found = structured(raw)
    found.text("filename")
    found.token("charset")
