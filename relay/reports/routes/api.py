"""Reports as mail of the gateway's own, through the email API, from the null sender."""

from relay.accounts.account import Account, Gatekeeper
from relay.errors import MailRefused, QueueError
from relay.intake import Intake
from relay.message import Clock, Envelope, EnvelopeRecipient, Message
from relay.preparation import Preparation
from relay.queue.contract import QueueView
from relay.queue.reporting import Report
from relay.reports.contract import RouteTrouble


class ApiRoute:
    """Puts each report into the queue, once: the message's id is the report's."""

    def __init__(
        self,
        account: str,
        *,
        gatekeeper: Gatekeeper,
        preparation: Preparation,
        intake: Intake,
        view: QueueView,
        clock: Clock,
    ) -> None:
        """`account`: which one sends; empty: that of the message. `intake`: one that keeps what it takes."""
        self._account = account
        self._gatekeeper = gatekeeper
        self._preparation = preparation
        self._intake = intake
        self._view = view
        self._clock = clock

    async def send(self, report: Report) -> None:
        """Keep the report as a message; from there on it is tried like any other, and nobody is told if it fails."""
        name = self._account or report.account
        try:
            if await self._view.entries(report.id) is not None:
                return
            account = await self._gatekeeper.resolve(name)
        except QueueError as error:
            raise RouteTrouble(str(error)) from error
        if account is None:
            raise RouteTrouble(f"api: the account {name} is not configured, or its credential is lost")
        try:
            prepared = await self._preparation.prepare(self._message(report, account), account)
        except MailRefused as refusal:
            raise RouteTrouble(f"api: {refusal.reply}", is_permanent=True) from refusal
        taken = await self._intake.accept(prepared, lambda: True)
        if not taken.reply.is_success:
            raise RouteTrouble(f"api: {taken.reply}")

    def _message(self, report: Report, account: Account) -> Message:
        recipients = (EnvelopeRecipient(report.sender, frozenset({"NEVER"})),)
        return Message(report.id, account.name, Envelope("", recipients), report.data, self._clock(), "report")
