"""EnviarEMAIL 7.0 for programs: `async with MensatekClient(user, token) as mensatek: ...`."""
