"""Password hashes: made with argon2id, checked off the event loop."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: OWASP's least parameters for argon2id: 19 MiB, two passes, one lane. 30 ms on the machine this was measured on, where
#: the library's own defaults take 150: AUTH is answered while a client waits, and attackers make us do it too.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)

#: Two checks at once: more would take memory and the cores that deliver mail.
_THREADS = 2


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, for `password_hash`."""
    return _HASHER.hash(_bytes(password))


class Passwords:
    """Checks passwords against hashes in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="passwords")
        self._dummy = ""

    async def fits(self, password: str, password_hash: str) -> bool:
        """Tell whether a password is the hashed one."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _fits, password, password_hash)

    async def pretend(self, password: str) -> None:
        """Do the work of a check for a login that does not exist, so that time does not tell it from one that does."""
        self._dummy = self._dummy or await asyncio.get_running_loop().run_in_executor(
            self._threads, hash_password, secrets.token_hex()
        )
        await self.fits(password, self._dummy)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _fits(password: str, password_hash: str) -> bool:
    try:
        return _HASHER.verify(password_hash, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    # What a client sent may have been no UTF-8 and hold lone surrogates now: wrong, and no reason to break.
    return password.encode("utf-8", "surrogatepass")
