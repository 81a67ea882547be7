"""Planisys DMDS `send_many_inline`."""
