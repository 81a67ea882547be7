"""One worker as the supervisor knows it: a process, and the line to it."""

import asyncio
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from relay.config import Settings
from relay.smtp.listening import Listening
from relay.supervisor.channel import Channel, Closed
from relay.supervisor.orders import Begin, Doors, Failed, Reload, Reloaded, Serving, Tell, Told


class WorkerProcess:
    """Made by `start`; over when `until_gone` returns."""

    def __init__(self, number: int, process: asyncio.subprocess.Process, channel: Channel) -> None:
        self.number = number
        self.is_serving = False
        self.began: asyncio.Future[Failed | None] = asyncio.get_running_loop().create_future()  # None: it serves
        self._process = process
        self._channel = channel
        self._reloads: list[asyncio.Future[Failed | None]] = []
        self._questions: dict[int, asyncio.Future[Told]] = {}
        self._asked = 0
        self._is_asked_to_end = False

    @classmethod
    async def start(cls, number: int, settings: Settings, listening: Mapping[str, Listening]) -> "WorkerProcess":
        """Start a process and tell it to serve these sockets. Raises OSError."""
        here, there = socket.socketpair()
        try:
            with there:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-P", "-m", "relay.supervisor.worker", str(there.fileno())),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(there.fileno(),),
                )
        except OSError:
            here.close()
            raise
        worker = cls(number, process, Channel(here))
        with suppress(Closed):  # it is gone already: `until_gone` finds out
            await worker._channel.send(Begin(number, settings, _doors(listening)), _sockets(listening))
        return worker

    async def until_gone(self) -> int:
        """Listen to what it says until it has ended; returns its exit code, negative for the signal that ended it."""
        with suppress(Closed):
            while True:
                said, _ = await self._channel.receive()
                self._hear(said)
        self.is_serving = False
        code = await self._process.wait()
        self._channel.close()
        gone = Failed(f"worker {self.number} ended with code {code}", is_configuration=False)
        for waiting in (self.began, *self._reloads):
            if not waiting.done():
                waiting.set_result(gone)
        for question in self._questions.values():
            question.cancel()
        return code

    async def reload(self, settings: Settings, new: Mapping[str, Listening], within_seconds: float) -> Failed | None:
        """Tell it to go on by these settings, with these new sockets. Returns why it could not; None: it does."""
        answer: asyncio.Future[Failed | None] = asyncio.get_running_loop().create_future()
        self._reloads.append(answer)
        try:
            async with asyncio.timeout(within_seconds):
                await self._channel.send(Reload(settings, _doors(new)), _sockets(new))
                await asyncio.wait({answer})  # which may come later, and is taken then
        except Closed:
            return Failed(f"worker {self.number} is gone", is_configuration=False)
        except TimeoutError:
            return Failed(f"worker {self.number} does not answer", is_configuration=False)
        return answer.result()

    async def told(self, within_seconds: float, *, is_ready: bool = False, of_queue: bool = False) -> Told | None:
        """Ask how it is doing; None: there was no answer in time."""
        self._asked += 1
        question = self._asked
        answer = self._questions[question] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within_seconds):
                await self._channel.send(Tell(question, is_ready=is_ready, of_queue=of_queue))
                await asyncio.wait({answer})
        except (Closed, TimeoutError):
            return None
        finally:
            del self._questions[question]
        return None if answer.cancelled() else answer.result()

    def stop(self) -> None:
        """Let it finish what is under way and end. Safe to repeat."""
        if not self._is_asked_to_end:
            self.hurry()

    def hurry(self) -> None:
        """Ask it to end; who is asked twice ends at once."""
        self._is_asked_to_end = True
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as it stands."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _hear(self, said: object) -> None:
        if isinstance(said, Serving):
            self.is_serving = True
            self.began.set_result(None)
        elif isinstance(said, Told):
            if said.question in self._questions:
                self._questions[said.question].set_result(said)
        elif isinstance(said, Failed) and not self.began.done():
            self.began.set_result(said)
        elif isinstance(said, Failed | Reloaded) and self._reloads:
            self._reloads.pop(0).set_result(said if isinstance(said, Failed) else None)


def _doors(listening: Mapping[str, Listening]) -> Doors:
    return Doors(tuple((name, one.address, one.place, len(one.sockets)) for name, one in listening.items()))


def _sockets(listening: Mapping[str, Listening]) -> Sequence[socket.socket]:
    return [one for group in listening.values() for one in group.sockets]
