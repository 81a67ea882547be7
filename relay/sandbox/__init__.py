"""Both vendors' APIs in one local process. Knows nothing of the gateway but the wire."""
