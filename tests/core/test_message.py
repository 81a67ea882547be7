"""Ids and the identity of mailboxes."""

import pytest

from relay.message import mailbox_key, new_message_id


def test_ids_sort_by_time_and_do_not_repeat():
    early = [new_message_id(lambda: 1_000.0) for _ in range(1000)]
    late = [new_message_id(lambda: 1_000.001) for _ in range(1000)]
    assert max(early) < min(late)
    assert len({*early, *late}) == 2000
    assert {len(made) for made in early} == {26}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ana@example.org", "ana@EXAMPLE.org", True),
        ("ana@example.org", "ana@example.org.", True),
        ("ana@bücher.example", "ana@xn--bcher-kva.example", True),
        ("ana@BÜCHER.example", "ana@bücher.example", True),
        ("Ana@example.org", "ana@example.org", False),  # only its own host may say so
        ("ana@example.org", "ana@example.com", False),
        ('"a@b"@example.org', '"a@b"@EXAMPLE.ORG', True),
        ("ana@a..b_ü", "ana@a..b_ü", True),  # what is no domain still has an identity
    ],
)
def test_spellings_of_one_mailbox_are_one(one, other, same):
    assert same == (mailbox_key(one) == mailbox_key(other))
