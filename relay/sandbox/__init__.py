"""Both vendors' APIs in one local process. Knows nothing of the gateway but the wire.

Start it with `Sandbox`, or mount `create_app`; look into `Sandbox.world` from tests in the same process, or under
`/sandbox/` from elsewhere. Its default credentials are for demonstration: Mensatek `demo-user` with `demo-token`, DMDS
`demo-12345` (customer `demo`, campaign 12345) with `demo-apikey`.
"""

from relay.sandbox.faults import BadFaultError, Fault
from relay.sandbox.journal import Call, Delivery
from relay.sandbox.mail import Attachment, Fate, Mail, Shown
from relay.sandbox.options import SandboxOptions
from relay.sandbox.server import WORLD, Sandbox, create_app
from relay.sandbox.world import Report, World

__all__ = [
    "WORLD",
    "Attachment",
    "BadFaultError",
    "Call",
    "Delivery",
    "Fate",
    "Fault",
    "Mail",
    "Report",
    "Sandbox",
    "SandboxOptions",
    "Shown",
    "World",
    "create_app",
]
