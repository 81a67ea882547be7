"""A mail's HTML for looking at: what could act, or call somewhere, is taken out before the browser sees it.

The frame that shows it forbids everything anyway; but browsers connect for a frame before they ask whether they may.
"""

import nh3

#: Shown by the frame's policy, and harmless there: looks come from them.
_TAGS = nh3.ALLOWED_TAGS | {"style", "font", "section", "main", "button", "u", "big", "address"}
_ATTRIBUTES = {
    "*": {
        "align",
        "bgcolor",
        "border",
        "class",
        "color",
        "dir",
        "height",
        "id",
        "lang",
        "style",
        "title",
        "valign",
        "width",
    },
    "a": {"href"},
    "font": {"face", "size"},
    "img": {"alt", "src"},
    "ol": {"start", "type"},
    "table": {"cellpadding", "cellspacing", "summary"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "scope"},
}


def inert(html: str) -> str:
    """Return the HTML without scripts, frames, forms, embedded things, and links to what should be fetched."""
    return nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "title"},
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "data"},
    )
