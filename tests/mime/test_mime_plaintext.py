"""Text that becomes HTML and still looks the same."""

import html
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mails import codes, content, mail, multipart, text

from relay.mime import plaintext
from relay.mime.plaintext import lines_of, text_to_html, unflow

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)
spaced = st.text(st.sampled_from("ab \n\t<>&@.:/wh"), max_size=120)


def seen(fragment):
    """Show a fragment the way a client without `white-space: pre-wrap` does."""
    inner = re.sub(r"^<div[^>]*>|</div>\n$", "", fragment)
    inner = re.sub(r"\s+", " ", inner.replace("\u00a0", "\x01").replace("<br>\n", "\x00"), flags=re.ASCII)
    inner = "\x00".join(line.strip(" ") for line in inner.split("\x00"))
    return (
        html.unescape(re.sub(r"<[^>]*>", "", inner).replace("&nbsp;", " "))
        .replace("\x00", "\n")
        .replace("\x01", "\u00a0")
    )


@given(texts | spaced)
def test_what_is_seen_is_what_was_written(written):
    expected = [line.expandtabs(8).rstrip(" ") for line in lines_of(written).rstrip("\n").split("\n")]
    # The only blanks that nobody sees are those at the end of a line.
    found = [line.rstrip(" ") for line in seen(text_to_html(written)).split("\n")]

    assert [line for line in expected if line.isprintable()] == [
        line for expect, line in zip(expected, found, strict=True) if expect.isprintable()
    ]


#: What the rules for blocks and words are about: line ends, gaps, links and what stands around them.
mixed = st.lists(
    st.sampled_from([
        *"ab \n\t\r\f\v\x00\x7f\x85\xa0\u2028<>&\"'()[]*_~.,:@/=wW", "  ", "\r\n", "   x", "\t\tx", "é", "\u2500\u2501",
        "x" * 250, "word " * 190, "http://", "HTTPS://x.example/?a&b", "http\u017f://x.example", "www.",
        "wWw.x.example", "a@b.example", "mailto:",
    ]),
    max_size=40,
).map("".join)  # fmt: skip


@given(mixed)
def test_a_text_in_small_blocks_looks_as_it_does_in_one(written):
    whole = text_to_html(written)
    for chars in (0, 1, 7):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(plaintext, "_BLOCK_CHARS", chars)
            assert whole == text_to_html(written)


@given(mixed.map(lines_of))
def test_links_are_found_word_by_word_as_in_the_whole_text(written):
    escaped = html.escape(written, quote=False)

    assert plaintext._LINKS.sub(plaintext._link, escaped) == plaintext._linked(escaped)


@given(mixed.map(lines_of), st.sampled_from([1, 5, 220]))
def test_every_line_is_folded_as_if_it_stood_alone(written, longest):
    lines = written.split("\n")
    alone = [plaintext._fold_line(line, longest) if len(line) > longest else line for line in lines]

    assert "\n".join(alone) == plaintext._folded(written, longest)


@pytest.mark.parametrize(
    ("expected", "written"),
    [
        ("one<br>\ntwo", "one\r\ntwo"),
        ("one<br>\n<br>\ntwo", "one\n\ntwo\n\n"),
        ('&lt;b&gt; &amp;amp; "x"', '<b> &amp; "x"'),
        ("&nbsp; indented", "  indented"),
        ("a<br>\n&nbsp;b", "a\n b"),
        ("a&nbsp; b", "a  b"),
        ("&nbsp; a<br>\n&nbsp;&nbsp; b", "  a\n   b"),
        ("&gt; quoted<br>\n&gt;&gt; twice", "> quoted\n>> twice"),
        ('<a href="https://x.example/?a=1&amp;b=2">https://x.example/?a=1&amp;b=2</a>.', "https://x.example/?a=1&b=2."),
        ('(<a href="http://x.example/a_(b)">http://x.example/a_(b)</a>)', "(http://x.example/a_(b))"),
        ('&lt;<a href="http://x.example/">http://x.example/</a>&gt;', "<http://x.example/>"),
        ('"<a href="http://x.example/">http://x.example/</a>"', '"http://x.example/"'),
        ('see <a href="http://www.x.example">www.x.example</a>!', "see www.x.example!"),
        ('<a href="mailto:a.b@x.example">a.b@x.example</a>,', "a.b@x.example,"),
        ('<a href="HTTPS://X.EXAMPLE/">HTTPS://X.EXAMPLE/</a>', "HTTPS://X.EXAMPLE/"),
        ('<a href="https://u@x.example/">https://u@x.example/</a>', "https://u@x.example/"),
        ("no@link and user@host", "no@link and user@host"),
        ("no://link", "no://link"),
        ("http://)", "http://)"),
        *(
            (
                f'<a href="https://x.example/r?t=a{mark}">https://x.example/r?t=a{mark}</a>',
                f"https://x.example/r?t=a{mark}",
            )
            for mark in "_~*"
        ),
        *(
            (f'{mark}<a href="http://x.example/">http://x.example/</a>{mark}.', f"{mark}http://x.example/{mark}.")
            for mark in "_~*"
        ),
        ('<a href="http://x.example/?a&amp;&amp;b">http://x.example/?a&amp;&amp;b</a>&amp;', "http://x.example/?a&&b&"),
        ('(<a href="http://x.example/">http://x.example/</a>).])', "(http://x.example/).])"),
    ],
)
def test_text_as_html(expected, written):
    assert f"<div>{expected}</div>\n" == text_to_html(written)


@pytest.mark.parametrize("columns", ["name     size\na.txt     12", "a\tb", "┌──┐"])
def test_columns_get_a_font_that_keeps_them_in_line(columns):
    assert "monospace" in text_to_html(columns)


def test_a_letter_keeps_the_reader_s_font():
    assert "monospace" not in text_to_html("Dear Ana,\n\n  thank you.  Yours\n-- \nBob\n")


@pytest.mark.parametrize("word", ["word ", "palabra ñ ", "http://x.example/y z@x.example ", "字 "])
def test_lines_of_html_stay_below_what_mail_allows(word):
    made = text_to_html(word * 2000)
    assert max(len(line.encode()) for line in made.split("\n")) < 998
    assert "<br>" not in made
    assert (word * 2000).strip() == seen(made).strip()


@pytest.mark.parametrize(
    ("expected", "flowed", "delsp"),
    [
        ("one two\nthree\n", "one \r\ntwo\r\nthree\r\n", False),
        ("onetwo\n", "one \ntwo\n", True),
        ("one \n\ntwo", "one \n\ntwo", False),
        ("> one\n> \n> two", "> one\n> \n> two", False),
        ("> one \n> \n> two three", "> one \n> \n> two \n> three", False),
        ("one\n\ntwo", "one\n \ntwo", False),
        (">one two\n>>deeper\n>back", ">one \n>two\n>>deeper\n>back", False),
        ("> one two", "> one \n> two", False),
        (">one \n>>two", ">one \n>>two", False),
        ("text\n-- \nAna", "text\n-- \nAna", False),
        ("text \n-- \nAna", "text \n-- \nAna", False),
        ("From here", " From here", False),
        (" indented", "  indented", False),
        (">quoted", " >quoted", False),
        ("a b c d", "a \nb \nc \nd", False),
    ],
)
def test_flowed_text_is_joined(expected, flowed, delsp):
    assert expected == unflow(flowed, delsp=delsp)


def test_a_flowed_mail_is_read_as_such():
    found = content(mail(b"a long \r\nline \r\n  x\r\n", b"Content-Type: text/plain; format=flowed; delsp=yes"))
    assert "<div>a longline x</div>" in found.html


def test_plain_mail_becomes_a_whole_document():
    found = content(mail("Hola,\r\n  año.\r\n".encode(), b"Content-Type: text/plain; charset=utf-8"))
    assert found.html.startswith("<!DOCTYPE html>")
    assert "charset=utf-8" in found.html
    assert "<div>Hola,<br>\n&nbsp; año.</div>" in found.html
    assert set() == codes(found)


def test_enriched_text_keeps_its_emphasis():
    written = (
        b"<bold>Now</bold> is <italic>the</italic> <<time>\r\n<nofill>go</nofill>\r\n\r\n"
        b"<color><param>red</param>x</color>"
        b" <fixed>a<bold>b</fixed>"
    )
    found = content(mail(written, b"Content-Type: text/enriched"))
    assert "<b>Now</b> is <i>the</i> &lt;time&gt;\ngo<br>\nx <tt>a<b>b</b></tt></div>" in found.html


@given(st.binary(max_size=200))
def test_no_text_of_any_kind_raises(body):
    for kind in (b"text/plain; format=flowed", b"text/enriched", b"text/richtext", b"text/markdown", b"text/x-unknown"):
        content(mail(body, b"Content-Type: " + kind))


@pytest.mark.parametrize(
    "unit",
    [
        "a ",
        " ",
        "a",
        "\n",
        " \n",
        "> \n",
        "http://",
        "http://a)",
        "a@b.c",
        "www.",
        "x   ",
        "\t",
        "&",
        "@",
        "-- \n",
        "http://x&&",
        "http://x" + ")" * 2000 + " ",
        "http://" + "(" * 1000 + ")" * 1040 + " ",
        ">",
    ],
)
def test_much_text_takes_linear_time(unit):
    begin = time.process_time()
    found = content(mail((unit * (500_000 // len(unit))).encode(), b"Content-Type: text/plain; format=flowed"))
    assert time.process_time() - begin < 10  # quadratic time would be hours
    assert found.html


def test_text_in_parts_is_joined_in_order():
    found = content(multipart(b"mixed", text(b"first"), text(b"second"), text(b"   ")))
    assert "<div>first</div>\n<div>second</div>\n</body>" in found.html
