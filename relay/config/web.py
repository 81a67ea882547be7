"""The pages for people, and who may look and act there."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr

from relay.config.section import Name, Section
from relay.config.units import HostPort, Seconds

#: read: look at everything but secrets. act: also retry, hold, release, drop, pause, resume and send a test mail.
Role = Literal["read", "act"]
Language = Literal["en", "es"]


def nothing(value: object) -> object:
    """Take an empty text for no value."""
    return None if value == "" else value


class WebUser(Section):
    """A person who may log in to the pages."""

    password_hash: SecretStr = Field(description="Made by `relay hash-password`.")
    role: Role = Field("read", description="read: look. act: also retry, hold, drop, pause and the like.")


class WebToken(Section):
    """A program that may use the HTTP API."""

    token: SecretStr = Field(
        description="What it sends as `Authorization: Bearer …`; at least 20 characters. Better from a file."
    )
    role: Role = Field("read", description="read: look. act: also retry, hold, drop, pause and the like.")


class WebSettings(Section):
    """Looking at the gateway by HTTP: /livez, /readyz and /metrics for machines, and pages for people."""

    address: Annotated[HostPort | None, BeforeValidator(nothing)] = Field(
        HostPort("127.0.0.1", 8080),
        description='Where to listen; "" for none. /livez, /readyz and /metrics need no login and show no mail.',
    )
    user: dict[Name, WebUser] = Field(
        default_factory=dict,
        description="Who may log in to the pages, each in a table [web.user.NAME]. None: there are no pages.",
    )
    token: dict[Name, WebToken] = Field(
        default_factory=dict,
        description="Programs that may use the HTTP API, each in a table [web.token.NAME].",
    )
    session: Seconds = Field(8 * 3600.0, gt=0, description="How long a login to the pages lasts without being used.")
    https: bool = Field(
        default=False,
        description="The pages are reached by HTTPS only, through a proxy: keeps sessions off plain HTTP.",
    )
    language: Language = Field("en", description="Of the pages, for browsers that ask for none of theirs: en or es.")
