"""Messages between the supervisor and a worker: Python objects over a socket pair, with sockets along with them.

Only between processes of one program on one machine: what is pickled here was made by ourselves.
"""

import asyncio
import pickle
import socket
import struct
from collections.abc import Sequence
from typing import Any

_HEADER = struct.Struct("!IH")  # bytes of the message, number of sockets that come with it
_MOST_SOCKETS = 250  # the kernel passes 253 at once (SCM_MAX_FD)


class Closed(Exception):  # noqa: N818 - it names what is the case
    """The other process is gone."""


class Channel:
    """One end. Messages are sent and received whole and in order; one task at a time receives."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)  # noqa: FBT003 - the library's own parameter
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._sending = asyncio.Lock()

    async def send(self, message: object, sockets: Sequence[socket.socket] = ()) -> None:
        """Send a message. The sockets stay the sender's, too. Raises Closed."""
        data = pickle.dumps(message)
        async with self._sending:
            try:
                await self._send_first(_HEADER.pack(len(data), len(sockets)), sockets)
                await self._loop.sock_sendall(self._end, data)
            except OSError as error:
                raise Closed from error

    async def receive(self) -> tuple[Any, list[socket.socket]]:
        """Receive the next message, and the sockets that came with it. Raises Closed."""
        try:
            header, descriptors = await self._receive_first()
            size, count = _HEADER.unpack(header)
            data = await self._exactly(size)
        except OSError as error:
            raise Closed from error
        sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors[:count]]
        return pickle.loads(data), sockets  # noqa: S301 - ours, see above

    def close(self) -> None:
        """Close this end."""
        self._end.close()

    async def _send_first(self, header: bytes, sockets: Sequence[socket.socket]) -> None:
        while True:
            try:
                socket.send_fds(self._end, [header], [one.fileno() for one in sockets])
            except BlockingIOError:
                await self._ready(self._loop.add_writer, self._loop.remove_writer)
            else:
                return

    async def _receive_first(self) -> tuple[bytes, list[int]]:
        header, descriptors = b"", []
        while len(header) < _HEADER.size:
            try:
                data, passed, _, _ = socket.recv_fds(
                    self._end, _HEADER.size - len(header), _MOST_SOCKETS, socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                await self._ready(self._loop.add_reader, self._loop.remove_reader)
                continue
            if not data:
                raise Closed
            header += data
            descriptors += passed
        return header, descriptors

    async def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = await self._loop.sock_recv(self._end, min(size - len(data), 1 << 16))
            if not piece:
                raise Closed
            data += piece
        return bytes(data)

    async def _ready(self, watch: Any, unwatch: Any) -> None:
        ready = asyncio.Event()
        watch(self._end, ready.set)
        try:
            await ready.wait()
        finally:
            unwatch(self._end)
