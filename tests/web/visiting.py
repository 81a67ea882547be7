"""People and programs that look at the pages, without a browser."""

import http.client
import urllib.parse
from collections.abc import Mapping

from running import Gateway

from relay.accounts import hash_password

#: What each of them types; ana may act, leo may look.
PASSWORDS = {"ana": "ana and seven lemons", "leo": "leo under the bridge"}
TOKENS = {"robot": "token-of-the-robot-0123456789", "watcher": "token-of-the-watcher-0123456789"}


def web_config() -> str:
    """The tables for the pages."""
    people = "".join(
        f'[web.user.{name}]\npassword_hash = "{hash_password(password)}"\nrole = "{role}"\n'
        for (name, password), role in zip(PASSWORDS.items(), ("act", "read"), strict=True)
    )
    programs = "".join(
        f'[web.token.{name}]\ntoken = "{token}"\nrole = "{role}"\n'
        for (name, token), role in zip(TOKENS.items(), ("act", "read"), strict=True)
    )
    return f'[listener.local]\naddress = "127.0.0.1:0"\n{people}{programs}'


Form = Mapping[str, str] | list[tuple[str, str]] | str


class Visit:
    """One browser's cookies, without the browser."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.cookie = ""
        self.headers: Mapping[str, str] = {}

    def ask(
        self, method: str, path: str, form: Form | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Ask with a form, or with JSON as text; returns status and body. Cookies are kept for the next time."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.gateway.web_url).netloc, timeout=20)
        sent = {"Cookie": self.cookie} if self.cookie else {}
        body = None
        if form is not None:
            is_json = isinstance(form, str)
            sent["Content-Type"] = "application/json" if is_json else "application/x-www-form-urlencoded"
            body = form if is_json else urllib.parse.urlencode(form)
        try:
            connection.request(method, path, body, {**sent, **(headers or {})})
            answer = connection.getresponse()
            self.headers = {name.lower(): value for name, value in answer.getheaders()}
            if "set-cookie" in self.headers:
                self.cookie = self.headers["set-cookie"].partition(";")[0]
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def log_in(self, name: str, password: str = "") -> int:
        """Log in; returns the status."""
        return self.ask("POST", "/login", {"name": name, "password": password or PASSWORDS[name], "next": "/"})[0]

    def csrf(self, page: str = "/") -> str:
        """Return what the forms of the session bring along."""
        return self.ask("GET", page)[1].partition('name="csrf" value="')[2].partition('"')[0]
