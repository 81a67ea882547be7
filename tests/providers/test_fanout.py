"""Who stands where in DMDS calls: promises 3 and 4, for any envelope."""

from hypothesis import given
from hypothesis import strategies as st
from provider_cases import people

from relay.message import Role
from relay.providers.dmds.fanout import Group, fan_out

_COUNTS = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 8))


def _names(groups):
    return [
        tuple([each.address.partition("@")[0] for each in part] for part in (g.contacts, g.copies, g.blind_copies))
        for g in groups
    ]


def test_one_of_each_makes_one_call_with_one_contact():
    assert [(["to1"], ["to2", "cc1"], ["bcc1"])] == _names(fan_out(people(2, 1, 1), 100, individual=False))


def test_without_to_the_first_cc_is_the_contact():
    assert [(["cc1"], ["cc2"], ["bcc1"])] == _names(fan_out(people(0, 2, 1), 100, individual=False))


def test_only_bcc_are_contacts_without_copies():
    assert [(["bcc1", "bcc2", "bcc3"], [], [])] == _names(fan_out(people(bcc=3), 100, individual=False))


def test_individual_recipients_are_all_contacts():
    assert [(["to1", "to2", "cc1", "bcc1"], [], [])] == _names(fan_out(people(2, 1, 1), 100, individual=True))


def test_beyond_the_limit_visible_copies_stay_in_the_first_call():
    assert [
        (["to1"], ["to2", "cc1"], []),
        (["cc2", "bcc1", "bcc2"], [], []),
    ] == _names(fan_out(people(2, 2, 2), 3, individual=False))


def test_room_that_is_left_in_the_first_call_is_for_bcc():
    assert [(["to1"], ["cc1"], ["bcc1"]), (["bcc2"], [], [])] == _names(fan_out(people(1, 1, 2), 3, individual=False))


def test_a_limit_of_one_makes_calls_of_single_contacts():
    assert [(["to1"], [], []), (["cc1"], [], []), (["bcc1"], [], [])] == _names(
        fan_out(people(1, 1, 1), 1, individual=False)
    )


def test_nobody_makes_no_call():
    assert () == fan_out((), 5, individual=False)


@given(_COUNTS, st.integers(1, 10), st.booleans(), st.randoms())
def test_everybody_stands_exactly_once_and_bcc_is_blind(counts, limit, individual, rng):
    recipients = list(people(*counts))
    rng.shuffle(recipients)
    groups = fan_out(recipients, limit, individual=individual)
    placed = [each for group in groups for each in group.recipients]
    assert sorted(recipients, key=lambda each: each.address) == sorted(placed, key=lambda each: each.address)
    for number, group in enumerate(groups):
        _check_group(group, limit, is_first=number == 0, individual=individual)


def _check_group(group: Group, limit: int, *, is_first: bool, individual: bool) -> None:
    assert 1 <= len(group.recipients) <= limit
    assert all(each.role is Role.BCC for each in group.blind_copies)
    assert not any(each.role is Role.BCC for each in group.copies)
    if group.copies or group.blind_copies:
        assert is_first
        assert not individual
        assert len(group.contacts) == 1
        assert group.contacts[0].role is not Role.BCC
