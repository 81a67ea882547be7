"""The workers together: started, watched, replaced when they die, told of a new configuration, asked how they do."""

import asyncio
from collections.abc import Mapping

from relay.config import Settings
from relay.errors import ConfigError, QueueError
from relay.events import Events
from relay.smtp.listening import Listening
from relay.supervisor.figures import Figures
from relay.supervisor.process import WorkerProcess
from relay.supervisor.share import share_of

_FIRST_WAIT_SECONDS = 0.1  # before a worker that died is replaced; doubles each time
_LONGEST_WAIT_SECONDS = 30.0
_STEADY_SECONDS = 60.0  # a worker that lived so long is replaced as if it were the first to die
_ANSWER_SECONDS = 5.0  # how long a worker may take to say how it does
_RELOAD_SECONDS = 60.0  # how long it may take to go on by other settings: hashes, files and sockets
_KILL_AFTER_SECONDS = 10.0  # how long a worker may take to end beyond what the settings allow it


class Crew:
    """All workers. Also what the pages ask: whether somebody can take mail, and the figures."""

    def __init__(self, settings: Settings, listening: Mapping[str, Listening], events: Events) -> None:
        self._settings = settings
        self._listening = listening
        self._events = events
        self.figures = Figures(events.registry)
        self._workers: dict[int, WorkerProcess] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._changing = asyncio.Lock()  # nobody is started by settings, or on sockets, that are being replaced

    async def start(self) -> None:
        """Start all workers; return when all serve. Raises ConfigError or QueueError when one cannot."""
        firsts = await asyncio.gather(*(self._start(number) for number in range(self._settings.workers)))
        self._keepers = [asyncio.create_task(self._keep(first), name=f"worker {first.number}") for first in firsts]
        for first in firsts:
            if (failed := await first.began) is not None:
                raise ConfigError(failed.reason) if failed.is_configuration else QueueError(failed.reason)

    async def until_broken(self) -> None:
        """Return, or raise, when a worker is no longer watched over: the program should end then."""
        done, _ = await asyncio.wait(self._keepers, return_when=asyncio.FIRST_COMPLETED)
        for keeper in done:
            keeper.result()

    async def reload(self, settings: Settings, listening: Mapping[str, Listening]) -> None:
        """Let everybody go on by other settings, with these sockets. Who cannot is replaced by one that begins so."""
        async with self._changing:
            present = list(self._listening.values())
            new = {name: one for name, one in listening.items() if one not in present}
            self._settings, self._listening = settings, listening
            share = share_of(settings, settings.workers)
            workers = list(self._workers.values())  # one that has not begun yet hears it then
            answers = await asyncio.gather(*(worker.reload(share, new, _RELOAD_SECONDS) for worker in workers))
        for worker, failed in zip(workers, answers, strict=True):
            if failed is not None:
                self._events.worker_failed(worker.number, failed.reason)
                worker.stop()
                # Who hangs does not hear.
                asyncio.get_running_loop().call_later(self._longest_end_seconds(), worker.kill)

    async def stop(self) -> None:
        """Let all workers end; one that takes far longer than the settings allow is killed."""
        self._stopping.set()
        for worker in self._workers.values():
            worker.stop()
        if not self._keepers:
            return
        _, late = await asyncio.wait(self._keepers, timeout=self._longest_end_seconds())
        for worker in self._workers.values():
            worker.kill()
        if late:
            await asyncio.wait(late)

    def hurry(self) -> None:
        """Ask every worker to end; who is asked twice ends at once."""
        for worker in self._workers.values():
            worker.hurry()

    def _longest_end_seconds(self) -> float:
        # The door first and then the calls: each may take `stop_within`.
        return 2 * self._settings.delivery.stop_within + _KILL_AFTER_SECONDS

    # --- what the pages ask ---

    async def check(self) -> None:
        """Raise QueueError when no worker can take mail."""
        told = await asyncio.gather(*(one.told(_ANSWER_SECONDS, is_ready=True) for one in self._serving()))
        if not any(one is not None and one.is_ready for one in told):
            raise QueueError("no worker is ready")

    async def refresh(self) -> None:
        """Ask every worker for its figures, and one for the queue's."""
        serving = self._serving()
        told = await asyncio.gather(*(one.told(_ANSWER_SECONDS, of_queue=one is serving[0]) for one in serving))
        for worker, one in zip(serving, told, strict=True):
            if one is not None:
                self.figures.heard(worker.number, one.figures, one.of_queue)

    def _serving(self) -> list[WorkerProcess]:
        return [worker for _, worker in sorted(self._workers.items()) if worker.is_serving]

    # --- watching ---

    async def _start(self, number: int) -> WorkerProcess:
        async with self._changing:
            share = share_of(self._settings, self._settings.workers)
            worker = self._workers[number] = await WorkerProcess.start(number, share, self._listening)
        if self._stopping.is_set():
            worker.stop()  # it was not there yet when all were asked to end
        return worker

    async def _keep(self, worker: WorkerProcess) -> None:
        """Watch over one worker and its successors."""
        loop = asyncio.get_running_loop()
        wait = _FIRST_WAIT_SECONDS
        while True:
            started = loop.time()
            begun = asyncio.create_task(self._tell_begun(worker))
            code = await worker.until_gone()
            del self._workers[worker.number]
            self._events.worker_ended(worker.number, code, was_asked=self._stopping.is_set())
            self.figures.workers.set(len(self._serving()))
            self.figures.gone(worker.number)
            await begun
            if self._stopping.is_set():
                return
            wait = _FIRST_WAIT_SECONDS if loop.time() - started > _STEADY_SECONDS else wait
            await self._pause(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
            if self._stopping.is_set():
                return
            worker = await self._start(worker.number)

    async def _tell_begun(self, worker: WorkerProcess) -> None:
        failed = await worker.began
        if failed is None:
            self._events.worker_began(worker.number)
            self.figures.workers.set(len(self._serving()))
        else:
            self._events.worker_failed(worker.number, failed.reason)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
