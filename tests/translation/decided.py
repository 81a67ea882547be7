"""Where others read a golden mail otherwise than we do, and why ours is right.

For each mail: what they read otherwise ("email" is the standard library, "fast" is fast-mail-parser), and the reason.
What the other marks as lost by U+FFFD needs no decision.
"""

DECIDED: dict[str, tuple[str, str]] = {
    "addresses-without-comma": (
        "email:recipients fast:recipients",
        "two addresses without a comma between them are two: nobody is called 'Ana <ana@x> Eva'",
    ),
    "amp-mail": ("fast:files", "AMP is an alternative of the HTML that is shown, no file; a note says that it is gone"),
    "amp-without-html": ("fast:files", "AMP is an alternative of the text that is shown; a note says that it is gone"),
    "app-with-powers": ("email:recipients fast:recipients", "'Doe, John <john@x>' without quotes is one person"),
    "appledouble": ("email:files fast:files", "the resource fork means nothing outside a Mac; a note says it is gone"),
    "base64-footer": ("fast:raises", "words that a gateway wrote below the base64 do not spoil it"),
    "base64-padded-lines": (
        "email:files",
        "each line was padded for itself: what follows a padding is part of the file",
    ),
    "base64-that-is-none": ("fast:raises", "plain words whose label says base64 are plain words"),
    "base64-unpadded": ("fast:raises", "the missing padding holds no information"),
    "bom-before-header": (
        "email:subject email:sender email:recipients fast:sender",
        "a byte order mark is written by an editor and is no field name",
    ),
    "bounce-without-words": ("fast:files", "what happened to whom is shown: nobody else says it in this report"),
    "chinese-hz": ("fast:subject", "hz-gb-2312 is a charset that mail used, and Python knows it"),
    "cisco-no-mime": (
        "email:subject email:sender email:recipients email:text fast:subject fast:sender fast:recipients fast:text",
        "empty lines above the header end no header that has not begun",
    ),
    "cr-only": ("fast:subject fast:sender fast:recipients", "old Macs end lines by CR alone"),
    "crcrlf": (
        "email:subject email:recipients email:text fast:raises",
        "CR CR LF is one line end, written in text mode by a program that had written CR LF",
    ),
    "dos-cp850": ("fast:subject", "ibm850 is a charset that has a name with IANA"),
    "duplicated-fields": (
        "email:subject fast:subject fast:recipients",
        "an empty field says nothing, so the next of its name does; whoever stands in either To is shown",
    ),
    "eudora-enriched": ("fast:files", "text/enriched is a text, and shown"),
    "folded-wrongly": (
        "email:subject email:text fast:subject fast:text",
        "a continuation without its blank is part of the field above, for fields follow it",
    ),
    "forward-as-attachment": (
        "email:files fast:names",
        "the message is attached with its bytes; its name is its subject, decoded",
    ),
    "forward-several": ("fast:text fast:names", "the undeclared text is valid UTF-8; attached messages end in .eml"),
    "group-and-comments": ("fast:sender fast:recipients", "comments and groups are read as RFC 5322 §3.2.2, §3.4 say"),
    "hebrew-outlook": ("email:raises", "iso-8859-8-i is a charset, and logical order is what Unicode has"),
    "indy-delphi": ("email:raises", "a charset that nobody knows does not keep the text from being read"),
    "korean-iso-2022-kr": ("fast:subject", "iso-2022-kr is a charset of RFC 1557"),
    "latin1-that-is-utf8": ("email:text fast:text", "Latin-1 that happens to be valid UTF-8 is UTF-8"),
    "latin1-with-windows-quotes": ("email:text", "80 to 9F are no controls in mail: browsers read windows-1252, too"),
    "lotus-notes": ("email:sender", "a Notes name before the brackets is no address"),
    "mailx-unknown-8bit": ("email:raises", "unknown-8bit (RFC 1428) only says that nobody knew the charset"),
    "markdown": ("fast:files", "text/markdown is a text, and shown"),
    "meta-charset-only": ("fast:text", "the page declares its charset itself"),
    "mutt-bounce-resent": (
        "email:recipients fast:recipients",
        "Resent-To names whom the mail goes to now (RFC 5322 §3.6.6); whom it went to before stays shown",
    ),
    "name-encoded-twice": ("email:names fast:names", "nobody calls a file =?utf-8?Q?...?="),
    "nameless-and-equal-names": ("email:names fast:names", "a path on the sender's disk is no part of a file's name"),
    "names-with-commas": (
        "email:sender email:recipients fast:sender fast:recipients",
        "the comma belongs to the name: what stands before it is no address",
    ),
    "old-unix-uuencode": ("fast:files", "x-uuencode is decoded: the file is the PDF, not its letters"),
    "php-mail-raw-cp1251": ("fast:subject fast:names", "raw bytes in a header are in the charset of the text"),
    "plain-text-swapped": ("email:files fast:files", "plain/text means text/plain, and is shown"),
    "quoted-soft-breaks-lost": (
        "email:text",
        "an equals sign and blanks at a line's end are a soft break (RFC 2045 §6.7)",
    ),
    "receipt-without-words": ("fast:files", "what became of the mail is shown: nobody else says it in this receipt"),
    "richtext": ("fast:files", "text/richtext (RFC 1341) is a text, and shown"),
    "several-authors": ("email:sender fast:sender", "of several authors, Sender says who sent it (RFC 5322 §3.6.2)"),
    "thunderbird-flowed": ("email:text fast:text", "quoted lines flow, too, without their marks (RFC 3676 §4.5)"),
    "truncated-backup": ("fast:raises", "what came before the end of the bytes is delivered"),
    "undeclared-chinese": ("fast:subject fast:text", "bytes that are GB18030 by all their looks are no Latin-1"),
    "utf-16-report": ("fast:subject", "a byte order mark is no letter of the subject"),
    "uuencode-base64": ("email:text fast:text", "begin-base64 begins a file (POSIX uuencode), no words"),
    "uuencode-in-text": ("email:text fast:text", "what stands between begin and end is a file, and attached"),
    "vcenter-alarm": ("email:recipients", "addresses may be parted by semicolons"),
    "xhtml-body": ("email:files fast:files", "application/xhtml+xml is a page, and shown"),
    "yenc-post": ("fast:text", "what stands between =ybegin and =yend is a file, and attached"),
}
