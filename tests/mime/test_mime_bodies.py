"""Which parts are shown and which are attached, as mail programs write them."""

import pytest
from mails import codes, content, file, files, html, mail, multipart, part, text

from relay.mime import Fidelity
from relay.mime.markup import shows_nothing

PLAIN, RICH = text(b"plain"), html(b"<p>rich</p>")
PDF = file(b"PDF", b"application/pdf; name=a.pdf")
IMAGE = part(b"PNG", b"Content-Type: image/png; name=i.png", b"Content-ID: <i@x>", b"Content-Disposition: inline")
ICS = text(b"BEGIN:VCALENDAR", b"text/calendar; method=REQUEST")
SHOWING = html(b'<p>rich <img src="cid:i@x"></p>')


def nest(kind, *parts, name):
    return multipart(kind, *parts, boundary=name)


@pytest.mark.parametrize(
    ("shown", "attached", "inline", "notes", "raw"),
    [
        pytest.param(["plain"], [], [], set(), PLAIN, id="text"),
        pytest.param(["<p>rich</p>"], [], [], set(), RICH, id="html"),
        pytest.param(
            ["<p>rich</p>"], [], [], {"text_alternative_dropped"}, multipart(b"alternative", PLAIN, RICH), id="both"
        ),
        pytest.param(
            ["<p>rich</p>"], [], [], {"text_alternative_dropped"}, multipart(b"alternative", RICH, PLAIN), id="reversed"
        ),
        pytest.param(["plain"], ["a.pdf"], [], set(), multipart(b"mixed", PLAIN, PDF), id="text with file"),
        pytest.param(
            ["rich"],
            [],
            ["i@x"],
            {"text_alternative_dropped"},
            multipart(b"alternative", PLAIN, nest(b"related", SHOWING, IMAGE, name=b"r")),
            id="Outlook",
        ),
        pytest.param(
            ["rich"],
            [],
            ["i@x"],
            {"text_alternative_dropped"},
            multipart(b"related", nest(b"alternative", PLAIN, SHOWING, name=b"a"), IMAGE),
            id="Thunderbird",
        ),
        pytest.param(
            ["rich"],
            ["a.pdf"],
            ["i@x"],
            {"text_alternative_dropped"},
            multipart(
                b"mixed", nest(b"related", nest(b"alternative", PLAIN, SHOWING, name=b"a"), IMAGE, name=b"r"), PDF
            ),
            id="Gmail",
        ),
        pytest.param(
            ["rich", "after"],
            ["a.pdf"],
            [],
            {"text_alternative_dropped"},
            multipart(b"alternative", PLAIN, nest(b"mixed", RICH, PDF, html(b"<p>after</p>"), name=b"m")),
            id="Apple Mail",
        ),
        pytest.param(
            ["plain", "after"], ["a.pdf"], [], set(), multipart(b"mixed", PLAIN, PDF, text(b"after")), id="text around"
        ),
        pytest.param(["rich"], ["i.png"], [], set(), multipart(b"related", RICH, IMAGE), id="image not shown"),
        pytest.param(["rich"], [], ["i@x"], set(), multipart(b"mixed", SHOWING, IMAGE), id="image shown out of mixed"),
        pytest.param(
            ["rich"],
            ["invite.ics"],
            [],
            {"text_alternative_dropped", "calendar_as_attachment"},
            multipart(b"alternative", PLAIN, RICH, ICS),
            id="invitation",
        ),
        pytest.param(
            ["plain"],
            ["invite.ics"],
            [],
            {"calendar_as_attachment"},
            multipart(b"alternative", PLAIN, ICS),
            id="ics only",
        ),
        pytest.param([], ["invite.ics"], [], set(), ICS, id="nothing but an invitation"),
        pytest.param(
            ["rich"],
            [],
            [],
            {"text_alternative_dropped", "amp_dropped"},
            multipart(b"alternative", PLAIN, text(b"<html amp4email>", b"text/x-amp-html"), RICH),
            id="AMP",
        ),
        pytest.param(
            ["rich"],
            ["a.pdf"],
            [],
            {"text_alternative_dropped"},
            multipart(b"alternative", nest(b"mixed", PLAIN, PDF, name=b"m"), RICH),
            id="file beside the text",
        ),
        pytest.param(
            ["rich"],
            ["a.pdf"],
            [],
            {"text_alternative_dropped"},
            multipart(b"alternative", PLAIN, RICH, PDF),
            id="file as alternative",
        ),
        pytest.param(
            ["plain"],
            [],
            [],
            {"text_alternative_dropped"},
            multipart(b"alternative", PLAIN, html(b"<html><body>\r\n</body></html>")),
            id="empty HTML",
        ),
        pytest.param(
            [],
            [],
            [],
            {"text_alternative_dropped"},
            multipart(b"alternative", text(b" "), html(b"<p></p>")),
            id="both empty",
        ),
        pytest.param(
            ["bold"],
            [],
            [],
            {"text_alternative_dropped"},
            multipart(b"alternative", PLAIN, text(b"<bold>bold</bold>", b"text/enriched")),
            id="enriched",
        ),
        pytest.param(
            ["# head"],
            [],
            [],
            {"text_alternative_dropped"},
            multipart(b"alternative", PLAIN, text(b"# head", b"text/markdown")),
            id="markdown",
        ),
        pytest.param(
            [],
            ["attachment-1.csv"],
            [],
            set(),
            multipart(b"alternative", text(b"a,b", b"text/csv")),
            id="nothing we can show",
        ),
        pytest.param(
            ["plain"],
            ["notes.txt"],
            [],
            set(),
            multipart(b"mixed", PLAIN, text(b"x", b"text/plain; name=notes.txt")),
            id="named text behind",
        ),
        pytest.param(
            ["x"], [], [], set(), multipart(b"mixed", text(b"x", b"text/plain; name=notes.txt")), id="named text first"
        ),
        pytest.param(
            ["plain"],
            ["p.html"],
            [],
            set(),
            multipart(b"mixed", PLAIN, file(b"<p>", b"text/html; name=p.html")),
            id="attached HTML",
        ),
        pytest.param([], ["a.txt"], [], set(), file(b"x", b"text/plain; name=a.txt"), id="nothing but a text file"),
        pytest.param([], ["a.pdf"], [], set(), PDF, id="nothing but a file"),
        pytest.param([], ["attachment-1.tif"], [], set(), part(b"II*", b"Content-Type: image/tiff"), id="fax"),
        pytest.param(["a,b"], [], [], set(), part(b"a,b", b"Content-Type: text/csv"), id="nothing but data to read"),
        pytest.param(
            ["plain"],
            ["attachment-1.csv"],
            [],
            set(),
            multipart(b"mixed", PLAIN, text(b"a,b", b"text/csv")),
            id="data behind",
        ),
        pytest.param(
            ["failed"],
            ["delivery-status.txt", "Hello.eml"],
            [],
            set(),
            multipart(
                b"report",
                text(b"Delivery failed"),
                part(b"Action: failed", b"Content-Type: message/delivery-status"),
                part(b"Subject: Hello\r\n\r\nhi", b"Content-Type: message/rfc822"),
                parameters=b"; report-type=delivery-status",
            ),
            id="delivery report",
        ),
        pytest.param(
            ["read"],
            ["disposition-notification.txt", "headers.txt"],
            [],
            set(),
            multipart(
                b"report",
                text(b"It was read"),
                part(b"Disposition: x", b"Content-Type: message/disposition-notification"),
                part(b"Subject: Hello", b"Content-Type: text/rfc822-headers"),
            ),
            id="receipt",
        ),
        pytest.param(
            ["plain"],
            ["smime.p7s"],
            [],
            {"signature_broken"},
            multipart(b"signed", PLAIN, file(b"SIG", b"application/pkcs7-signature; name=smime.p7s")),
            id="S/MIME signed",
        ),
        pytest.param(
            ["plain"],
            ["signature.asc"],
            [],
            {"signature_broken"},
            multipart(b"signed", PLAIN, part(b"SIG", b"Content-Type: application/pgp-signature")),
            id="PGP signed",
        ),
        pytest.param(
            [],
            ["pgp-version.asc", "encrypted.asc"],
            [],
            {"encrypted_as_attachment"},
            multipart(
                b"encrypted",
                part(b"Version: 1", b"Content-Type: application/pgp-encrypted"),
                part(b"-----BEGIN PGP MESSAGE-----", b"Content-Type: application/octet-stream"),
            ),
            id="PGP encrypted",
        ),
        pytest.param(
            [],
            ["smime.p7m"],
            [],
            {"encrypted_as_attachment"},
            part(b"CMS", b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data"),
            id="S/MIME encrypted",
        ),
        pytest.param(
            [],
            ["smime.p7m"],
            [],
            set(),
            part(b"CMS", b"Content-Type: application/pkcs7-mime; smime-type=certs-only"),
            id="certificates",
        ),
        pytest.param(
            ["plain"],
            ["winmail.dat"],
            [],
            {"tnef_as_attachment"},
            multipart(b"mixed", PLAIN, file(b"TNEF", b"application/ms-tnef")),
            id="TNEF",
        ),
        pytest.param(
            [],
            ["partial.eml"],
            [],
            {"partial_as_attachment"},
            part(b"x", b"Content-Type: message/partial; number=1"),
            id="partial",
        ),
        pytest.param(
            ["plain"],
            ["a.jpg"],
            [],
            {"resource_fork_dropped"},
            multipart(
                b"mixed",
                PLAIN,
                nest(
                    b"appledouble",
                    file(b"R", b"application/applefile; name=a.jpg"),
                    file(b"J", b"image/jpeg; name=a.jpg"),
                    name=b"d",
                ),
            ),
            id="Macintosh pair",
        ),
        pytest.param([], [], [], set(), b"", id="nothing at all"),
        pytest.param(
            ["rich"],
            ["data.csv", "attachment-1.csv"],
            [],
            {"text_alternative_dropped"},
            multipart(
                b"alternative",
                nest(
                    b"mixed",
                    PLAIN,
                    part(b"1;2", b"Content-Type: text/csv", b"Content-Disposition: inline; filename=data.csv"),
                    text(b"3;4", b"text/csv"),
                    name=b"m",
                ),
                RICH,
            ),
            id="data beside the text that is not shown",
        ),
        pytest.param(
            ["rich"],
            ["log.txt"],
            [],
            {"text_alternative_dropped"},
            multipart(b"alternative", nest(b"mixed", PLAIN, text(b"x", b"text/plain; name=log.txt"), name=b"m"), RICH),
            id="named text beside the text that is not shown",
        ),
        pytest.param(
            ["rich"],
            ["meeting.ics"],
            [],
            {"text_alternative_dropped", "calendar_as_attachment"},
            multipart(
                b"mixed",
                nest(b"alternative", PLAIN, RICH, ICS, name=b"a"),
                file(b"BEGIN:VCALENDAR\n", b"application/ics; name=meeting.ics"),
            ),
            id="the same invitation twice",
        ),
        pytest.param(
            ["rich"],
            ["invite.ics", "other.ics"],
            [],
            {"text_alternative_dropped", "calendar_as_attachment"},
            multipart(
                b"mixed",
                nest(b"alternative", PLAIN, RICH, ICS, name=b"a"),
                file(b"BEGIN:OTHER", b"application/ics; name=other.ics"),
            ),
            id="two invitations",
        ),
        pytest.param(
            ["root"],
            ["i.png"],
            [],
            set(),
            multipart(
                b"related",
                IMAGE,
                part(b"<p>root</p>", b"Content-Type: text/html", b"Content-ID: <root>"),
                parameters=b'; start="<root>"',
            ),
            id="related with start",
        ),
        pytest.param(
            ["footer"],
            [],
            [],
            set(),
            multipart(b"related", html(b"<p>x</p>"), text(b"footer")),
            id="text behind the root",
        ),
    ],
)
def test_a_mail_s_parts_find_their_places(shown, attached, inline, notes, raw):
    found = content(raw)

    assert attached == [entry.name for entry in found.attachments]
    assert inline == [entry.content_id for entry in found.inline_images]
    assert notes == codes(found)
    places = [found.html.find(words) for words in shown]
    assert -1 not in places
    assert sorted(places) == places
    if not shown:
        assert "<body>\n</body>" in found.html or "<p></p>" in found.html


def test_html_alone_is_sent_as_it_came():
    page = b"<!DOCTYPE html>\r\n<html><head><title>t</title></head><body class=x>\r\n<p>a</p></body></html>\r\n"
    assert page.replace(b"\r\n", b"\n").decode() == content(html(page)).html


@pytest.mark.parametrize(
    ("expected", "page"),
    [
        ('<meta charset="utf-8">ñ', '<meta charset="iso-8859-1">ñ'),
        ("<META CHARSET=utf-8>ñ", "<META CHARSET=ISO-8859-1>ñ"),
        (
            '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">ñ',
            '<meta http-equiv="Content-Type" content="text/html; charset=windows-1252">ñ',
        ),
        ('<?xml version="1.0" encoding="utf-8"?><p>ñ', '<?xml version="1.0" encoding="iso-8859-1"?><p>ñ'),
        ('<meta name="x" content="charset">ñ', '<meta name="x" content="charset">ñ'),
        ('<meta name="x" content="charset=latin1">ñ', '<meta name="x" content="charset=latin1">ñ'),
    ],
)
def test_the_charset_told_in_html_becomes_what_is_sent(expected, page):
    raw = part(page.encode("latin-1"), b"Content-Type: text/html; charset=iso-8859-1")
    assert expected == content(raw).html


def test_html_that_alone_tells_its_charset_is_believed():
    raw = part('<meta charset="koi8-r">привет'.encode("koi8-r"), b"Content-Type: text/html")
    assert '<meta charset="utf-8">привет' == content(raw).html


def test_html_and_text_in_parts_become_one_document():
    raw = multipart(
        b"mixed",
        text(b"1 < 2"),
        html(b"<html><head><style>p{color:red}</style></head><body><p>two</p></body></html>"),
        html(b"<html><head><style>b{color:blue}</style></head><body><b>three</b></body></html>"),
        text(b"four"),
    )
    expected = (
        "<html><head><style>p{color:red}</style></head><body><div>1 &lt; 2</div>\n<p>two</p>\n"
        "<style>b{color:blue}</style><div><b>three</b></div>\n<div>four</div>\n</body></html>"
    )
    assert expected == content(raw).html


@pytest.mark.parametrize(
    ("expected", "page"),
    [
        (
            "<!--[if mso]><body class=m><![endif]--><body>HERE<p>x</p>",
            "<!--[if mso]><body class=m><![endif]--><body><p>x</p>",
        ),
        ("<!--[if !mso]><!--><body>HERE<!--<![endif]--><p>", "<!--[if !mso]><!--><body><!--<![endif]--><p>"),
        ("<head><!-- </head> --></head>HERE<p>x", "<head><!-- </head> --></head><p>x"),
        ("<!-- <body>HERE<p>x", "<!-- <body><p>x"),
    ],
)
def test_what_stands_before_html_is_not_put_into_a_comment(expected, page):
    """A banner went into Outlook's conditional comment, where only Outlook shows it."""
    found = content(multipart(b"mixed", text(b"HERE"), html(page.encode()))).html
    assert expected in found.replace("<div>HERE</div>\n", "HERE")


def test_what_stands_behind_html_is_not_put_into_a_comment():
    page = html(b"<body><p>x</p><!--[if mso]></body><![endif]--></body>")
    found = content(multipart(b"mixed", page, text(b"footer"))).html
    assert "<![endif]-->\n<div>footer</div>\n</body>" in found


SIGNED = b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nhi\r\n-----BEGIN PGP SIGNATURE-----\r\n"
ENCRYPTED = b"-----BEGIN PGP MESSAGE-----\r\n\r\nwcBM\r\n-----END PGP MESSAGE-----\r\n"


@pytest.mark.parametrize(
    ("expected", "raw"),
    [
        ({"inline_signature_broken"}, text(SIGNED)),
        ({"inline_signature_broken"}, text(b"hi\r\n" + SIGNED)),
        ({"inline_encrypted"}, text(ENCRYPTED)),
        ({"inline_encrypted"}, html(b"<pre>" + ENCRYPTED + b"</pre>")),
        ({"inline_encrypted"}, multipart(b"mixed", PLAIN, text(ENCRYPTED))),
        ({"inline_signature_broken", "text_alternative_dropped"}, multipart(b"alternative", text(SIGNED), RICH)),
        (set(), text(b"> " + SIGNED.replace(b"\n", b"\n> "))),
        (set(), text(b">" + ENCRYPTED)),
        (set(), text(b"Write -----BEGIN PGP MESSAGE----- first")),
        (set(), multipart(b"mixed", PLAIN, file(ENCRYPTED, b"text/plain; name=a.asc"))),
    ],
)
def test_pgp_within_a_text_is_noted(expected, raw):
    """The signature of such a text broke without a word, for only PGP/MIME was looked for."""
    found = content(raw)
    assert expected == codes(found)
    assert [] == [note for note in found.notes if "inline" in note.code and note.fidelity is not Fidelity.LOST]


def test_parts_of_a_signed_mail_are_attached_byte_for_byte():
    signature = b"\x30\x80\x06\x09\r\n\x00"
    raw = multipart(
        b"signed",
        PLAIN,
        part(signature, b"Content-Type: application/pkcs7-signature", b"Content-Transfer-Encoding: binary"),
    )
    assert [("smime.p7s", signature)] == files(content(raw))


def test_an_attached_message_stays_as_it_is():
    inner = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\nhi\r\n--q--\r\n"
    raw = multipart(b"mixed", PLAIN, part(inner, b"Content-Type: message/rfc822"))
    assert [("x.eml", inner)] == files(content(raw))


def test_nul_bytes_do_not_reach_the_html():
    assert "\x00" not in content(html(b"a\x00b")).html
    assert "\x00" not in content(mail(b"a\x00b")).html


@pytest.mark.parametrize(
    ("nothing", "page"),
    [
        (True, ""),
        (True, "<html><head><title>t</title></head><body>\n&nbsp;<br></body></html>"),
        (True, "<style>p > a {color: red}</style><p></p>"),
        (True, "<!-- words --><div>\n</div>"),
        (False, "<p>x"),
        (False, "just words"),
        (False, "<style>p > a {}</style><p>x</p>"),
        (False, "<html><head><title>t</title></head><body><p>x</p></body></html>"),
        (False, '<body><img src="x.png"></body>'),
        (False, '<td background="x.png"></td>'),
        (False, "<p></p>" * 1000),
    ],
)
def test_a_document_that_shows_nothing_is_told_from_one_that_does(nothing, page):
    assert nothing is shows_nothing(page)
