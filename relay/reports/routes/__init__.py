"""The return routes, each behind the same contract."""
