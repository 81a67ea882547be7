"""Every documented method of both APIs: what it is called on the wire, in the client, and on the command line."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Method:
    """One method. Verb, path and mark stand in the wire table under `call`."""

    about: str
    call: str  # key of the wire table
    client: str  # method of the client: "contacts.show"
    command: str  # below `relay`: "dmds contacts show"

    @property
    def test(self) -> str:
        """The name of the test that proves it: that of the client's method."""
        return f"test_{self.client.replace('.', '_')}"
