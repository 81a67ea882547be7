"""From a message to the calls it needs: read, settle roles, read powers, plan.

The same steps serve the moment of acceptance, each attempt, and `relay explain`, so that what was promised is what is
sent. Pure but for the thread that big messages are read in.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from relay.accounts.account import Account
from relay.config.settings import MimeSettings
from relay.errors import MailRefused
from relay.message import Message, Recipient
from relay.mime import read, settle_roles
from relay.mime.content import Content, Fidelity, Note
from relay.offloop import off_loop
from relay.outcome import Replies, Reply
from relay.powers import read_powers
from relay.providers.contract import Brief, Plan, Providers


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message that has been proven translatable."""

    message: Message
    account: Account
    content: Content
    recipients: tuple[Recipient, ...]  # everybody, roles settled, one entry for each mailbox
    plan: Plan
    notes: tuple[Note, ...]  # of reading and of translating


class Preparation:
    """Prepares messages for their account's API."""

    def __init__(self, providers: Providers, bounds: MimeSettings) -> None:
        self._providers = providers
        self._bounds = bounds

    async def prepare(self, message: Message, account: Account) -> Prepared:
        """Prepare a new message for all its recipients. Raises MailRefused when it can never be sent as it is."""
        return await off_loop(len(message.data), self.prepare_now, message, account)

    async def plan_for(
        self, message: Message, account: Account, recipients: Collection[Recipient], batch_id: str
    ) -> Plan:
        """Plan what is left of a kept message. Raises MailRefused when the rules have changed since."""
        return await off_loop(len(message.data), self._plan_for_now, message, account, tuple(recipients), batch_id)

    def prepare_now(self, message: Message, account: Account) -> Prepared:
        """Do what `prepare` does, at once."""
        content = read(message.data, self._bounds, open_tnef=account.policy.open_tnef)
        recipients = settle_roles(message.envelope, content)
        plan = self._plan(message, account, content, recipients, "")
        notes = _distinct(content.notes + plan.notes)
        if account.policy.strict:
            _refuse_losses(notes)
        return Prepared(message, account, content, recipients, plan, notes)

    def _plan_for_now(
        self, message: Message, account: Account, recipients: tuple[Recipient, ...], batch_id: str
    ) -> Plan:
        content = read(message.data, self._bounds, open_tnef=account.policy.open_tnef)
        return self._plan(message, account, content, recipients, batch_id)

    def _plan(
        self, message: Message, account: Account, content: Content, recipients: tuple[Recipient, ...], batch_id: str
    ) -> Plan:
        brief = Brief(
            message_id=message.id,
            mail_from=message.envelope.mail_from,
            recipients=recipients,
            powers=read_powers(content.powers, account.policy.powers),
            policy=account.policy,
            credentials=account.credentials,
            batch_id=batch_id,
        )
        return self._providers[account.provider].plan(content, brief)


def refuse_unsendable(
    prepared: Prepared, refuse_sender: Callable[[Account, str], Reply | None], bounds: MimeSettings
) -> None:
    """Refuse what was read well and must not be sent all the same. Raises MailRefused."""
    if prepared.content.received_count > bounds.max_received:
        raise MailRefused(Replies.LOOP)
    sender = prepared.content.sender
    if sender is not None and not prepared.account.policy.sender:
        refusal = refuse_sender(prepared.account, sender.email)
        if refusal is not None:
            raise MailRefused(refusal)


def _refuse_losses(notes: tuple[Note, ...]) -> None:
    lost = [note.text for note in notes if note.fidelity is Fidelity.LOST]
    if lost:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        raise MailRefused(Replies.CANNOT_CONVERT.saying(f"Refused, as this account asks: {lost[0]}{more}"))


def _distinct(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    return tuple(dict.fromkeys(notes))
