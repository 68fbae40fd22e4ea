"""The script that a person writes with the `openai` package's manual: ask, and look at the answer."""

import asyncio
import sys
from typing import Any

import goldens
from openai import AsyncOpenAI


async def main(base_url: str, cases: list[dict[str, Any]], concurrency: int) -> None:
    """Ask every case."""
    client = AsyncOpenAI(base_url=base_url, api_key="none")
    room = asyncio.Semaphore(concurrency)

    async def ask(case: dict[str, Any]) -> bool:
        async with room:
            answer = await client.chat.completions.create(
                model="bench", messages=[{"role": "user", "content": case["vars"]["text"]}]
            )
            return case["expected"] in (answer.choices[0].message.content or "")

    right = sum(await asyncio.gather(*(ask(case) for case in cases)))
    await client.close()
    if right != len(cases):
        sys.exit(f"{right} of {len(cases)} are right")


asyncio.run(main(sys.argv[1], goldens.read(sys.argv[2]), int(sys.argv[3])))
