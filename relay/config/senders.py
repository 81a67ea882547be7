"""The patterns of `senders`: who an account may send as."""

from dataclasses import dataclass

from relay.message import domain_key

_ANY = "*"


@dataclass(frozen=True, slots=True)
class SenderPattern:
    """One address, all of a domain, or all of the domains below one."""

    local: str  # "*": any
    domain: str  # as `domain_key` makes it; without the "*." of a pattern for domains below
    below: bool  # the domains below `domain`, and not itself

    @classmethod
    def parse(cls, text: str) -> "SenderPattern":
        """Read "a@example.org", "*@example.org" or "*@*.example.org".

        Raises:
            ValueError: it is none of them.
        """
        local, at, domain = text.strip().rpartition("@")
        below = domain.startswith("*.")
        bare = domain.removeprefix("*.")
        odd = not text.isprintable() or any(letter in bare + local for letter in ' <>,;"')
        starred = _ANY in bare or (_ANY in local and local != _ANY)
        if not (at and local and bare.strip(".")) or odd or starred or "@" in local or ".." in bare:
            raise ValueError('a sender is "a@example.org", "*@example.org" or "*@*.example.org"')
        return cls(local, domain_key(bare), below)

    def matches(self, address: str) -> bool:
        """Tell whether an address is meant. Local parts are compared as written (RFC 5321 section 2.4)."""
        local, _, domain = address.rpartition("@")
        key = domain_key(domain)
        fits = key.endswith(f".{self.domain}") if self.below else key == self.domain
        return fits and bool(local) and self.local in {_ANY, local}
