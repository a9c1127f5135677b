"""Long computations on the event loop, one in each of its rounds."""

from __future__ import annotations

import asyncio


class Turns:
    """Keeps requests that are ready at once from holding up everything else until the last is computed.

    The loop runs all that is ready before it looks at anything new. Who takes a turn before some milliseconds
    of work goes on in a round of its own, so a finished write or a question waits for one, not for all.
    """

    def __init__(self) -> None:
        self._queue = asyncio.Lock()

    async def take(self) -> None:
        """Return when it is the caller's turn, in the order of asking."""
        async with self._queue:
            await asyncio.sleep(0)
