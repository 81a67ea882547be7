"""The functions of Mensatek that are spoken."""

from relay.providers.methods import Method

METHODS = (
    Method("send mail, every parameter", "send", "send", "mensatek send"),
    Method("what credit is left", "credits", "credits", "mensatek credits"),
)
