"""Which campaign a mail goes through: the header's, the subject's, or the login's."""

import re
from dataclasses import dataclass

from relay.errors import MailRefused
from relay.mime.content import Content
from relay.outcome import Replies
from relay.providers.contract import Brief, DmdsCredentials

#: The vendor's convention (vendor): the number in brackets as the first characters, removed before delivery.
_IN_SUBJECT = re.compile(r"\[([1-9]\d{0,8})\]\s*")
_HEADER = "x-relay-campaign"


@dataclass(frozen=True, slots=True)
class Campaign:
    """The campaign's short number, and the subject that is left."""

    number: int
    subject: str
    was_in_subject: bool = False


def choose_campaign(content: Content, brief: Brief, credentials: DmdsCredentials) -> Campaign:
    """Take X-Relay-Campaign, else `[22]` at the begin of the subject, else the account's default, else the login's.

    A number in the subject that the account may not choose is ordinary text, like `[2024] report`.

    Raises:
        MailRefused: The header asks for a campaign that the account may not choose.
    """
    policy, wanted = brief.policy, brief.powers.campaign
    allowed = {*policy.campaigns, credentials.campaign}
    has_header = any(name == _HEADER for name, _ in content.powers)
    if not has_header and policy.subject_campaign and (found := _IN_SUBJECT.match(content.subject)):
        number = int(found[1])
        if not policy.campaigns or number in allowed:
            return Campaign(number, content.subject[found.end() :], was_in_subject=True)
    if wanted is None:
        return Campaign(credentials.campaign, content.subject)
    if policy.campaigns and wanted not in allowed:
        raise MailRefused(
            Replies.BAD_POWER.saying(f"X-Relay-Campaign: this account may not send through campaign {wanted}")
        )
    return Campaign(wanted, content.subject)
