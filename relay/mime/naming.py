"""The names of attached files: clean, distinct, and never empty."""

import re

from relay.mime.structure import Part

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)  # controls, joiners that hide, and direction overrides that make "gpj.exe" read "exe.jpg"
_SEPARATORS = re.compile(r"[/\\]")
_LONGEST_BYTES = 255  # the longest name that common file systems take
_LONGEST_EXTENSION = 20
_LONGEST_SUBJECT = 80

#: Types that go by one name or need a certain ending.
_FIXED = {"application/ms-tnef": "winmail.dat", "application/vnd.ms-tnef": "winmail.dat"}
_NAMES = {
    "text/calendar": "invite.ics",
    "application/ics": "invite.ics",
    "application/pgp-signature": "signature.asc",
    "application/pgp-encrypted": "pgp-version.asc",
    "application/pgp-keys": "publickey.asc",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "application/pkcs7-mime": "smime.p7m",
    "application/x-pkcs7-mime": "smime.p7m",
    "message/delivery-status": "delivery-status.txt",
    "message/global-delivery-status": "delivery-status.txt",
    "message/disposition-notification": "disposition-notification.txt",
    "message/feedback-report": "feedback-report.txt",
    "text/rfc822-headers": "headers.txt",
    "message/external-body": "external-body.txt",
    "message/partial": "partial.eml",
}
_ENDINGS = {
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "text/calendar": ".ics",
    "application/ics": ".ics",
    "message/partial": ".eml",
}
#: What an invitation is not called by (RFC 5546 section 1.4): who opens it should know.
_METHODS = {method: f"{method.lower()}.ics" for method in ("CANCEL", "REPLY", "COUNTER", "REFRESH", "DECLINECOUNTER")}
_CALENDAR_METHODS = frozenset({"PUBLISH", "REQUEST", "ADD", *_METHODS})
_EXTENSIONS = {
    "application/pdf": "pdf", "application/zip": "zip", "application/x-zip-compressed": "zip", "application/gzip": "gz",
    "application/x-gzip": "gz", "application/x-7z-compressed": "7z", "application/vnd.rar": "rar",
    "application/x-rar-compressed": "rar", "application/x-tar": "tar", "application/json": "json",
    "application/xml": "xml", "application/msword": "doc", "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt", "application/rtf": "rtf", "application/postscript": "ps",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odt", "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.ms-outlook": "msg", "application/javascript": "js", "application/applefile": "applefile",
    "application/pkix-cert": "cer", "application/epub+zip": "epub", "application/vnd.apple.pkpass": "pkpass",
    "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "audio/ogg": "ogg",
    "audio/mp4": "m4a", "audio/amr": "amr", "image/jpeg": "jpg", "image/jpg": "jpg", "image/pjpeg": "jpg",
    "image/png": "png", "image/x-png": "png", "image/gif": "gif", "image/tiff": "tif", "image/bmp": "bmp",
    "image/webp": "webp", "image/svg+xml": "svg", "image/heic": "heic", "image/avif": "avif",
    "image/x-icon": "ico", "image/vnd.microsoft.icon": "ico", "text/plain": "txt", "text/html": "html",
    "text/csv": "csv", "text/xml": "xml", "text/css": "css", "text/markdown": "md", "text/vcard": "vcf",
    "text/x-vcard": "vcf", "text/directory": "vcf", "text/rtf": "rtf", "text/enriched": "txt",
    "text/x-patch": "patch", "text/x-diff": "diff", "text/x-log": "log", "text/x-amp-html": "html",
    "video/mp4": "mp4", "video/quicktime": "mov", "video/mpeg": "mpg", "video/webm": "webm", "font/woff2": "woff2",
}  # fmt: skip
_TYPES = {extension: kind for kind, extension in reversed(_EXTENSIONS.items())} | {"jpeg": "image/jpeg"}


class Namer:
    """Names the files of one message, each differently."""

    __slots__ = ("_nameless", "_taken")

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._nameless = 0

    def name(self, part: Part, *, encrypted: bool = False, subject: str = "") -> str:
        """Return the name that a part is listed by.

        Args:
            part: The part.
            encrypted: It belongs to a multipart/encrypted.
            subject: Of the message that the part is, where it is one.
        """
        kind = part.media_type
        name = _FIXED.get(kind) or cleaned(part.name)
        if name:
            ending = _ENDINGS.get(kind, "")
            return self._distinct(name if name.lower().endswith((ending, ".msg")) else name + ending)
        if kind in ("message/rfc822", "message/global"):
            return self._distinct((_from_subject(subject) or "message") + ".eml")
        if encrypted and kind == "application/octet-stream":
            return self._distinct("encrypted.asc")
        if kind in _NAMES:
            return self._distinct(_METHODS.get(calendar_method(part), _NAMES[kind]))
        self._nameless += 1
        return self._distinct(f"attachment-{self._nameless}.{extension_of(kind)}")

    def _distinct(self, name: str) -> str:
        # Compared without case: the recipient may save them all in one folder.
        key = name.casefold()
        if key not in self._taken:
            self._taken[key] = 1
            return name
        stem, dot, extension = name.rpartition(".")
        stem, ending = (stem, dot + extension) if stem else (name, "")
        while True:
            self._taken[key] += 1
            candidate = f"{stem} ({self._taken[key]}){ending}"
            if candidate.casefold() not in self._taken:
                self._taken[candidate.casefold()] = 1
                return candidate


def cleaned(raw: str) -> str:
    """Reduce a name to its last path part, without what cannot be seen; at most 255 bytes, the extension kept."""
    parts = [part for part in _SEPARATORS.split(_UNSEEN.sub("", raw)) if part.strip(" .")]
    name = parts[-1].strip() if parts else ""
    return _shortened(name) if len(name.encode()) > _LONGEST_BYTES else name


def calendar_method(part: Part) -> str:
    """Return the method of an invitation, as RFC 5546 writes it; empty: it is none, or tells no method."""
    method = part.content_type.token("method").upper() if part.media_type == "text/calendar" else ""
    return method if method in _CALENDAR_METHODS else ""


def extension_of(kind: str) -> str:
    """Return the usual extension of a media type, without dot."""
    return _EXTENSIONS.get(kind, "bin")


def type_of(name: str) -> str:
    """Return the media type that an extension stands for; empty: unknown."""
    return _TYPES.get(name.rpartition(".")[2].lower(), "")


def _from_subject(subject: str) -> str:
    name = _SEPARATORS.sub("_", _UNSEEN.sub("", subject)).strip(" .")[:_LONGEST_SUBJECT].strip(" .")
    return cleaned(name)


def _shortened(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > _LONGEST_EXTENSION:
        stem, dot, extension = name, "", ""
    room = _LONGEST_BYTES - len((dot + extension).encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip() + dot + extension
