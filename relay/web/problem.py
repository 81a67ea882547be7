"""Refusals for programs (RFC 9457)."""

from collections.abc import Mapping

from aiohttp import web

KIND = "application/problem+json"


def problem(status: int, reason: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with a status and a reason for a person."""
    return web.json_response({"status": status, "title": reason}, status=status, content_type=KIND, headers=headers)
