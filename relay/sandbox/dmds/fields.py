"""DMDS's JSON members, checked; refusals in the style of its one documented error text."""

import orjson

from relay.sandbox.document import JsonObject, JsonValue, has_control, is_address
from relay.sandbox.exchange import Answer


class RefusedError(Exception):
    """The call is refused: HTTP status, and the text of `on`."""

    def __init__(self, on: str, status: int = 400) -> None:
        super().__init__(on)
        self.on = on
        self.status = status


class Fields:
    """One JSON object of the call; names are case-sensitive, as in JSON."""

    def __init__(self, values: JsonObject, path: str = "") -> None:
        self._values = values
        self._path = path

    def named(self, name: str) -> str:
        """How a refusal names a member."""
        return f"{self._path}.{name}" if self._path else name

    def raw(self, name: str) -> JsonValue:
        """A member as it came."""
        return self._values.get(name)

    def text(self, name: str, *, required: bool = False) -> str:
        """A string; empty where it is absent."""
        value = self._values.get(name)
        if value is None or value == "":
            if required:
                raise RefusedError(f"missing {self.named(name)}")
            return ""
        if not isinstance(value, str):
            raise RefusedError(f"{self.named(name)} must be a string")
        return value

    def header(self, name: str, remarks: list[str]) -> str:
        """A string that goes into a header."""
        text = self.text(name)
        if has_control(text):
            remarks.append(f"line break or control character in {self.named(name)}")
        return text

    def address(self, name: str, *, required: bool = False) -> str:
        """A string that is one address; empty where it is absent."""
        text = self.text(name, required=required)
        if text and not is_address(text):
            raise RefusedError(f"invalid email {text[:254]!r}")  # doc: "invalid email ..."
        return text

    def number(self, name: str, *, least: int) -> int:
        """A JSON number; a string is none (doc: pagina and cantidad must be numeric)."""
        value = self._values.get(name)
        if value is None:
            raise RefusedError(f"missing {self.named(name)}")
        if isinstance(value, bool) or not isinstance(value, int):
            raise RefusedError(f"{self.named(name)} must be numeric")
        if value < least:
            raise RefusedError(f"{self.named(name)} must be at least {least}")
        return value

    def truth(self, name: str) -> bool:
        """A flag; the document also writes it as the string "true"."""
        value = self._values.get(name)
        if value in (None, False, "false"):
            return False
        if value in (True, "true"):
            return True
        raise RefusedError(f"{self.named(name)} must be true or false")

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; empty where it is absent."""
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            raise RefusedError(f"{self.named(name)} must be a list of strings")
        return tuple(each for each in value if isinstance(each, str))

    def members(self, name: str) -> dict[str, str]:
        """An object of strings or numbers, as strings; empty where it is absent."""
        value = self._values.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(each, str | int | float) for each in value.values()):
            raise RefusedError(f"{self.named(name)} must be an object of strings or numbers")
        return {key: str(each) for key, each in value.items()}

    def entry(self, name: str) -> "Fields":
        """An object that must be there."""
        value = self._values.get(name)
        if value is None:
            raise RefusedError(f"missing {self.named(name)}")
        if not isinstance(value, dict):
            raise RefusedError(f"{self.named(name)} must be an object")
        return Fields(value, self.named(name))

    def entries(self, name: str, *, required: bool = False) -> list["Fields"]:
        """A list of objects; empty where it is absent."""
        value = self._values.get(name)
        if value is None and not required:
            return []
        if value is None or value == []:
            if required:
                raise RefusedError(f"missing {self.named(name)}")
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise RefusedError(f"{self.named(name)} must be a list of objects")
        return [Fields(item, f"{self.named(name)}[{i}]") for i, item in enumerate(value) if isinstance(item, dict)]


def ok(**values: object) -> Answer:
    """Status ok with what else there is to say."""
    return Answer(200, orjson.dumps({"status": "ok", **values}), "application/json")


def err(refused: RefusedError, shape: str) -> Answer:
    """Status err; with HTTP 200 in the shape err200, as the vendor's own app expects (vendor), except for 403."""
    status = 200 if shape == "err200" and refused.status != 403 else refused.status  # noqa: PLR2004 - an HTTP status
    return Answer(status, orjson.dumps({"status": "err", "on": refused.on}), "application/json", error=refused.on)
