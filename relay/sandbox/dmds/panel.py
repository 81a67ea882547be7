"""What a customer otherwise makes in the web panel: groups, filters, global variables."""


class Panel:
    """Groups, filters and variables of each customer."""

    def __init__(self, filters: tuple[str, ...]) -> None:
        self.filters = filters  # the API only lists them (doc)
        self._groups: dict[str, dict[str, int]] = {}
        self._variables: dict[str, dict[str, str]] = {}

    def groups(self, dmdsid: str) -> dict[str, int]:
        """A customer's groups: name and number."""
        return self._groups.get(dmdsid, {})

    def group(self, dmdsid: str, name: str) -> int:
        """The number of a group, which is made where there is none of this name."""
        groups = self._groups.setdefault(dmdsid, {})
        return groups.setdefault(name, len(groups) + 1)

    def variables(self, dmdsid: str) -> dict[str, str]:
        """A customer's global variables: name and value; may be changed."""
        return self._variables.setdefault(dmdsid, {})
