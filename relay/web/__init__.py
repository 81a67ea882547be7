"""Looking at the running gateway over HTTP."""
