"""`relay hash-password`: make the hash that a login in the configuration needs."""

import sys

import click

from relay.accounts import hash_password as hash_of


@click.command(name="hash-password")
def hash_password() -> None:
    """Read a password, from a prompt or from standard input, and print its hash for [login.NAME] password_hash."""
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("the password is empty")
    click.echo(hash_of(password))
