"""Pages that open each in her turn."""

from __future__ import annotations

import asyncio

import pytest

from workbench.dashboards.turns import Turns


async def opened(turns: Turns, seconds: float, ends: list[float], *, fails: bool = False) -> None:
    async with turns.taken():
        await asyncio.sleep(seconds)
        ends.append(asyncio.get_running_loop().time())
        if fails:
            raise RuntimeError("a kernel that died")


def test_half_of_the_pages_are_ready_long_before_the_last() -> None:
    async def at_once() -> list[int]:
        turns, now, most, order = Turns(most=2), 0, 0, []

        async def page(number: int) -> None:
            nonlocal now, most
            async with turns.taken():
                now += 1
                most = max(most, now)
                await asyncio.sleep(0.01)
                now -= 1
                order.append(number)

        await asyncio.gather(*(page(number) for number in range(8)))
        assert most == 2
        return order

    assert asyncio.run(at_once()) == list(range(8))  # who came first is served first


def test_a_page_that_fails_gives_its_turn_back() -> None:
    async def after_a_failure() -> int:
        turns, ends = Turns(most=1), list[float]()
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await opened(turns, 0, ends, fails=True)
        await asyncio.wait_for(opened(turns, 0, ends), 1)
        return len(ends)

    assert asyncio.run(after_a_failure()) == 4


def test_pages_that_are_held_elsewhere_do_not_hold_the_others() -> None:
    async def behind_two_that_wait() -> bool:
        turns, ends = Turns(most=2, patience=0.05), list[float]()
        held = [asyncio.create_task(opened(turns, 30, ends)) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.wait_for(opened(turns, 0, ends), 5)
        for each in held:
            each.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        # Neither did it take a turn that it had not, nor did the cancelled ones keep theirs.
        await asyncio.wait_for(asyncio.gather(*(opened(turns, 0, ends) for _ in range(6))), 5)
        return len(ends) == 7

    assert asyncio.run(behind_two_that_wait())
