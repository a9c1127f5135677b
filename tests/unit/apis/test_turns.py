"""Turns: of those that are ready at once, one computes in each round of the loop."""

from __future__ import annotations

import asyncio

from meterhouse.apis.turns import Turns


async def test_what_is_ready_meanwhile_goes_between_two_turns() -> None:
    turns = Turns()
    done: list[str] = []
    loop = asyncio.get_running_loop()

    async def compute(number: int) -> None:
        await turns.take()
        done.append(f"turn {number}")
        loop.call_soon(done.append, f"after {number}")

    await asyncio.gather(*(compute(number) for number in range(3)))
    await asyncio.sleep(0)

    assert done == ["turn 0", "after 0", "turn 1", "after 1", "turn 2", "after 2"]


async def test_who_leaves_while_waiting_gives_the_turn_to_the_next() -> None:
    turns = Turns()
    first, second, third = (asyncio.create_task(turns.take()) for _ in range(3))
    await asyncio.sleep(0)
    first.cancel()
    second.cancel()

    async with asyncio.timeout(5):
        await third
    assert first.cancelled()
    assert second.cancelled()
