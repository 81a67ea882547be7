"""`###x###` in ordinary mail stays text, and nobody sees that anything was done."""

import html as stdlib_html
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.providers.mensatek.markers import neutral_html, neutral_text

_JOINER = "\N{WORD JOINER}"
_MARKED = st.text(st.sampled_from("#&;x3 5<>'\"/-!\n"), max_size=60)
_PIECES = (
    "### # ## <p> </p> <style> </style> <style/type=x> </Style/> <script> </script> <xmp> </xmp> <!-- --> &#35; &# 35;"
    " & a Nombre <a/href=' '> <style"
)
_HTML = st.lists(st.sampled_from(_PIECES.split(" ")), max_size=30).map("".join)


@given(_MARKED)
def test_no_run_survives_in_text_and_the_text_does(text):
    neutral = neutral_text(text)
    assert "###" not in neutral
    assert text == neutral.replace(_JOINER, "")


@given(_MARKED | _HTML)
def test_no_run_survives_in_html(html):
    assert "###" not in neutral_html(html)


@given(st.text(st.sampled_from("#&;x35 a"), max_size=60))
def test_visible_text_is_what_it_was(text):
    assert stdlib_html.unescape(text) == stdlib_html.unescape(neutral_html(text))


@given(_HTML)
def test_every_escape_means_a_number_sign_where_it_stands(html):
    """Undoing all three escapes gives the HTML back, but for number signs that were written as entities before."""
    undone = re.sub(r"&#35;|\\23 |\\u0023|⁠", lambda m: "" if m[0] == _JOINER else "#", neutral_html(html))
    assert html.replace("&#35;", "#") == undone


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p># ## x</p>", "<p># ## x</p>"),
        ("###Nombre###", "#&#35;#Nombre#&#35;#"),
        ("####", "#&#35;#&#35;"),
        ("#####", "#&#35;#&#35;#"),
        ("<a title='###'>", "<a title='#&#35;#'>"),
        ("<style>a:after{content:'###'}</style>###", r"<style>a:after{content:'#\23 #'}</style>#&#35;#"),
        ("<STYLE>###</STYLE>", r"<STYLE>#\23 #</STYLE>"),
        ('<script>"###"</script>', '<script>"#\\u0023#"</script>'),
        ("<xmp>###</xmp>", f"<xmp>#{_JOINER}#{_JOINER}#</xmp>"),
        ("<style>###", r"<style>#\23 #"),
        ("<style ###", "<style #&#35;#"),
        ("<!-- ### -->", "<!-- #&#35;# -->"),
        ("<styles>###</styles>", "<styles>#&#35;#</styles>"),
    ],
)
def test_each_place_gets_the_escape_that_is_read_there(html, expected):
    assert expected == neutral_html(html)


@pytest.mark.parametrize("piece", ["<style ", "<style>", "<style></style", "###", "<script>###</script>", "#"])
def test_hostile_html_costs_no_more_than_its_length(piece):
    html = piece * 200_000 + "###"
    started = time.process_time()
    neutral_html(html)
    assert time.process_time() - started < 5
