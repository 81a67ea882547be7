"""All mails of the sandbox: the newest are kept, all are counted."""

import hashlib
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import replace

from relay.sandbox.document import mailbox_key
from relay.sandbox.mail import Fate, Mail


class Shelf:
    """Says whose content must go so that no more than so many, and so many bytes, are kept; the newest always stays."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._held: deque[tuple[int, int]] = deque()

    def add(self, key: int, size: int) -> Iterator[int]:
        """Take one more; yields the keys of those whose content must go."""
        self._held.append((key, size))
        self._bytes += size
        while len(self._held) > 1 and (len(self._held) > self._most or self._bytes > self._most_bytes):
            oldest, oldest_size = self._held.popleft()
            self._bytes -= oldest_size
            yield oldest


class Copies:
    """Counts mails that a mailbox got more than once. Holds eight bytes of digest for each, so that it stays exact."""

    def __init__(self) -> None:
        self.copies = 0  # mails beyond the first
        self.mailboxes: set[str] = set()  # who got such
        self._seen: set[int] = set()

    def add(self, mailbox: str, *identity: str) -> None:
        """Count one mail by what makes it the same as another."""
        text = "\0".join((mailbox, *identity))
        digest = int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())
        if digest in self._seen:
            self.copies += 1
            self.mailboxes.add(mailbox)
        self._seen.add(digest)


class Mailroom:
    """Every mail that the two APIs sent."""

    def __init__(self, *, keep_bodies: int, keep_body_bytes: int, keep_mails: int) -> None:
        self._mails: OrderedDict[int, Mail] = OrderedDict()
        self._shelf = Shelf(keep_bodies, keep_body_bytes)
        self._keep_mails = keep_mails
        self._boxes: dict[str, deque[int]] = {}  # ids of the listed mails of each mailbox, oldest first
        self._mailboxes: set[str] = set()  # also those whose mails are forgotten
        self._exact, self._by_reference, self._by_content = Copies(), Copies(), Copies()
        self.count = 0  # of all mails ever, also those forgotten
        self.bounced = 0

    def put(self, mail: Mail, fate: Fate, moment: float) -> Mail:
        """Keep a mail under the next id; mails that the API never sent must not come here."""
        self.count += 1
        mail = replace(mail, id=self.count, fate=fate, time=moment)
        self._mails[mail.id] = mail
        key = mailbox_key(mail.mailbox)
        self._mailboxes.add(key)
        self._boxes.setdefault(key, deque()).append(mail.id)
        self.bounced += mail.fate is not Fate.DELIVERED
        self._compare(key, mail)
        for old in self._shelf.add(mail.id, len(mail.html or "")):
            if old in self._mails:
                self._mails[old] = replace(self._mails[old], html=None)
        while len(self._mails) > max(self._keep_mails, 1):
            self._forget_oldest()
        return mail

    def all(self) -> tuple[Mail, ...]:
        """The mails that are still listed, oldest first."""
        return tuple(self._mails.values())

    def get(self, mail_id: int) -> Mail | None:
        """One mail, if it is still listed."""
        return self._mails.get(mail_id)

    def of(self, address: str) -> tuple[Mail, ...]:
        """What one mailbox got, in any spelling of its address."""
        return tuple(self._mails[mail_id] for mail_id in self._boxes.get(mailbox_key(address), ()))

    def boxes(self) -> dict[str, int]:
        """How many listed mails each mailbox has."""
        return {key: len(ids) for key, ids in self._boxes.items()}

    def counts(self) -> dict[str, object]:
        """How many mails and mailboxes, and how many got the same mail again."""
        return {
            "mails": self.count,
            "mailboxes": len(self._mailboxes),
            "bounced": self.bounced,
            "listed": len(self._mails),
            "duplicates": len(self._exact.mailboxes),
            "duplicate_mails": self._exact.copies,
            "duplicates_by_reference": len(self._by_reference.mailboxes),
            "duplicates_by_content": len(self._by_content.mailboxes),
        }

    def _forget_oldest(self) -> None:
        _, oldest = self._mails.popitem(last=False)
        key = mailbox_key(oldest.mailbox)
        ids = self._boxes[key]
        ids.popleft()
        if not ids:
            del self._boxes[key]

    def _compare(self, mailbox: str, mail: Mail) -> None:
        texts = (mail.subject, mail.html or "", *(file.name + file.sha256 for file in mail.attachments))
        content = hashlib.blake2b("\0".join(texts).encode("utf-8", "replace")).hexdigest()
        self._exact.add(mailbox, mail.reference, content)
        self._by_content.add(mailbox, content)
        if mail.reference:
            self._by_reference.add(mailbox, mail.reference)
