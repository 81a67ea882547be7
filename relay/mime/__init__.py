"""From bytes to `Content`: structure, headers, body, attachments, fidelity notes. Pure."""
