"""The HTTP API under /api/v1: what the pages show and do, for programs."""

from relay.web.api.api import Api

__all__ = ["Api"]
