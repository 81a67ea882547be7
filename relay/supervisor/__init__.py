"""Several processes that serve the same listeners from the same store, and the one that watches over them."""

from relay.supervisor.supervisor import supervise

__all__ = ["supervise"]
