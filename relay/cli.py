"""The commands. Each lives in its own module under `relay.commands`; this is their list.

Exit codes: 0 done; 1 something was found wrong; 2 the command line is wrong; 65 (EX_DATAERR) the mail would be
refused; 69 (EX_UNAVAILABLE) an address or store cannot be had; 78 (EX_CONFIG) the configuration is wrong.
"""

import click

from relay import __version__
from relay.commands.check import check
from relay.commands.demo import demo
from relay.commands.explain import explain
from relay.commands.hash_password import hash_password
from relay.commands.sandbox import sandbox
from relay.commands.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="relay")
def main() -> None:
    """Take mail by SMTP and send it through the Mensatek or Planisys DMDS API."""


for command in (serve, check, explain, sandbox, hash_password, demo):
    main.add_command(command)
