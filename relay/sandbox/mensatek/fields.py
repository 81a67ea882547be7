"""Mensatek's parameters: names without regard to case, checked the way its logged refusals are worded."""

import re
from collections.abc import Iterable

from relay.sandbox.document import JsonObject, JsonValue, has_control, is_address
from relay.sandbox.mensatek.wire import Res

_INTEGER = re.compile(r"-?\d{1,18}")


class RefusedError(Exception):
    """The call is refused with this Res and Error."""

    def __init__(self, res: int, error: str = "") -> None:
        super().__init__(error)
        self.res = res
        self.error = error


class Fields:
    """One JSON object of the call; `path` is how its members are named in refusals, for example ADJUNTOS[0]."""

    def __init__(self, values: JsonObject, path: str = "") -> None:
        self._values = {key.casefold(): value for key, value in values.items()}
        self._path = path

    def named(self, name: str) -> str:
        """How a refusal names a member."""
        return f"{self._path}[{name.upper()}]" if self._path else name.upper()

    def text(self, name: str, *, required: bool = False) -> str:
        """A string; empty where it is absent."""
        value = self._values.get(name.casefold())
        if value is None or value == "":
            return self._absent(name, "STRING", required=required)
        if not isinstance(value, str):
            raise RefusedError(Res.DATA, f"{self.named(name)} should be of type STRING")
        return value

    def address(self, name: str, *, required: bool = False) -> str:
        """A string that is one mail address; empty where it is absent."""
        text = self.text(name, required=required)
        if text and not is_address(text):
            raise RefusedError(Res.DATA, f"{self.named(name)} should be a valid email")
        return text

    def number(self, name: str) -> int | None:
        """An integer, also written as a string, as in the document's sample; None where it is absent."""
        value = self._values.get(name.casefold())
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not _INTEGER.fullmatch(str(value)):
            raise RefusedError(Res.DATA, f"{self.named(name)} should be of type INTEGER")
        return int(str(value))

    def entries(self, name: str, *, required: bool = False) -> list["Fields"]:
        """An array of objects; null members are left out, as they stand in the document's own sample."""
        value = self._values.get(name.casefold())
        if value is not None and value != "" and not isinstance(value, list):
            raise RefusedError(Res.DATA, f"{self.named(name)} should be of type ARRAY")
        items = value if isinstance(value, list) else []
        entries = [self._entry(name, index, item) for index, item in enumerate(items) if item is not None]
        if not entries:
            self._absent(name, "ARRAY", required=required)
        return entries

    def raw(self, name: str) -> JsonValue:
        """A member as it came."""
        return self._values.get(name.casefold())

    def limited(self, name: str, longest: int) -> None:
        """Refuse a string beyond a length; a name of exactly 20 passed "lower than 20" (wire). 0: no limit."""
        if longest and len(self.text(name)) > longest:
            raise RefusedError(Res.DATA, f"{self.named(name)} should have a length lower than {longest}")

    def controls(self, names: Iterable[str]) -> list[str]:
        """Those of the named strings that would break a header."""
        texts = ((name, self._values.get(name.casefold())) for name in names)
        return [name for name, text in texts if isinstance(text, str) and has_control(text)]

    def _absent(self, name: str, kind: str, *, required: bool) -> str:
        if required:
            raise RefusedError(Res.DATA, f"You might include parameter {self.named(name)} ({kind} type)")
        return ""

    def _entry(self, name: str, index: int, item: JsonValue) -> "Fields":
        path = f"{self.named(name)}[{index}]"
        if not isinstance(item, dict):
            raise RefusedError(Res.DATA, f"{path} should be of type ARRAY")
        return Fields(item, path)
