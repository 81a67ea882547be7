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
        ("<style>###", "<style>#&#35;#"),
        ("<style ###", "<style #&#35;#"),
        ("<!-- ### -->", "<!-- #&#35;# -->"),
        ("<styles>###</styles>", "<styles>#&#35;#</styles>"),
    ],
)
def test_each_place_gets_the_escape_that_is_read_there(html, expected):
    assert expected == neutral_html(html)


@pytest.mark.parametrize(
    ("html", "visible"),
    [
        ("<!-- <style> --><p>###</p>", "<p>###</p>"),
        ("<!-- <style> --><p>###</p><style>p{}</style>", "<p>###</p>"),
        ("<!--><style> --><p>###</p></style>", None),
        ("<!-- --!><p>###</p>", "<p>###</p>"),
        ("<!-- <!-- <script> --><p>###</p>", "<p>###</p>"),
        ("<p title='<style>'>###</p><style></style>", "###</p>"),
        ('<p title="<script>">###</p><script></script>', "###</p>"),
        ("<p title = '>' data-x=\"<style>\">###</p><style></style>", "###</p>"),
        ("<p ='x>###</p><i title='<style>'>y</i>", "###</p>"),
        ("<p/title='<style>'/>###<style></style>", "###"),
        ("<p title=a'b><i>###</i>'<style></style>", "###</i>"),
        ("<style><p>###</p>", "<p>###</p>"),
        ("<script><p>###</p><style></style>", "<p>###</p>"),
        ("<style></styles><p>###</p>", "<p>###</p>"),
        ("<title><style></title><p>###</p><style></style>", "<p>###</p>"),
        ("<textarea><script></textarea>###<script></script>", "###"),
        ("<!DOCTYPE html '<style>'><p>###</p>", "<p>###</p>"),
        ("</p title='<style>'>###<style></style>", "###"),
        ("<?x <style?>###<style></style>", "###"),
        ("<iframe srcdoc='<style>'></iframe>###<style></style>", "###"),
    ],
)
def test_what_only_looks_like_a_style_element_makes_nothing_visible(html, visible):
    r"""A `<style>` in a comment or a title attribute turned every ### after it into a visible `#\23 #`."""
    neutral = neutral_html(html)
    if visible is None:
        assert r"#\23 #" in neutral
    else:
        assert visible.replace("###", "#&#35;#") in neutral
        assert "\\" not in neutral


def test_what_outlook_reads_in_a_conditional_comment_is_neutral_for_it():
    html = "<!--[if mso]><style>p:after{content:'###'}</style><p>###</p><![endif]--><p>###</p>"
    assert (
        r"<!--[if mso]><style>p:after{content:'#\23 #'}</style><p>#&#35;#</p><![endif]--><p>#&#35;#</p>"
        == neutral_html(html)
    )


def test_plaintext_ends_nowhere():
    assert f"<plaintext>#{_JOINER}#{_JOINER}#</plaintext>" == neutral_html("<plaintext>###</plaintext>")


@pytest.mark.parametrize(
    "piece",
    [
        "<!--",
        "<!-- -->",
        "<a ",
        "<a b='",
        '<a b="<!--',
        "<!",
        "</",
        "<title>",
        "<p a=b c = 'd'>",
        "<a  \t",
        "=",
        "<!--<style>-->",
        "<xmp><style><script>",
        "<plaintext>",
    ],
)
def test_hostile_markup_costs_no_more_than_its_length(piece):
    html = piece * 20_000 + "###"
    started = time.process_time()
    neutral_html(html)
    assert time.process_time() - started < 20  # quadratic time would be minutes


@pytest.mark.parametrize("piece", ["<style ", "<style>", "<style></style", "###", "<script>###</script>", "#"])
def test_hostile_html_costs_no_more_than_its_length(piece):
    html = piece * 20_000 + "###"
    started = time.process_time()
    neutral_html(html)
    assert time.process_time() - started < 20  # quadratic time would be minutes
