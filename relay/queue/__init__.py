"""Durable keeping: the contract and its stores."""
