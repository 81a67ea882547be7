"""Who gets the mail, and as what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mails import content, mail

from relay.message import Envelope, EnvelopeRecipient, Recipient, Role, mailbox_key
from relay.mime import settle_roles

TO, CC, BCC = Role.TO, Role.CC, Role.BCC


def settled(envelope, *fields):
    given_to = tuple(entry if isinstance(entry, EnvelopeRecipient) else EnvelopeRecipient(entry) for entry in envelope)
    recipients = settle_roles(Envelope("app@example.org", given_to), content(mail(b"x", *fields)))
    return [(entry.address, entry.role, entry.name) for entry in recipients]


@pytest.mark.parametrize(
    ("expected", "envelope", "fields"),
    [
        ([("a@x.example", TO, "")], ["a@x.example"], [b"To: a@x.example"]),
        ([("a@x.example", BCC, "")], ["a@x.example"], [b"To: b@x.example"]),
        ([("a@x.example", BCC, "")], ["a@x.example"], []),
        ([("a@x.example", BCC, "")], ["a@x.example"], [b"Bcc: a@x.example"]),
        ([("a@x.example", TO, "Ana")], ["a@x.example"], [b"Cc: Other <a@x.example>", b"To: Ana <a@x.example>"]),
        (
            [("b@x.example", TO, "B"), ("a@x.example", TO, ""), ("c@x.example", CC, ""), ("d@x.example", BCC, "")],
            ["d@x.example", "c@x.example", "a@x.example", "b@x.example"],
            [b"To: B <b@x.example>, a@x.example", b"Cc: z@x.example, c@x.example", b"Bcc: d@x.example"],
        ),
        (
            [("z@x.example", BCC, ""), ("a@x.example", BCC, "")],
            ["z@x.example", "a@x.example"],
            [b"To: undisclosed-recipients:;"],
        ),
        ([("a@x.example", TO, "")], ["a@x.example", "a@X.EXAMPLE"], [b"To: a@x.Example"]),
        (
            [("a@bücher.example", TO, "")],
            ["a@bücher.example", "a@xn--bcher-kva.example"],
            [b"To: a@xn--bcher-kva.example"],
        ),
        ([("Ana@x.example", TO, "A")], ["Ana@x.example"], [b"To: A <ana@x.example>"]),
        (
            [("ana@x.example", TO, "small"), ("Ana@x.example", TO, "big")],
            ["Ana@x.example", "ana@x.example"],
            [b"To: small <ana@x.example>, big <Ana@x.example>"],
        ),
        ([("root@host.example", TO, "")], ["root@host.example"], [b"To: root"]),
        ([("a@x.example", TO, "New")], ["a@x.example"], [b"Resent-To: New <a@x.example>", b"Cc: Old <a@x.example>"]),
        ([("a@x.example", CC, "")], ["a@x.example"], [b"Resent-Cc: a@x.example", b"To: a@x.example"]),
        (
            [("n@x.example", TO, ""), ("o@x.example", TO, "")],
            ["o@x.example", "n@x.example"],
            [
                b"Resent-From: r@x.example",
                b"Resent-To: n@x.example",
                b"Received: x",
                b"Resent-To: o@x.example",
                b"To: o@x.example",
            ],
        ),
        (
            [("o@x.example", BCC, "")],
            ["o@x.example"],
            [b"Resent-To: n@x.example", b"Resent-From: r@x.example", b"Resent-To: o@x.example"],
        ),
        ([], [], [b"To: a@x.example"]),
    ],
)
def test_roles_come_from_the_headers_and_recipients_from_the_envelope(expected, envelope, fields):
    assert expected == settled(envelope, *fields)


@pytest.mark.parametrize(
    ("expected", "first", "again"),
    [
        (set(), set(), set()),
        ({"NEVER"}, {"NEVER"}, {"NEVER"}),
        ({"FAILURE"}, {"NEVER"}, {"FAILURE"}),
        ({"SUCCESS", "FAILURE"}, {"SUCCESS"}, {"FAILURE"}),
        ({"FAILURE", "DELAY"}, set(), {"NEVER"}),
        ({"FAILURE", "DELAY", "SUCCESS"}, {"SUCCESS"}, set()),
    ],
)
def test_two_spellings_of_a_mailbox_get_every_report_that_either_asks_for(expected, first, again):
    envelope = Envelope(
        "",
        (
            EnvelopeRecipient("a@x.example", frozenset(first)),
            EnvelopeRecipient("a@X.example", frozenset(again), "rfc822;a@X.example"),
        ),
    )
    assert (Recipient("a@x.example", BCC, "", frozenset(expected), "rfc822;a@X.example"),) == settle_roles(
        envelope, content(b"")
    )


addresses = st.sampled_from(
    ["a@x.example", "A@x.example", "a@X.example", "b@x.example", "c@y.example", "d@bücher.example"]
)


@given(st.lists(addresses), st.lists(addresses), st.lists(addresses))
def test_everybody_in_the_envelope_gets_exactly_one_copy(envelope, to, cc):
    fields = [b"To: " + ", ".join(to).encode(), b"Cc: " + ", ".join(cc).encode()]
    found = settled(envelope, *fields)

    assert {mailbox_key(address) for address in envelope} == {mailbox_key(address) for address, _, _ in found}
    assert len(found) == len({mailbox_key(address) for address, _, _ in found})
    assert [role for _, role, _ in found] == sorted((role for _, role, _ in found), key=[TO, CC, BCC].index)
