"""The operations of the HTTP API: one line each for the route, the role that it needs, and its description."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from relay import __version__
from relay.config.web import Role
from relay.web.api.shapes import described, taken
from relay.web.guard import Guard, Handler
from relay.web.problem import KIND

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a program can ask for."""

    name: str
    method: str
    path: str  # below PREFIX
    summary: str
    handler: Handler
    gives: Any  # a type; bytes: a mail
    role: Role = "read"
    query: Mapping[str, str] = field(default_factory=dict)  # name and what it is
    body: Any = None

    def route(self, guard: Guard) -> web.RouteDef:
        """Say where, behind the guard."""
        return web.route(self.method, PREFIX + self.path, guard.api(self.handler, self.role))

    def describe(self, schemas: dict[str, Any]) -> dict[str, Any]:
        """Return the operation object (OpenAPI 3.1); named schemas are put into `schemas`."""
        answers: dict[str, Any] = {"200": self._answer(schemas), **_REFUSALS}
        told: dict[str, Any] = {
            "operationId": self.name,
            "summary": self.summary,
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in _in_braces(self.path)
            ]
            + [
                {"name": name, "in": "query", "description": about, "schema": {"type": "string"}}
                for name, about in self.query.items()
            ],
            "responses": answers,
            "security": [{"token": []}],
        }
        if self.body is not None:
            told["requestBody"] = {"required": True, "content": {"application/json": {"schema": taken(self.body)}}}
        return told

    def _answer(self, schemas: dict[str, Any]) -> dict[str, Any]:
        if self.gives is bytes:
            return {"description": "The mail as it was received.", "content": {"message/rfc822": {}}}
        schema, named = described(self.gives)
        schemas.update(named)
        return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def document(operations: "list[Operation]") -> dict[str, Any]:
    """Return the OpenAPI document."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = operation.describe(schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "relay",
            "version": __version__,
            "description": "What the gateway keeps, and what can be done to it. Moments are ISO 8601, in UTC.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "[web.token.NAME]"}},
        },
    }


_REASON = {
    "type": "object",
    "required": ["status", "title"],
    "properties": {"status": {"type": "integer"}, "title": {"type": "string"}},
}
_REFUSALS = {
    code: {"description": about, "content": {KIND: {"schema": _REASON}}}
    for code, about in {
        "401": "No token, or one that nobody has.",
        "403": "The token may look, and not act.",
        "404": "There is no such thing.",
        "422": "Something in the request means nothing; the title says what would.",
        "503": "The store does not answer.",
    }.items()
}


def _in_braces(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]
