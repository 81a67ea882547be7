"""`relay` with every library's logger turned up: what they could say at their loudest must hold no secret either."""

import logging
import sys

from relay.cli import main

if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    main()
