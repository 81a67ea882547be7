"""Mensatek `EnviarEMAIL`."""
