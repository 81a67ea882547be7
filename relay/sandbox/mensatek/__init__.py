"""Mensatek's email API 7.0, as far as an outsider can know it."""
