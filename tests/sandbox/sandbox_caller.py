"""Calls the sandbox as a stranger would: over HTTP, with what the documents say."""

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from relay.sandbox import Sandbox, SandboxOptions, World


@dataclass
class Caller:
    """A running sandbox and somebody who calls it."""

    sandbox: Sandbox
    session: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def world(self) -> World:
        return self.sandbox.world

    async def request(self, method: str, url: str, **more: Any) -> tuple[int, bytes, Any]:
        async with self.session.request(method, url, allow_redirects=False, **more) as answer:
            return answer.status, await answer.read(), answer.headers

    async def mensatek(
        self, document: Any, *, function: str = "EnviarEMAIL", login: str = "demo-user:demo-token"
    ) -> Any:
        """POST a JSON document; returns the answer's first object where it is JSON, otherwise its text."""
        headers = basic(login)
        status, body, _ = await self.request(
            "POST", f"{self.sandbox.mensatek_url}/{function}", json=document, headers=headers
        )
        assert status == 200
        return readable(body)

    async def dmds(
        self, path: str, document: Any = None, *, method: str = "POST", key: str = "demo-apikey"
    ) -> tuple[int, Any]:
        """Call a path below v1 of the customer demo; returns status and answer."""
        more = {} if document is None else {"json": document}
        url = f"{self.sandbox.dmds_url.format(dmdsid='demo')}/{path}"
        status, body, _ = await self.request(method, url, headers={"Authorization": key}, **more)
        return status, readable(body)

    async def control(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        more = {} if document is None else {"json": document}
        status, body, _ = await self.request(method, f"{self.sandbox.url}/{path}", **more)
        return status, readable(body)

    async def fault(self, **fault: Any) -> None:
        status, answer = await self.control("POST", "sandbox/faults", fault)
        assert status == 201, answer


def basic(login: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}


def readable(body: bytes) -> Any:
    try:
        value = json.loads(body)
    except ValueError:
        return body.decode()
    return (
        value[0]
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and "Res" in value[0]
        else value
    )


@contextlib.asynccontextmanager
async def calling(**options: Any) -> AsyncIterator[Caller]:
    async with Sandbox(SandboxOptions(port=0, **options)) as sandbox, aiohttp.ClientSession() as session:
        yield Caller(sandbox, session)


def email(*addresses: str, **more: Any) -> dict[str, Any]:
    """An EnviarEMAIL document with everything that is required."""
    return {
        "Emailremitente": "sender@example.org",
        "Destinatarios": [{"Email": address} for address in addresses or ("ana@example.net",)],
        "Asunto": "Hello",
        "Mensaje": "<p>Hi</p>",
        "Resp": "JSON",
        **more,
    }


def send(*addresses: str, **more: Any) -> dict[str, Any]:
    """A send_many_inline document with everything that is required."""
    return {
        "campana_id": 12345,
        "email": True,
        "contactos": [{"email": address} for address in addresses or ("ana@example.net",)],
        "html": "<p>Hi</p>",
        **more,
    }


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}
