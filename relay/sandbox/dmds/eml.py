"""A mail as a file: what an archive gives back. Of attachments the sandbox keeps only what identifies them."""

from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import formatdate, quote

from relay.sandbox.document import has_control
from relay.sandbox.mail import Mail, Shown


def eml_of(mail: Mail) -> str:
    """Write a mail in the form of RFC 5322, with headers in UTF-8 (RFC 6532)."""
    message = EmailMessage(policy=SMTPUTF8)
    headers = {
        "From": _mailbox(Shown(mail.sender, mail.from_name)),
        "To": ", ".join(map(_mailbox, mail.to)),
        "Cc": ", ".join(map(_mailbox, mail.cc)),
        "Reply-To": mail.reply_to,
        "Subject": _line(mail.subject),
        "Date": formatdate(mail.time),
        "Message-ID": f"<{mail.batch_id}.{mail.id}@dmds.example>",
    }
    for name, value in headers.items():
        if value:
            message[name] = value
    message.set_content(_unicode(mail.html or ""), subtype="html", cte="base64")
    for file in mail.attachments:
        about = f"{file.size} bytes, SHA-256 {file.sha256}\n".encode()
        message.add_attachment(about, maintype="application", subtype="octet-stream", filename=_line(file.name))
    return message.as_bytes().decode("utf-8", "replace")


def _mailbox(shown: Shown) -> str:
    return f'"{quote(_line(shown.name))}" <{shown.email}>' if shown.name else shown.email


def _line(text: str) -> str:
    return "".join(" " if has_control(letter) else letter for letter in _unicode(text))


def _unicode(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
