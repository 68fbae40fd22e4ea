"""The least that Python and aiohttp need: ask, and look whether the answer holds what is expected."""

import asyncio
import sys
from typing import Any

import aiohttp
import goldens


async def main(base_url: str, cases: list[dict[str, Any]], concurrency: int) -> None:
    """Ask every case."""
    waiting = iter(cases)
    right = 0

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal right
        for case in waiting:
            body = {"model": "bench", "messages": [{"role": "user", "content": case["vars"]["text"]}]}
            async with session.post(f"{base_url}/chat/completions", json=body) as response:
                text = (await response.json())["choices"][0]["message"]["content"]
            right += case["expected"] in text

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(work(session) for _ in range(concurrency)))
    if right != len(cases):
        sys.exit(f"{right} of {len(cases)} are right")


asyncio.run(main(sys.argv[1], goldens.read(sys.argv[2]), int(sys.argv[3])))
