"""The commands. Each lives in its own module under `relay.commands`, and is loaded only when it is called.

Exit codes: 0 done; 1 something was found wrong; 2 the command line is wrong; 65 (EX_DATAERR) the mail would be
refused; 69 (EX_UNAVAILABLE) the store, or the API, cannot be had; 78 (EX_CONFIG) the configuration is wrong, or an
address in it cannot be had.
"""

from importlib import import_module

import click

from relay import __version__

#: Command -> what its help line says. The module is the name with underscores, and so is the function in it.
COMMANDS = {
    "serve": "Run the gateway.",
    "check": "Find the mistakes in configuration, certificates, addresses and store.",
    "explain": "Show what would be sent for a mail; sends nothing.",
    "queue": "See what waits, and act on it.",
    "sandbox": "Run both vendors' APIs on this machine, for tests.",
    "hash-password": "Make the hash that a login in the configuration needs.",
    "dmds": "Ask DMDS: contacts, campaigns and keys, sends, events, archives.",
    "mensatek": "Send through Mensatek by hand, templates included; ask for the credit.",
    "demo": "See it work: gateway and sandbox on loopback ports.",
}


class _Commands(click.Group):
    """Loading all that any command needs would take longer than most commands run."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        function = name.replace("-", "_")
        command: click.Command = getattr(import_module(f"relay.commands.{function}"), function)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(context)])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="relay")
def main() -> None:
    """Take mail by SMTP and send it through the Mensatek or Planisys DMDS API."""
