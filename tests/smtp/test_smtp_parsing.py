"""Commands, addresses and parameters: tables, and properties that hold for any bytes."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from relay.addresses import _ORDINARY, address_fault
from relay.message import EnvelopeRecipient
from relay.outcome import Replies, Reply
from relay.smtp.addresses import split_path
from relay.smtp.auth import begin_exchange
from relay.smtp.commands import Command, Mail, read_command, read_mail, read_rcpt
from relay.smtp.parameters import MailParameters, RcptParameters, mail_parameters, rcpt_parameters
from relay.smtp.wire import reply_line


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"NOOP\r\n", Command("NOOP", b"")),
        (b"noop  x y \r\n", Command("NOOP", b"x y")),
        (b"MAIL FROM:<a@b>\r\r\n", Command("MAIL", b"FROM:<a@b>")),
        (b"MAIL\tFROM\r\n", Replies.UNKNOWN_COMMAND),
        (b"\r\n", Replies.UNKNOWN_COMMAND),
        (b" NOOP\r\n", Replies.UNKNOWN_COMMAND),
        (b"N00P\r\n", Replies.UNKNOWN_COMMAND),
        (b"NO\xc3\x96P\r\n", Replies.UNKNOWN_COMMAND),
        (b"NOOP " + b"x" * 505 + b"\r\n", Command("NOOP", b"x" * 505)),
        (b"NOOP " + b"x" * 506 + b"\r\n", Replies.LINE_TOO_LONG),
        (b"MAIL " + b"x" * 1529 + b"\r\n", Command("MAIL", b"x" * 1529)),
        (b"MAIL " + b"x" * 1530 + b"\r\n", Replies.LINE_TOO_LONG),
        (b"AUTH " + b"x" * 12281 + b"\r\n", Command("AUTH", b"x" * 12281)),
        (b"AUTH " + b"x" * 12282 + b"\r\n", Replies.LINE_TOO_LONG),
    ],
)
def test_command_lines(line: bytes, command: Command | Reply):
    assert command == read_command(line)


@pytest.mark.parametrize("control", [b"\0", b"\r", b"\x1b", b"\x7f"])
def test_control_characters_in_a_command_are_refused(control: bytes):
    reply = read_command(b"RCPT TO:<a" + control + b"@example.org>\r\n")
    assert isinstance(reply, Reply)
    assert reply.code == 500


@pytest.mark.parametrize(
    ("argument", "sender"),
    [
        (b"FROM:<a@example.org>", "a@example.org"),
        (b"from:<a@example.org>", "a@example.org"),
        (b"FROM: <a@example.org>", "a@example.org"),
        (b"FROM : a@example.org", "a@example.org"),
        (b"FROM:<>", ""),
        (b"FROM:<@x.example:a@example.org>", "a@example.org"),
        (b'FROM:<"a>b <c"@example.org>', '"a>b <c"@example.org'),
        (b'FROM:"a b"@example.org', '"a b"@example.org'),
        (b"FROM:<root@localhost>", "root@localhost"),
        (b"FROM:<prvs=1234=a@example.org>", "prvs=1234=a@example.org"),
        (b"FROM:<" + b"a" * 100 + b"@example.org>", "a" * 100 + "@example.org"),
        (b"FROM:<a@device.local>", "a@device.local"),
        (b"FROM:<A@EXAMPLE.org>", "A@EXAMPLE.org"),
    ],
)
def test_senders_are_read(argument: bytes, sender: str):
    assert read_mail(argument) == Mail(sender, MailParameters())


@pytest.mark.parametrize(
    "argument",
    [b"", b"FROM:", b"FROM", b"FROM:<a@example.org", b"FROM:a@example.org>", b"FROM:<a><b>", b'FROM:<"a@example.org>'],
)
def test_senders_that_cannot_be_read_are_refused(argument: bytes):
    reply = read_mail(argument)
    assert isinstance(reply, Reply)
    assert reply.code == 501


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", MailParameters()),
        (" SIZE=12 BODY=8bitmime", MailParameters(size=12)),
        (" SMTPUTF8 BODY=7BIT", MailParameters(smtputf8=True)),
        (" AUTH=<>", MailParameters()),
        (" AUTH=a+2Bb@example.org", MailParameters()),
        (" ret=hdrs ENVID=QQ+3D1", MailParameters(ret="HDRS", envid="QQ+3D1")),
        (" SIZE=99999999999999999999", MailParameters(size=99999999999999999999)),
    ],
)
def test_mail_parameters(text: str, parameters: MailParameters):
    assert parameters == mail_parameters(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" SIZE", 501),
        (" SIZE=", 501),
        (" SIZE=x", 501),
        (" SIZE=-1", 501),
        (" SIZE=999999999999999999999", 501),
        (" SIZE=\u0661", 501),
        (" SIZE=1 SIZE=1", 501),
        (" SMTPUTF8=1", 501),
        (" BODY=BINARY", 501),
        (" RET=SOME", 501),
        (" ENVID=", 501),
        (f" ENVID={'x' * 101}", 501),
        (" ENVID=a+b", 501),
        (" AUTH=a=b", 501),
        (" =x", 501),
        (" X-OORG=y", 555),
        (" HOLDFOR=60", 555),
    ],
)
def test_bad_mail_parameters_are_refused(text: str, code: int):
    reply = mail_parameters(text)
    assert isinstance(reply, Reply)
    assert code == reply.code


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", RcptParameters()),
        (" NOTIFY=NEVER", RcptParameters(notify=frozenset({"NEVER"}))),
        (" notify=success,delay", RcptParameters(notify=frozenset({"SUCCESS", "DELAY"}))),
        (" ORCPT=rfc822;b+40c", RcptParameters(orcpt="rfc822;b+40c")),
    ],
)
def test_rcpt_parameters(text: str, parameters: RcptParameters):
    assert parameters == rcpt_parameters(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" NOTIFY=NEVER,SUCCESS", 501),
        (" NOTIFY=SOMETIMES", 501),
        (" NOTIFY", 501),
        (" ORCPT=nobody", 501),
        (" ORCPT=rfc822;a+zz", 501),
        (f" ORCPT=rfc822;{'x' * 500}", 501),
        (" SIZE=1", 555),
    ],
)
def test_bad_rcpt_parameters_are_refused(text: str, code: int):
    reply = rcpt_parameters(text)
    assert isinstance(reply, Reply)
    assert code == reply.code


def test_an_unknown_parameter_is_named_and_no_more():
    reply = mail_parameters(f" {'A' * 300}=\r\n")
    assert isinstance(reply, Reply)
    assert reply.text == f"Parameter {'A' * 40} not recognized"


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("b@example.org", ""),
        ("b@mail.test", ""),
        ("b@münchen.example", ""),
        ("b@xn--mnchen-3ya.example", ""),
        ('"b c"@example.org', ""),
        ("b@localhost", "not a valid address"),
        ("b@example", "not a valid address"),
        ("b@-example.org", "not a valid address"),
        ("b@exa_mple.org", "not a valid address"),
        ("b@example.org.", "not a valid address"),
        ("b@xn--zz.example", "not a valid address"),
        ("b\u200b@example.org", "not a valid address"),
        ("b@[192.0.2.1]", "address literals are not supported"),
        ("b", "no domain"),
        ("b\r\n@example.org", "control characters"),
        ("b@example.org\0", "control characters"),
        (f"b@{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 60}.org", "not a valid address"),
    ],
)
def test_recipients_are_checked(address: str, fault: str):
    assert fault == address_fault(address, deliverable=True)


@given(st.from_regex(_ORDINARY, fullmatch=True).filter(lambda address: len(address) <= 254))
def test_what_looks_ordinary_is_valid(address: str):
    """The short cut past email-validator takes nothing that it would refuse, but names for special use."""
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        assert "special-use" in str(error) or "too long" in str(error)  # noqa: PT017 - most of them raise nothing


@given(st.binary(max_size=600))
def test_no_bytes_make_the_parsers_raise(data: bytes):
    """Whatever comes, there is an answer."""
    assert isinstance(read_command(data), Command | Reply)
    assert isinstance(read_mail(data), Mail | Reply)
    assert isinstance(read_rcpt(data, smtputf8=True), EnvelopeRecipient | Reply)
    assert isinstance(begin_exchange(data), tuple | Reply)


@given(st.text(max_size=100), st.sampled_from([" SIZE=1", " SMTPUTF8", " NOTIFY=NEVER", " ORCPT=rfc822;x", ""]))
def test_whatever_is_taken_is_one_clean_line(local: str, parameters: str):
    """No CR, LF or NUL gets into an envelope (promise 25)."""
    for path in (f"<{local}@example.org>", f"{local}@example.org", f'<"{local}"@example.org>'):
        mail = read_mail(f"FROM:{path}{parameters}".encode("utf-8", "surrogatepass"))
        rcpt = read_rcpt(f"TO:{path}{parameters}".encode("utf-8", "surrogatepass"), smtputf8=True)
        taken = [mail.sender] if isinstance(mail, Mail) else []
        taken += [rcpt.address, rcpt.orcpt] if isinstance(rcpt, EnvelopeRecipient) else []
        assert not any(set("\r\n\0") & set(text) for text in taken)


@given(st.text(), st.text())
def test_replies_are_one_line_of_ascii(enhanced: str, text: str):
    line = reply_line(Reply(250, enhanced, text))
    assert line.endswith(b"\r\n")
    assert line.isascii()
    assert (line.count(b"\r"), line.count(b"\n")) == (1, 1)


def test_a_path_without_an_address_is_none():
    assert split_path("") is None
    assert split_path(" ") is None
