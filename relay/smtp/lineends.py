"""Content of devices that end lines as they like: CR, LF and CR CR LF become CR LF. Pure: blocks in, blocks out.

Works on content whose end is known already, so nothing that is made here can end a message or begin a command. The
same is Postfix's `smtpd_forbid_bare_newline = normalize`.
"""

_CR, _LF, _CRLF, _CRCRLF = b"\r", b"\n", b"\r\n", b"\r\r\n"
_DOT_LINE, _DOT = b"\r\n.", b"."


class LineEnds:
    """Makes line ends CRLF and takes the stuffed dots away (RFC 5321 §4.5.2), which stand behind every kind of them.

    Replaces in whole blocks, never line by line; what is right already is only counted. A line end is CR CR LF, CR LF,
    LF or CR, the first that fits from the left.
    """

    __slots__ = ("_held", "_is_line_start")

    def __init__(self) -> None:
        self._held = b""  # up to two CR: whether they are a line end of their own, the next byte tells
        self._is_line_start = True

    def feed(self, block: bytes) -> bytes:
        """Take the next block of content; return what is sure of it."""
        block = self._held + block
        self._held = next((end for end in (_CR + _CR, _CR) if block.endswith(end)), b"")
        return self._made(block[: len(block) - len(self._held)])

    def finish(self) -> bytes:
        """Return what was held back, when nothing more comes."""
        held, self._held = self._held, b""
        return self._made(held)

    def _made(self, block: bytes) -> bytes:
        if not block:
            return block
        if not block.count(_CRLF) == block.count(_LF) == block.count(_CR):
            # CR CR LF keeps its CR LF: as a mere LF it would join a CR before it.
            block = block.replace(_CRCRLF, _CRLF).replace(_CRLF, _LF).replace(_CR, _LF).replace(_LF, _CRLF)
        starts_line, self._is_line_start = self._is_line_start, block.endswith(_CRLF)
        if _DOT_LINE in block:
            block = block.replace(_DOT_LINE, _CRLF)
        return block[1:] if starts_line and block.startswith(_DOT) else block
