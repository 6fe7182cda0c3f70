"""Which of the workers' requests go on where there are more than the machine does at once: answers before all else.

A worker who submits waits with the work done; one who asks for the next task has just been told that all is safe. And
where more threads than there are processors wait for one database, they only take the processors from each other.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar

from starlette.concurrency import run_in_threadpool

T = TypeVar("T")
_TURNS: Final = 12  # at once, where writers take turns and share a flush: some must wait for it
_AT_ONCE: Final = 8  # where each has a connection of its own


class AnswersFirst:
    """Runs calls in threads, a few at a time, in one event loop.

    Args:
        takes_turns: Whether the database's writers take turns.
    """

    def __init__(self, *, takes_turns: bool) -> None:
        self._free = _TURNS if takes_turns else _AT_ONCE
        self._answers: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    async def run(self, call: Callable[[], T], *, answer: bool) -> T:
        """Run a call once it is its turn.

        Args:
            call: The call.
            answer: Whether it takes an answer.
        """
        await self._turn(self._answers if answer else self._others)
        try:
            return await run_in_threadpool(call)
        finally:
            self._hand_on()

    async def _turn(self, queue: deque[asyncio.Future[None]]) -> None:
        if self._free > 0:
            self._free -= 1
            return
        mine = asyncio.get_running_loop().create_future()
        queue.append(mine)
        try:
            await mine
        except asyncio.CancelledError:  # whoever asked has gone, and the turn may have come with it
            if mine.done() and not mine.cancelled():
                self._hand_on()
            else:
                queue.remove(mine)
            raise

    def _hand_on(self) -> None:
        for queue in (self._answers, self._others):
            if queue:
                queue.popleft().set_result(None)
                return
        self._free += 1
