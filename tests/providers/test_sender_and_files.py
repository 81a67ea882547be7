"""What both translations share: the sender, files and their limits, one-line fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_cases import MENSATEK, attachment, brief, content, image, people

from relay.config.settings import MensatekSettings, MimeSettings
from relay.errors import MailRefused
from relay.message import Mailbox
from relay.mime import read
from relay.mime.content import Fidelity, Note
from relay.outcome import Replies
from relay.providers.contract import Base64Text, Call
from relay.providers.fields import one_line, shortened, wire_address
from relay.providers.files import carry, refuse_oversize
from relay.providers.notes import NOTES, merged, note
from relay.providers.sender import choose_sender

_ANA = Mailbox("ana@example.org", "Ana Ruiz")
_REPLIES_GO = Mailbox("help@example.org")


@pytest.mark.parametrize(
    ("mail", "mail_from", "fixed", "sender", "reply_to", "codes"),
    [
        (_ANA, "b@x.org", "", _ANA, "", []),
        (None, "b@x.org", "", Mailbox("b@x.org"), "", ["sender_from_envelope"]),
        (_ANA, "b@x.org", "Shop <s@y.org>", Mailbox("s@y.org", "Shop"), "ana@example.org", ["sender_replaced"]),
        (_ANA, "b@x.org", "s@y.org", Mailbox("s@y.org", "Ana Ruiz"), "ana@example.org", ["sender_replaced"]),
        (_ANA, "b@x.org", "Shop <ana@EXAMPLE.org>", Mailbox("ana@EXAMPLE.org", "Shop"), "", []),
        (None, "b@x.org", "s@y.org", Mailbox("s@y.org"), "", ["sender_replaced"]),
        (None, "", "s@y.org", Mailbox("s@y.org"), "", []),
        (Mailbox("a@bücher.example"), "", "", Mailbox("a@xn--bcher-kva.example"), "", ["address_as_ascii"]),
    ],
)
def test_who_is_shown_and_where_replies_go(mail, mail_from, fixed, sender, reply_to, codes):
    chosen = choose_sender(content(sender=mail), brief(people(1), MENSATEK, mail_from=mail_from, sender=fixed))
    assert (sender, reply_to, codes) == (chosen.mailbox, chosen.reply_to, [each.code for each in chosen.notes])


def test_a_reply_to_of_the_mail_stays_when_the_sender_is_replaced():
    chosen = choose_sender(content(reply_to=_REPLIES_GO), brief(people(1), MENSATEK, sender="s@y.org"))
    assert "help@example.org" == chosen.reply_to


def test_no_sender_at_all_is_refused():
    with pytest.raises(MailRefused) as caught:
        choose_sender(content(sender=None), brief(people(1), MENSATEK, mail_from=""))
    assert (554, "5.6.0") == (caught.value.reply.code, caught.value.reply.enhanced)
    assert "MAIL FROM" in caught.value.reply.text


_UNUSABLE = (
    "visitor@gmail",
    "a..b@x.org",
    "root@localhost",
    "ana@[10.1.2.3]",
    "x@y@z.org",
    "x@-y.org",
    "visitor",
    "v@x.org\x00",
)


@pytest.mark.parametrize("address", _UNUSABLE)
def test_a_reply_to_that_mail_cannot_be_sent_to_is_left_out(address):
    """Contact forms put what a visitor typed into Reply-To; both APIs refused the whole mail for it, after our 250."""
    chosen = choose_sender(content(reply_to=Mailbox(address)), brief(people(1), MENSATEK))
    assert ("", _ANA) == (chosen.reply_to, chosen.mailbox)
    assert [("reply_to_unusable", Fidelity.LOST)] == [(each.code, each.fidelity) for each in chosen.notes]
    assert address not in chosen.notes[0].text


def test_the_first_reply_to_that_can_be_sent_to_is_taken():
    mail = content(reply_to=Mailbox("a@gmail"), more_reply_to=(Mailbox("b"), _REPLIES_GO, Mailbox("later@example.org")))
    chosen = choose_sender(mail, brief(people(1), MENSATEK))
    assert ("help@example.org", ()) == (chosen.reply_to, chosen.notes)


def test_a_reply_to_without_any_domain_is_not_dropped_in_silence():
    mail = read(b"From: ana@example.org\r\nReply-To: visitor\r\n\r\nx", MimeSettings())
    assert ["reply_to_unusable"] == [each.code for each in choose_sender(mail, brief(people(1), MENSATEK)).notes]


def test_reply_to_international_addresses_stay():
    chosen = choose_sender(content(reply_to=Mailbox("añá@bücher.example")), brief(people(1), MENSATEK))
    assert "añá@xn--bcher-kva.example" == chosen.reply_to


@pytest.mark.parametrize(
    ("address", "named"),
    [("root@localhost", True), ("a..b@x.org", True), ("añá@x", False), (f"{'x' * 120}@localhost", False)],
)
def test_a_sender_that_no_api_takes_is_refused_at_once_with_the_cure(address, named):
    """Cron writes as root@localhost; the API refused it after our 250."""
    for mail, mail_from in ((content(sender=Mailbox(address)), "b@x.org"), (content(sender=None), address)):
        with pytest.raises(MailRefused) as caught:
            choose_sender(mail, brief(people(1), MENSATEK, mail_from=mail_from))
        reply = caught.value.reply
        assert (554, "5.6.0", True) == (reply.code, reply.enhanced, reply.text.isascii())
        assert "set `sender` for this account" in reply.text
        assert named is (address in reply.text)


def test_such_a_sender_is_well_where_the_account_sends_as_somebody_else():
    """Nobody is told to reply to root@localhost, and a strict account takes the mail."""
    chosen = choose_sender(
        content(sender=Mailbox("root@localhost", "Cron")), brief(people(1), MENSATEK, sender="s@y.org")
    )
    assert (Mailbox("s@y.org", "Cron"), "") == (chosen.mailbox, chosen.reply_to)
    assert [Fidelity.CHANGED] == [each.fidelity for each in chosen.notes]


def test_a_sender_that_the_api_is_not_told_may_be_anything():
    for sender in (Mailbox("root@localhost"), None):
        choose_sender(content(sender=sender), brief(people(1), MENSATEK, mail_from=""), is_sent=False)


# --- files ---


def _names(carried):
    return [file.name for file in carried.attachments]


def test_inline_images_go_into_the_html():
    mail = content(html='<img src="cid:logo">', inline_images=(image("logo"),), attachments=(attachment("a.pdf"),))
    carried = carry(mail, inline_images="data", settings=MensatekSettings())
    assert '<img src="data:image/png;base64,iVBORw==">' == carried.html
    assert (["a.pdf"], ()) == (_names(carried), carried.notes)


def test_inline_images_travel_as_files_where_the_account_asks():
    mail = content(html='<img src="cid:logo">', inline_images=(image("logo"),), attachments=(attachment("a.pdf"),))
    carried = carry(mail, inline_images="attach", settings=MensatekSettings())
    assert ["a.pdf", "logo.png"] == _names(carried)
    assert "cid:" not in carried.html
    assert ["inline_images_attached"] == [each.code for each in carried.notes]


def test_too_many_attachments_are_refused_with_both_numbers():
    mail = content(attachments=(attachment("a"), attachment("b"), attachment("c")))
    with pytest.raises(MailRefused) as caught:
        carry(mail, inline_images="data", settings=MensatekSettings(max_attachments=2))
    assert (554, "5.6.3") == (caught.value.reply.code, caught.value.reply.enhanced)
    assert "3 attachments are more than the 2" in caught.value.reply.text


def test_long_names_are_shortened_at_the_stem_and_stay_distinct():
    mail = content(
        attachments=tuple(
            map(attachment, ["informe-anual-2026.pdf", "informe-anual-2025.pdf", "short.pdf", "inform.pdf"])
        )
    )
    carried = carry(mail, inline_images="data", settings=MensatekSettings(attachment_name_limit=10))
    assert ["info-2.pdf", "info-3.pdf", "short.pdf", "inform.pdf"] == _names(carried)
    assert {"attachment_renamed"} == {each.code for each in carried.notes}


def test_shortened_names_are_distinct_also_without_regard_to_case():
    mail = content(attachments=tuple(map(attachment, ["INFORME-anual.pdf", "informe-anual.pdf"])))
    carried = carry(mail, inline_images="data", settings=MensatekSettings(attachment_name_limit=10))
    assert ["INFORM.pdf", "info-2.pdf"] == _names(carried)


def test_names_that_are_all_extension_are_numbered_too():
    mail = content(attachments=tuple(map(attachment, ["a.extension-one", "a.extension-two"])))
    carried = carry(mail, inline_images="data", settings=MensatekSettings(attachment_name_limit=8))
    assert ["a.extens", "a.exte-2"] == _names(carried)


@given(st.lists(st.text(min_size=1, max_size=12), max_size=6, unique=True), st.integers(4, 12))
def test_shortened_names_are_within_the_limit_and_distinct(names, limit):
    mail = content(attachments=tuple(map(attachment, names)))
    carried = carry(mail, inline_images="data", settings=MensatekSettings(attachment_name_limit=limit))
    fitting = _names(carried)
    assert all(len(name) <= limit for name in fitting)
    # Names that differ only in control characters are the mail reader's to keep apart.
    assert len({one_line(name) for name in names}) == len(set(fitting))


@pytest.mark.parametrize(
    ("name", "limit", "expected"),
    [
        ("factura.pdf", 20, "factura.pdf"),
        ("factura-septiembre-2026.pdf", 20, "factura-septiemb.pdf"),
        ("a-long-name-without-extension", 10, "a-long-nam"),
        (".hidden-file-name", 7, ".hidden"),
        ("x.extension-longer-than-all", 10, "x.extensio"),
        ("archive.tar.gz", 10, "archive.gz"),
        ("ab.pdf", 5, "a.pdf"),
    ],
)
def test_a_name_keeps_its_extension(name, limit, expected):
    assert expected == shortened(name, limit)


def test_a_request_over_the_limit_is_refused_with_both_sizes():
    call = Call("EnviarEMAIL", (), {"Contenido": Base64Text((b"QUJD" * 100,))})
    refuse_oversize([call], 416)
    with pytest.raises(MailRefused) as caught:
        refuse_oversize([call], 415)
    assert (Replies.TOO_BIG.code, "5.3.4") == (caught.value.reply.code, caught.value.reply.enhanced)
    assert "416 bytes; the email provider takes 415" in caught.value.reply.text


# --- fields and notes ---


@given(st.text())
def test_one_line_is_one_line(text):
    line = one_line(text)
    assert 1 >= len(line.splitlines())
    assert not any(ord(letter) < 32 or ord(letter) == 127 for letter in line)
    assert len(text) == len(line)


def test_joiners_of_scripts_and_emoji_stay():
    assert "👩‍👧 نمی‌خواهم" == one_line("👩‍👧 نمی‌خواهم")


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("Ana@Example.ORG", "Ana@Example.ORG"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("añá@example.org", "añá@example.org"),
    ],
)
def test_only_a_domain_beyond_ascii_is_rewritten(email, expected):
    assert expected == wire_address(email)


def test_notes_are_merged_once_each_in_order():
    first, second = note("cc_not_visible", "x"), Note("other", "y", Fidelity.CHANGED)
    assert (first, second) == merged([first], [second, first])


def test_no_wish_of_the_accounts_owner_is_a_loss():
    owners = {"sender_replaced", "inline_images_attached", "body_replaced_by_template", "subject_campaign"}
    assert {Fidelity.CHANGED} == {NOTES[code][0] for code in owners}


def test_images_that_make_the_text_larger_than_a_request_may_be_are_refused_before_they_are_written():
    mail = content(html='<img src="cid:logo">' * 100, inline_images=(image("logo"),))

    assert carry(mail, inline_images="data", settings=MensatekSettings(max_request_bytes=100_000)).html
    with pytest.raises(MailRefused, match="552"):
        carry(mail, inline_images="data", settings=MensatekSettings(max_request_bytes=1000))
