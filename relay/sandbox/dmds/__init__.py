"""Planisys' DMDS API 1.5, as far as an outsider can know it."""
