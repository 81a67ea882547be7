"""Asks a browser what it makes of HTML: where every letter of a page stands, and what its elements hold."""

import json
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

_PLACES = """<!DOCTYPE html><html><head><meta charset="utf-8"><style>
body { margin: 0 } .seen { position: relative; width: %dpx; font: 16px "DejaVu Sans Mono", monospace }
pre { margin: 0; font: inherit; tab-size: 8; white-space: pre-wrap }
</style></head><body>%s<pre id="told"></pre><script>
const places = [];
for (const seen of document.querySelectorAll(".seen")) {
  const origin = seen.getBoundingClientRect(), letters = [];
  const walker = document.createTreeWalker(seen, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    let at = 0;
    for (const letter of node.data) {
      const range = document.createRange();
      range.setStart(node, at); range.setEnd(node, at += letter.length);
      if (/^[\\s\\u00a0]$/.test(letter)) continue;
      const box = range.getBoundingClientRect();
      letters.push([letter, Math.round((box.top - origin.top) / 4), Math.round(box.left - origin.left)]);
    }
  }
  places.push(letters);
}
document.getElementById("told").textContent = JSON.stringify(places);
</script></body></html>"""
#: Nobody reads styles, scripts, comments, and attributes with names that none has.
_ELEMENTS = """<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><pre id="told"></pre><script>
document.getElementById("told").textContent = JSON.stringify(%s.map((page) => {
  const parsed = new DOMParser().parseFromString(page, "text/html");
  for (const unread of parsed.querySelectorAll("style, script")) unread.textContent = "";
  const walker = parsed.createTreeWalker(parsed, NodeFilter.SHOW_COMMENT | NodeFilter.SHOW_ELEMENT), comments = [];
  for (let node; node = walker.nextNode();) {
    if (node.nodeType === Node.COMMENT_NODE) { comments.push(node); continue; }
    for (const name of node.getAttributeNames()) if (name.includes("#")) node.removeAttribute(name);
  }
  for (const comment of comments) comment.remove();
  return parsed.documentElement.outerHTML;
}));
</script></body></html>"""

#: A letter, how far down and how far right it stands.
Letter = tuple[str, int, int]


def as_written(text: str) -> str:
    """Show a text as every mail program shows text/plain."""
    # An HTML parser removes the first line feed.
    return f"<pre>\n{escape(text)}</pre>"


def places(fragments: list[str], folder: Path, *, width: int) -> list[list[Letter]]:
    """Tell for each piece of HTML where its letters stand, in a column so many pixels wide."""
    told = _ask(_PLACES % (width, "".join(f'<div class="seen">{each}</div>\n' for each in fragments)), folder)
    return [[(letter, down, right) for letter, down, right in letters] for letters in told]


def elements(pages: list[str], folder: Path) -> list[str]:
    """Write down what the browser understands of each page."""
    return list(_ask(_ELEMENTS % json.dumps(pages).replace("</", "<\\/").replace("<!--", "<\\u0021--"), folder))


def _ask(page: str, folder: Path) -> Any:
    """Load a page, and read what its script has written."""
    file = folder / "page.html"
    file.write_text(page, "utf-8")
    shown = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()],
        check=True, capture_output=True, text=True, encoding="utf-8",
    ).stdout  # fmt: skip
    return json.loads(unescape(shown.split('<pre id="told">')[1].split("</pre>")[0]))
