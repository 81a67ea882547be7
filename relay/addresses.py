"""Whether an address is one that mail can be sent to: one rule for envelopes and for what headers name. Pure."""

import re
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f]")

# What nearly every address looks like. Whatever matches is valid for email-validator too (a property test holds us to
# it); asking it takes 50 times as long. "--" is left to it because of A-labels.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ORDINARY = re.compile(rf"(?!.*--){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}", re.ASCII)
_ORDINARY_MAX = 254  # RFC 3696 erratum 1690: a path of 256 with its brackets


@lru_cache(maxsize=4096)
def address_fault(address: str, *, deliverable: bool) -> str:
    """Say in a few words of ASCII what is wrong with an address; empty: nothing.

    `deliverable`: the domain must be one that mail can be sent to, so it needs a dot and no bare IP address. Names
    for special use (.test, .local) pass.
    """
    if len(address) <= _ORDINARY_MAX and _ORDINARY.fullmatch(address):
        return ""
    if _FORBIDDEN.search(address):
        return "control characters"
    local, at, domain = address.rpartition("@")
    if not at:
        return "no domain"
    if domain.startswith("["):
        return "address literals are not supported"
    try:
        validate_email(
            f"{local}@{_without_special_use(domain)}",
            check_deliverability=False,
            allow_quoted_local=True,
            globally_deliverable=deliverable,
        )
    except EmailNotValidError:
        return "not a valid address"  # its own words quote the address, which may not be ASCII
    return ""


def _without_special_use(domain: str) -> str:
    # email-validator refuses .test, .local and the like (RFC 6761), but networks of one's own use them. It has no
    # option for it, so that it is shown an ordinary last label instead.
    head, dot, last = domain.rpartition(".")
    return f"{head}{dot}org" if last.lower() in SPECIAL_USE_DOMAIN_NAMES else domain
