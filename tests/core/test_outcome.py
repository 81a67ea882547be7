"""Outcomes of all recipients said in one reply."""

import pytest

from relay.outcome import Accepted, Deferred, Refused, Replies, Reply, combined_reply

YES, NO, LATER = Accepted("1"), Refused("bad address", Replies.NO_SUCH_RECIPIENT), Deferred("slow")


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([YES], 250),
        ([YES, YES], 250),
        ([NO], 550),
        ([NO, NO], 550),
        ([LATER], 451),
        ([NO, LATER], 451),  # the client asks again for all; nobody has it yet
        ([YES, NO], 250),  # a refusal would make the client tell its user that nobody got it
        ([YES, LATER], 250),  # "try again" would send a second copy to those who have it
        ([NO, LATER, YES], 250),
        ([], 554),
    ],
)
def test_one_reply_for_all(outcomes, code):
    assert code == combined_reply(outcomes).code


def test_every_reply_has_a_status_that_agrees_with_its_code():
    """RFC 3463 section 2: the class of the status is the first digit of the code."""
    for name, reply in vars(Replies).items():
        if isinstance(reply, Reply) and reply.enhanced:
            assert str(reply.code)[0] == reply.enhanced[0], name
            assert reply.text.isascii(), name
            assert "\n" not in reply.text, name
