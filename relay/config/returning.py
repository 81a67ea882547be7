"""Checks of the ways that reports to senders take."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from relay.config.finding import SENDERS, Finding, is_loopback, is_mailbox, readable
from relay.config.reports import ReportSettings, WebhookRouteSettings
from relay.config.settings import AccountPolicy, Settings
from relay.config.shape import KeyPath

#: 24 to 64 bytes (Standard Webhooks, "Signature scheme").
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,88}={0,2}")


def return_routes(settings: Settings) -> Iterator[Finding]:
    """Tell what is wrong with the ways that reports to senders take."""
    yield from _reports(("defaults", "reports"), settings.defaults.reports)
    policies: dict[KeyPath, AccountPolicy] = {
        ("passthrough", "mensatek", "policy"): settings.passthrough.mensatek.policy,
        ("passthrough", "dmds", "policy"): settings.passthrough.dmds.policy,
        **{("account", name): account for name, account in settings.account.items()},
    }
    for path, policy in policies.items():
        if policy.reports != settings.defaults.reports:  # what is the same is told once
            yield from _reports((*path, "reports"), policy.reports)


def _reports(path: KeyPath, reports: ReportSettings) -> Iterator[Finding]:
    if reports.postmaster and not is_mailbox(reports.postmaster):
        yield Finding((*path, "postmaster"), "is not one sender", SENDERS, reports.postmaster)
    if reports.chosen_route == "api" and not reports.postmaster:
        yield Finding((*path, "postmaster"), 'is missing: route = "api" needs whom reports come from', SENDERS)
    if reports.chosen_route == "smtp" and reports.smtp.address is None:
        right = 'host and port of the mail server, like "mail.example.org:25"'
        yield Finding((*path, "smtp", "address"), 'is missing: route = "smtp" needs it', right)
    if reports.chosen_route == "webhook":
        yield from _webhook((*path, "webhook"), reports.webhook)
    yield from readable((*path, "smtp", "ca_file"), reports.smtp.ca_file)
    yield from readable((*path, "webhook", "ca_file"), reports.webhook.ca_file)


def _webhook(path: KeyPath, webhook: WebhookRouteSettings) -> Iterator[Finding]:
    parts = urlsplit(webhook.url)
    is_here = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not parts.hostname or not (parts.scheme == "https" or is_here):
        right = 'one like "https://erp.example.org/reports"; http only to this machine itself'
        yield Finding((*path, "url"), "is not an address that reports may be posted to", right, webhook.url)
    secret = webhook.secret.get_secret_value()
    if not _WEBHOOK_SECRET.fullmatch(secret):
        right = '"whsec_" and 24 to 64 random bytes as base64, as `openssl rand -base64 32` makes them'
        yield Finding((*path, "secret"), "is not a key for signing", right, "" if secret else None)
