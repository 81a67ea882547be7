"""Keep `###x###` in ordinary mail from being taken for a variable, without anybody seeing a difference.

Mensatek replaces `###name###` in subject and HTML. Three number signs in a row are enough to begin one, so no such
run may leave the gateway unless variables were asked for.
"""

import re

_MARKER = "###"
# Both begin with a literal, which the engine looks for much faster than for anything else.
_RUN = re.compile(r"###+")
_RAW_ELEMENT = re.compile(r"<((?i:style|script|xmp|iframe|noembed|noframes|plaintext))\b")
#: Invisible and without width; unlike ZERO WIDTH SPACE it allows no line break (Unicode 3.2).
_WORD_JOINER = "\N{WORD JOINER}"

# Where HTML decodes no entities (WHATWG HTML, "raw text"), a number sign is written in the language spoken there.
_NUMBER_SIGN_IN = {
    "style": r"\23 ",  # CSS Syntax section 4.3.7
    "script": r"\u0023",  # JavaScript and JSON strings
}


def neutral_text(text: str) -> str:
    """Break runs of number signs in a plain field with an invisible character."""
    if _MARKER not in text:
        return text
    return _RUN.sub(lambda run: _WORD_JOINER.join(run[0]), text)


def neutral_html(html: str) -> str:
    """Break runs of number signs in HTML by writing every second one as an entity.

    It renders, copies and links as before; in style and script elements the escape of their own language is used.
    """
    if _MARKER not in html:
        return html
    pieces: list[str] = []
    position = 0
    for start, end, element in _raw_spans(html):
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


def _raw_spans(html: str) -> list[tuple[int, int, str]]:
    """Find the contents of elements in which entities are not decoded: start, end, element name.

    Searches onward only, so that hostile HTML costs no more than its length.
    """
    spans: list[tuple[int, int, str]] = []
    position = 0
    while opening := _RAW_ELEMENT.search(html, position):
        start = html.find(">", opening.end()) + 1
        if not start:
            break
        element = opening[1].lower()
        closing = re.compile(f"</{element}", re.IGNORECASE).search(html, start)
        end = closing.start() if closing else len(html)
        spans.append((start, end, element))
        position = end
    return spans
