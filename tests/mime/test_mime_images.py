"""Images that the HTML shows, by every way to refer to them."""

import base64

import pytest
from mails import codes, content, file, html, multipart, part

from relay.mime import inline_as_attachments, inline_as_data

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
URI = "data:image/png;base64," + base64.b64encode(PNG).decode()


def image(content_id=b"i@x", kind=b"image/png", name=b"i.png", body=PNG, *fields):
    return part(
        base64.encodebytes(body),
        b"Content-Type: " + kind + (b"; name=" + name if name else b""),
        b"Content-Transfer-Encoding: base64",
        *([b"Content-ID: <" + content_id + b">"] if content_id else []),
        *fields,
    )


def shown(page, *images):
    found = content(multipart(b"related", html(page.encode()), *images))
    return inline_as_data(found.html, found.inline_images), [entry.name for entry in found.attachments]


@pytest.mark.parametrize(
    ("expected", "page"),
    [
        (f'<img src="{URI}">', '<img src="cid:i@x">'),
        (f"<img src='{URI}'>", "<img src='cid:i@x'>"),
        (f"<img src={URI}>", "<img src=cid:i@x>"),
        (f'<img src="{URI}">', '<img src="CID:i@x">'),
        (f'<img src="{URI}">', '<img src="cid:i%40x">'),
        (f'<img src="{URI}">', '<img src="cid:i&#64;x">'),
        (f'<img src="{URI}">', '<img src="cid:I@X">'),
        (f'<td background="{URI}">', '<td background="cid:i@x">'),
        (f'<p style="background:url({URI})">', '<p style="background:url(cid:i@x)">'),
        (f"<p style=\"background:url('{URI}')\">", "<p style=\"background:url('cid:i@x')\">"),
        (f'<img srcset="{URI} 1x, {URI}, x">', '<img srcset="cid:i@x 1x, cid:i@x, x">'),
        (f'<img src="{URI}"><img src="{URI}">', '<img src="cid:i@x"><img src="cid:i@x">'),
        (f'<v:fill src="{URI}"/>', '<v:fill src="cid:i@x"/>'),
        (f'<v:imagedata src="{URI}" o:title=""/>', '<v:imagedata src="cid:i@x" o:title=""/>'),
        (f'<!--[if mso]><v:fill src="{URI}"/><![endif]-->', '<!--[if mso]><v:fill src="cid:i@x"/><![endif]-->'),
        (f'<image src="{URI}">', '<image src="cid:i@x">'),
        (f'<svg><image xlink:href="{URI}"/></svg>', '<svg><image xlink:href="cid:i@x"/></svg>'),
        (f'<svg><image href="{URI}"/></svg>', '<svg><image href="cid:i@x"/></svg>'),
        (f"<style>p {{ background: url( '{URI}' ) }}</style>", "<style>p { background: url( 'cid:i@x' ) }</style>"),
        (f'<p style="background:url(&quot;{URI}&quot;)">', '<p style="background:url(&quot;cid:i@x&quot;)">'),
        (f'<img src=" {URI}">', '<img src=" cid:i@x">'),
        (f'<img src="{URI}">', '<img src="cid:<i@x>">'),
        (f'<img src="{URI}">', '<img src="cid:&lt;i@x&gt;">'),
        (f'<img src="{URI}">', '<img src="cid:%3Ci@x%3E">'),
        (f'<img alt="a > b" src="{URI}">', '<img alt="a > b" src="cid:i@x">'),
        (f'<img alt="a < b" src="{URI}">', '<img alt="a < b" src="cid:i@x">'),
    ],
)
def test_a_reference_becomes_the_image(expected, page):
    assert (expected, []) == shown(page, image())


@pytest.mark.parametrize(
    "page", ["<p>none</p>", '<img src="cid:other">', '<img src="http://x.example/i@x">', "acid:rain"]
)
def test_an_image_not_referred_to_is_an_attachment(page):
    assert (page, ["i.png"]) == shown(page, image())


@pytest.mark.parametrize(
    "page",
    [
        "<p>Regards [cid:i@x]</p>",
        "<p>a < b, see cid:i@x</p>",
        "<pre>&lt;img src=cid:i@x&gt;</pre>",
        '<a href="cid:i@x">the picture</a>',
        '<map><area title="" HREF = "cid:i@x"></map>',
    ],
)
def test_a_word_or_a_link_shows_no_image(page):
    """Outlook writes [cid:image001.png@01D] where it makes text of HTML: the whole picture stood there in base64."""
    assert (page, ["i.png"]) == shown(page, image())


@pytest.mark.parametrize(
    ("expected", "page"),
    [
        ({"image_missing"}, '<img src="cid:other">'),
        ({"image_missing"}, '<img src="cid:i@x"><td style="background:url(cid:other)">'),
        (set(), '<img src="cid:i@x">'),
        (set(), "<p>[cid:other]</p>"),
    ],
)
def test_an_image_that_the_mail_does_not_hold_is_noted(expected, page):
    assert expected == codes(content(multipart(b"related", html(page.encode()), image())))


def test_an_image_that_is_missing_is_noted_also_where_there_is_no_file_at_all():
    assert {"image_missing"} == codes(content(html(b'<img src="cid:other">')))


@pytest.mark.parametrize("unit", ["<x cid:", '<x y="cid:', "<", "<a <", "cid:i@x ", '"<a href="cid:i@x ', "url(cid:"])
def test_hostile_references_cost_no_more_than_their_length(unit):
    """Each of them once began a search that ended only with the document."""
    page = html((unit * 30_000).encode() + b"cid:i@x")
    content(multipart(b"related", page, image()))


@pytest.mark.parametrize(
    ("content_id", "page"),
    [
        (b"a b@x", '<img src="cid:a b@x">'),
        (b"a b@x", '<img src="cid:a%20b@x">'),
        (b"a(1)@x", '<img src="cid:a(1)@x">'),
        (b"a%40x", '<img src="cid:a%40x">'),
        (b"a,@x", '<img src="cid:a,@x">'),
    ],
)
def test_an_odd_content_id_is_found(content_id, page):
    assert (f'<img src="{URI}">', []) == shown(page, image(content_id))


@pytest.mark.parametrize(
    ("location", "page"),
    [
        (b"logo.png", '<img src="logo.png">'),
        (b"http://x.example/logo.png?a=1&b=2", '<img src="http://x.example/logo.png?a=1&amp;b=2">'),
        (b"logo.png", "<img src='logo.png'>"),
    ],
)
def test_an_image_may_be_referred_to_by_its_location(location, page):
    assert (f'<img src="{URI}">', []) == shown(
        page, image(b"", b"image/png", b"", PNG, b"Content-Location: " + location)
    )


@pytest.mark.parametrize(
    ("around", "root", "location", "base", "page"),
    [
        (b"", b"Content-Location: http://x.example/a/page.html", b"http://x.example/a/l.png", b"", '<img src="l.png">'),
        (
            b"",
            b"Content-Location: http://x.example/a/page.html",
            b"../l.png",
            b"",
            '<img src="http://x.example/l.png">',
        ),
        (b"Content-Base: http://x.example/a/", b"X: y", b"l.png", b"", '<img src="http://x.example/a/l.png">'),
        (b"Content-Location: http://x.example/a/", b"X: y", b"http://x.example/a/l.png", b"", "<img src=l.png>"),
        (b"X: y", b"Content-Base: http://x.example/", b"l.png", b"http://x.example/a/", '<img src="a/l.png">'),
        (b"X: y", b"X: y", b"http://x.example/l.png", b"", '<base href="http://x.example/"><img src="l.png">'),
        (b"X: y", b"X: y", b"l.png", b"", '<img src="./l.png">'),
        (b"X: y", b"X: y", b"file:///C:/My%20files/l.png", b"", '<img src="file:///C:/My files/l.png">'),
        (b"X: y", b"X: y", b"file:///C:/My\r\n\tfiles/l.png", b"", '<img src="file:///C:/Myfiles/l.png">'),
        (b"X: y", b"X: y", b"http://[/l.png", b"", '<img src="http://[/l.png">'),
    ],
)
def test_a_location_may_be_relative_to_what_the_mail_tells(around, root, location, base, page):
    fields = [b"Content-Location: " + location, *([b"Content-Base: " + base] if base else [])]
    text = part(page.encode(), b"Content-Type: text/html", root)
    parts = (text, image(b"", b"image/png", b"", PNG, *fields))
    found = content((around or b"X: y") + b"\r\n" + multipart(b"related", *parts))
    assert ([PNG], ()) == ([entry.body.decoded() for entry in found.inline_images], found.attachments)
    assert URI in inline_as_data(found.html, found.inline_images)


def test_a_location_in_a_style_is_found():
    page = '<p style="background: url(logo.png)"><a href="logo.png">x</a>'
    expected = f'<p style="background: url({URI})"><a href="logo.png">x</a>'
    located = image(b"i@x", b"image/png", b"i.png", PNG, b"Content-Location: logo.png")
    assert (expected, []) == shown(page, located)
    assert ("<p>logo.png</p>", ["i.png"]) == shown("<p>logo.png</p>", located)


@pytest.mark.parametrize(
    ("kind", "expected", "name", "body"),
    [
        (b"application/octet-stream", "image/png", b"", PNG),
        (b"application/octet-stream", "image/jpeg", b"", b"\xff\xd8\xff\xe0" + bytes(30)),
        (b"application/octet-stream", "image/gif", b"", b"GIF89a" + bytes(30)),
        (b"application/octet-stream", "image/webp", b"", b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(30)),
        (b"application/octet-stream", "image/bmp", b"i.bmp", bytes(30)),
        (b"image/svg+xml", "image/svg+xml", b"", b"<svg/>"),
    ],
)
def test_the_type_of_an_image_is_found_out(kind, expected, name, body):
    found = content(multipart(b"related", html(b'<img src="cid:i@x">'), image(b"i@x", kind, name, body)))
    assert [expected] == [entry.media_type for entry in found.inline_images]
    assert body == found.inline_images[0].body.decoded()


def test_a_document_with_a_content_id_is_no_image():
    """Outlook gives every attachment a Content-ID."""
    page = '<a href="cid:doc@x">the document</a>'
    assert (page, ["d.pdf"]) == shown(page, image(b"doc@x", b"application/pdf", b"d.pdf"))
    assert (page, ["d.bin"]) == shown(page, image(b"doc@x", b"application/octet-stream", b"d.bin", b"no picture"))


@pytest.mark.parametrize(
    "written", [b'"<i@x>"', b"<i@x> (a picture)", b"(a picture) <i@x>", b"i@x", b"\r\n <i@x>", b"< i@x >"]
)
def test_a_content_id_may_be_written_oddly(written):
    page = b'<img src="cid:i@x">'
    found = content(multipart(b"related", html(page), image(b"", b"image/png", b"", PNG, b"Content-ID: " + written)))
    assert ["i@x"] == [each.content_id for each in found.inline_images]


def test_an_image_without_content_id_is_shown_by_its_name():
    assert (f'<img src="{URI}">', []) == shown('<img src="cid:i.png">', image(b""))


def test_of_two_images_with_one_content_id_the_first_is_shown():
    assert (f'<img src="{URI}">', ["second.png"]) == shown(
        '<img src="cid:i@x">', image(), image(name=b"second.png", body=b"other")
    )


def test_images_can_travel_as_files():
    page = html(b'<p><img alt="x" src="cid:i@x"> and <img src="http://x.example/"><td background="cid:i@x">')
    found = content(multipart(b"related", page, image(), file(b"x", b"image/png; name=i.png")))
    made, attached = inline_as_attachments(found.html, found.inline_images)

    assert '<p><span>[i.png]</span> and <img src="http://x.example/"><td background="">' == made
    assert [("i.png", "image/png", PNG)] == [(entry.name, entry.media_type, entry.body.decoded()) for entry in attached]
    assert ["i (2).png"] == [entry.name for entry in found.attachments]


def test_without_images_nothing_changes():
    assert ("<img src=cid:x>", ()) == inline_as_attachments("<img src=cid:x>", ())
    assert "<img src=cid:x>" == inline_as_data("<img src=cid:x>", ())
