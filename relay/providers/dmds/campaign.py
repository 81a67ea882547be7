"""Which campaign a mail goes through: the header's, the subject's, or the login's; and whose fault a wrong one is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from relay.errors import MailRefused
from relay.message import Recipient
from relay.mime.content import Content
from relay.outcome import Blame, Deferred, Outcome, Refused, Replies
from relay.providers.complaint import bare_words
from relay.providers.contract import Brief, DmdsCredentials
from relay.providers.dmds.answers import DmdsAnswer
from relay.providers.http import Answer
from relay.providers.judge import is_success

#: The vendor's convention (vendor): the number in brackets as the first characters, removed before delivery.
_IN_SUBJECT = re.compile(r"\[([1-9]\d{0,8})\]\s*")
_HEADER = "x-relay-campaign"

_ABOUT_CAMPAIGN = re.compile(r"campa[nñ]|campaign", re.IGNORECASE)
# A campaign has a key of its own (doc): the login's key does not fit another.
_ABOUT_KEY = re.compile(r"api[\s_-]?key|autoriza|authori|forbidden|permi[st]|permission", re.IGNORECASE)
_ABOUT_NOW = re.compile(r"tempor|reintent|try again|timeout|tiempo|no disponible|unavailable", re.IGNORECASE)
_WRONG = re.compile(
    r"inv[aá]lid|not? v[aá]lid|incorrect|no existe|not exist|not found|no encontrad|unknown|desconocid", re.IGNORECASE
)


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


def blaming_the_mail(
    outcomes: Mapping[str, Outcome],
    answer: Answer,
    said: DmdsAnswer | None,
    recipients: Sequence[Recipient],
    number: object,
) -> dict[str, Outcome]:
    """Judge anew what was said of a call by campaign `number`, which is not the login's own.

    An ordinary subject such as `[1234] Ticket opened` must not pause the account for everybody: what may be the
    campaign's fault is this mail's alone. Refused only where the words are about the campaign and prove it.
    """
    words = bare_words(said.error, recipients) if said else ""
    is_about_it = bool(_ABOUT_CAMPAIGN.search(words))
    may_be_it = is_about_it or answer.status in {401, 403, 404} or bool(_ABOUT_KEY.search(words))
    is_data_fault = answer.status in {400, 422} or (is_success(answer.status) and bool(_WRONG.search(words)))
    is_proven = is_about_it and is_data_fault and not _ABOUT_NOW.search(words)
    judged: dict[str, Outcome] = {}
    for key, outcome in outcomes.items():
        match outcome:
            case Deferred(blame=Blame.ACCOUNT) if may_be_it:
                reason = f"{outcome.reason}; the mail chose campaign {number}"
                if is_proven and not outcome.maybe_accepted:
                    reply = Replies.BAD_POWER.saying(
                        f"The email provider does not take campaign {number} for this account"
                    )
                    judged[key] = Refused(reason, reply)
                else:
                    judged[key] = replace(outcome, reason=reason, blame=Blame.MESSAGE)
            case _:
                judged[key] = outcome
    return judged
