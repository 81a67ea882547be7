"""The front door: the only room that knows aiosmtpd."""

from relay.smtp.contract import Reception
from relay.smtp.door import Door, check_certificates
from relay.smtp.tls import certificate_warnings, server_context

__all__ = ["Door", "Reception", "certificate_warnings", "check_certificates", "server_context"]
