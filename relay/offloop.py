"""Work on big messages goes into a thread, so that the loop goes on serving others."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: From so many bytes on, work on them takes longer than a thread to do it in.
_OFF_LOOP_BYTES = 128 * 1024


async def off_loop(size: int, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call a function that works on so many bytes: at once where they are few, in a thread where they are many."""
    if size < _OFF_LOOP_BYTES:
        return function(*args, **kwargs)
    return await asyncio.to_thread(function, *args, **kwargs)
