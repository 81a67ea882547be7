"""Fixtures that run the real gateway as a process, with the sandbox behind it."""
