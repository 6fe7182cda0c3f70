"""Answers go before all else, a few calls at a time, and nobody's turn is lost."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from ground_truth_server.portal import answers_first
from ground_truth_server.portal.answers_first import AnswersFirst


def run(work: Coroutine[Any, Any, None]) -> None:
    """In a loop of another thread: where a browser's tests ran before, this one has a loop already."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> AnswersFirst:
    monkeypatch.setattr(answers_first, "_AT_ONCE", 2)
    return AnswersFirst(takes_turns=False)


def test_answers_go_before_those_who_came_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_first, "_AT_ONCE", 1)
    turns = AnswersFirst(takes_turns=False)
    order: list[str] = []
    gate = threading.Event()

    async def all_of_them() -> None:
        busy = [asyncio.create_task(turns.run(gate.wait, answer=False))]
        await asyncio.sleep(0.05)
        waiting = []
        for name, answer in (("next 1", False), ("next 2", False), ("answer 1", True), ("answer 2", True)):
            waiting.append(asyncio.create_task(turns.run(partial(order.append, name), answer=answer)))
            await asyncio.sleep(0)
        assert order == []
        gate.set()
        await asyncio.gather(*busy, *waiting)

    run(all_of_them())
    assert order == ["answer 1", "answer 2", "next 1", "next 2"]


def test_no_more_than_so_many_run_at_once(turns: AnswersFirst) -> None:
    running, most = 0, 0
    mutex = threading.Lock()

    def call() -> None:
        nonlocal running, most
        with mutex:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with mutex:
            running -= 1

    async def all_of_them() -> None:
        await asyncio.gather(*(turns.run(call, answer=number % 2 == 0) for number in range(20)))

    run(all_of_them())
    assert most == 2


def test_who_goes_away_takes_no_turn_along(turns: AnswersFirst) -> None:
    gate = threading.Event()

    async def all_of_them() -> None:
        busy = [asyncio.create_task(turns.run(gate.wait, answer=False)) for _ in range(2)]
        await asyncio.sleep(0.05)
        leaving = [asyncio.create_task(turns.run(lambda: None, answer=True)) for _ in range(5)]
        await asyncio.sleep(0.01)
        for task in leaving[:4]:
            task.cancel()
        gate.set()
        await asyncio.gather(*busy)
        leaving[4].cancel()  # perhaps in the moment in which its turn has come
        await asyncio.gather(*leaving, return_exceptions=True)
        done = [turns.run(lambda: "done", answer=False) for _ in range(5)]
        assert await asyncio.wait_for(asyncio.gather(*done), 5) == ["done"] * 5

    run(all_of_them())


def test_what_fails_hands_its_turn_on(turns: AnswersFirst) -> None:
    def fail() -> None:
        raise ValueError("no")

    async def all_of_them() -> None:
        for _ in range(5):
            with pytest.raises(ValueError, match="no"):
                await turns.run(fail, answer=True)
        assert await asyncio.wait_for(turns.run(lambda: 1, answer=False), 5) == 1

    run(all_of_them())
