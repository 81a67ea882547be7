"""Who may send what, through which API, with whose credentials."""
