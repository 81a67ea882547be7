"""Keep `###x###` in ordinary mail from being taken for a variable, without anybody seeing a difference.

Mensatek replaces `###name###` in subject and HTML. Three number signs in a row are enough to begin one, so no such
run may leave the gateway unless variables were asked for.
"""

import re
from collections.abc import Iterator

from relay.mime.markup import tag_end

MARKER = "###"  #: what begins and ends a variable
# Both begin with a literal, which the engine looks for much faster than for anything else.
_RUN = re.compile(r"###+")
#: Invisible and without width; unlike ZERO WIDTH SPACE it allows no line break (Unicode 3.2).
_WORD_JOINER = "\N{WORD JOINER}"

# HTML as far as it must be read (WHATWG HTML section 13.2.5): where a tag or a comment begins and ends.
_MARKUP = re.compile(r"<(?:(!--)|(/?[A-Za-z][^\t\n\f\r />]*)|[!?/])")
_COMMENT_END = re.compile(r"--!?>")
_RAW = ("style", "script", "xmp", "iframe", "noembed", "noframes")  # no tags and no entities inside
_WITHOUT_TAGS = ("title", "textarea")  # no tags inside, but entities
_CLOSING = {name: re.compile(rf"</(?i:{name})(?=[\t\n\f\r />])") for name in _RAW + _WITHOUT_TAGS}
_ENDLESS = "plaintext"  # raw, and nothing ends it

# Where HTML decodes no entities, a number sign is written in the language spoken there.
_NUMBER_SIGN_IN = {
    "style": r"\23 ",  # CSS Syntax section 4.3.7
    "script": r"\u0023",  # JavaScript and JSON strings
}


def neutral_text(text: str) -> str:
    """Break runs of number signs in a plain field with an invisible character."""
    if MARKER not in text:
        return text
    return _RUN.sub(lambda run: _WORD_JOINER.join(run[0]), text)


def neutral_html(html: str) -> str:
    """Break runs of number signs in HTML by writing every second one as an entity.

    It renders, copies and links as before; in style and script elements the escape of their own language is used.
    """
    if MARKER not in html:
        return html
    pieces: list[str] = []
    position = 0
    for start, end, element in _raw_spans(html, 0, len(html), in_comment=False):
        pieces += (_every_second(html[position:start], "&#35;"), _neutral_raw(html[start:end], element))
        position = end
    pieces.append(_every_second(html[position:], "&#35;"))
    return "".join(pieces)


def _neutral_raw(text: str, element: str) -> str:
    number_sign = _NUMBER_SIGN_IN.get(element)
    return neutral_text(text) if number_sign is None else _every_second(text, number_sign)


def _every_second(text: str, number_sign: str) -> str:
    def broken(run: re.Match[str]) -> str:
        return ("#" + number_sign) * (len(run[0]) // 2) + "#" * (len(run[0]) % 2)

    return _RUN.sub(broken, text)


def _raw_spans(html: str, position: int, limit: int, *, in_comment: bool) -> Iterator[tuple[int, int, str]]:
    """Find the contents of elements in which entities are not decoded: start, end, element name.

    An element that is not closed is none of them: mail clients disagree on where it ends, and entities are right
    wherever its text is shown. What stands in a comment is searched by itself, for Outlook reads conditional ones.
    Searches onward only, so that hostile HTML costs no more than its length.
    """
    unclosed: set[str] = set()
    while markup := _MARKUP.search(html, position, limit):
        if not markup[2]:
            position = markup.end()
            if markup[1] and not in_comment:
                end, after = _comment_end(html, markup.start(), limit)
                yield from _raw_spans(html, position, end, in_comment=True)
                position = after
            elif not markup[1]:
                position = (html.find(">", position, limit) + 1) or limit
            continue
        element = markup[2].lower()
        position = tag_end(html, markup.end(), limit)
        if element == _ENDLESS:
            yield position, limit, element
            return
        if element in unclosed or element not in _CLOSING:
            continue
        closing = _CLOSING[element].search(html, position, limit)
        if not closing:
            unclosed.add(element)
            continue
        if element in _RAW:
            yield position, closing.start(), element
        position = closing.start()


def _comment_end(html: str, start: int, limit: int) -> tuple[int, int]:
    """Find where a comment's text ends and where it does; "<!-->" is a whole one."""
    closing = _COMMENT_END.search(html, start + len("<!"), limit)
    return closing.span() if closing else (limit, limit)
