"""What the settings' models say of a place in the configuration: which keys it has and what it takes."""

import types
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BeforeValidator, SecretStr
from pydantic.fields import FieldInfo

from relay.config.section import Section
from relay.config.settings import PowerValue, Settings
from relay.config.units import Bytes, HostPort, seconds

#: Where something stands in the configuration: ("account", "erp", "token").
KeyPath = tuple[str, ...]

_PLAIN: dict[Any, str] = {
    Bytes: 'a size like "35MiB" or a number of bytes',
    HostPort: 'an address like "127.0.0.1:2525"',
    Path: "a path in quotes",
    SecretStr: 'a text in quotes, or "file:/path/to/it"',
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "a text in quotes",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The type of one place in the configuration."""

    annotation: Any  # without Annotated and without None
    metadata: tuple[Any, ...] = ()

    @property
    def section(self) -> type[Section] | None:
        """The model of a table with fixed keys; None: it is something else."""
        return self.annotation if isinstance(self.annotation, type) and issubclass(self.annotation, Section) else None

    @property
    def is_mapping(self) -> bool:
        """A table whose keys are names."""
        return get_origin(self.annotation) is dict

    @property
    def is_table(self) -> bool:
        """A table of either kind."""
        return self.section is not None or self.is_mapping

    @property
    def is_list(self) -> bool:
        """A list."""
        return get_origin(self.annotation) is tuple

    @property
    def is_secret(self) -> bool:
        """Its value is never shown."""
        return self.annotation is SecretStr

    @property
    def is_path(self) -> bool:
        """It names a file."""
        return self.annotation is Path

    @property
    def keys(self) -> Sequence[str]:
        """The keys of a table with fixed keys."""
        return tuple(self.section.model_fields) if self.section else ()

    def child(self, key: str) -> "Shape | None":
        """Return the shape of one key of a table, or of a list's items; None: there is no such key."""
        if self.section is not None:
            field = self.section.model_fields.get(key)
            return of_field(field) if field else None
        if self.is_mapping:
            return _shape(get_args(self.annotation)[1])
        return _shape(get_args(self.annotation)[0]) if self.is_list else None

    def expected(self) -> str:
        """Tell in words what the place takes."""
        if get_origin(self.annotation) is Literal:
            *others, last = (f'"{choice}"' for choice in get_args(self.annotation))
            return f"{', '.join(others)} or {last}"
        if any(isinstance(item, BeforeValidator) and item.func is seconds for item in self.metadata):
            return f'a duration like "30s", "5m", "2h" or "2d"{self._bounds()}'
        if self.is_table:
            return "a table"
        if self.is_list:
            item = self.child("")
            return f"a list in brackets, each {item.expected() if item else ''}"
        if self.annotation == PowerValue:
            return "a text in quotes, a whole number, true or false"
        return _PLAIN[self.annotation] + self._bounds()

    def _bounds(self) -> str:
        words: list[str] = []
        for item in self.metadata:
            match item:
                case Ge(ge=least):
                    words.append(f"of at least {least}")
                case Gt(gt=below):
                    words.append(f"above {below}")
                case Le(le=most):
                    words.append(f"of at most {most}")
        return f" {' and '.join(words)}" if words else ""


def of_field(field: FieldInfo) -> Shape:
    """Return the shape of a model's field."""
    inner = _shape(field.annotation)
    return Shape(inner.annotation, (*field.metadata, *inner.metadata))


def shape_at(path: KeyPath) -> Shape | None:
    """Return the shape of a place in the whole configuration; None: there is no such place."""
    shape: Shape | None = Shape(Settings)
    for key in path:
        shape = shape.child(key) if shape else None
    return shape


def _shape(annotation: Any) -> Shape:
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        return Shape(_shape(inner).annotation, tuple(metadata))
    if get_origin(annotation) in {Union, types.UnionType} and type(None) in get_args(annotation):
        return _shape(next(part for part in get_args(annotation) if part is not type(None)))
    return Shape(annotation)
