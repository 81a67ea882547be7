"""An SMTP gateway in front of the Mensatek and Planisys DMDS email APIs."""

__version__ = "0.1.0"
