"""The whole of DMDS API REST 1.5 for programs: `async with DmdsClient("acme", apikey) as dmds: ...`."""
