"""text/enriched (RFC 1896) and text/richtext (RFC 1341) as HTML, as far as mail ever used them."""

import re
from html import escape

from relay.mime.plaintext import lines_of

_TOKEN = re.compile(r"<<|<(/?)([A-Za-z0-9-]{1,60})>|(\n+)|<")
_PARAM = re.compile(r"<param>[^<]*+</param>", re.IGNORECASE)
_TAGS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "fixed": "tt",
    "smaller": "small",
    "bigger": "big",
    "center": "center",
    "excerpt": "blockquote",
    "indent": "blockquote",
    "paragraph": "p",
}
_RICHTEXT = {"nl": "<br>\n", "lt": "&lt;", "np": "<hr>\n"}


def enriched_to_html(text: str) -> str:
    """Turn enriched text into an HTML fragment; unknown commands lose their effect, never their text."""
    text = lines_of(text)
    if "</param>" in text.lower():
        text = _PARAM.sub("", text)
    out: list[str] = []
    position = 0
    open_tags: list[str] = []
    for token in _TOKEN.finditer(text):
        out.append(escape(text[position : token.start()], quote=False))
        out.append(_written(token, open_tags))
        position = token.end()
    out.append(escape(text[position:], quote=False))
    out.extend(f"</{tag}>" for tag in reversed(open_tags))
    return f"<div>{''.join(out)}</div>\n"


def _written(token: re.Match[str], open_tags: list[str]) -> str:
    if token[3]:
        # RFC 1896: one line end is a blank, n of them are n - 1 line breaks.
        return "<br>\n" * (len(token[3]) - 1) or "\n"
    command = (token[2] or "").lower()
    if not command:
        return "&lt;"
    closing = bool(token[1])
    if command in _RICHTEXT:
        return "" if closing else _RICHTEXT[command]
    tag = _TAGS.get(command, "")
    if tag and not closing:
        open_tags.append(tag)
        return f"<{tag}>"
    # Only the innermost can be closed: HTML must stay nested.
    return f"</{open_tags.pop()}>" if tag and open_tags and open_tags[-1] == tag else ""
