"""The gateway shown on itself: sample mails, sent for real, through both APIs of the sandbox."""

from relay.demo.story import Demo

__all__ = ["Demo"]
