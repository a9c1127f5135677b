"""A thin client of any server that speaks the OpenAI protocol for chat completions.

It goes its own way out: the model's address comes from the operator's settings, never from a page or a user,
and is often a private one.
"""

from __future__ import annotations

import asyncio
import json

import httpx

from meterhouse.kernel.errors import DependencyFailed

TIMEOUT_S = 60.0
ANSWER_BYTES_MAX = 1_000_000
_PATH = "/chat/completions"


class ChatModel:
    """`ports.Model` over HTTP. Call `aclose` at the end."""

    def __init__(self, url: str, *, name: str = "", api_key: str = "", timeout_s: float = TIMEOUT_S) -> None:
        base = url.rstrip("/")
        self._url = base if base.endswith(_PATH) else f"{base}{_PATH}"
        self._name = name or "default"
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            headers={"authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=timeout_s,
            trust_env=False,
        )

    async def complete(self, *, instructions: str, material: str) -> str:
        """The text of the model's answer. Raises `DependencyFailed` when there is none in time."""
        body = {
            "model": self._name,
            "messages": [
                {"role": "system", "content": instructions},
                {"role": "user", "content": material},
            ],
            "temperature": 0,
            "stream": False,
        }
        try:
            async with asyncio.timeout(self._timeout_s):  # for all of it, however slowly it drips
                raw = await self._send(body)
        except TimeoutError:
            raise self._failed(f"it gives no answer within {self._timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._failed(f"it cannot be reached ({str(error) or type(error).__name__})") from error
        try:
            text = json.loads(raw)["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise self._failed("its answer does not follow the protocol") from error
        if not isinstance(text, str):
            raise self._failed("its answer holds no text")
        return text

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _send(self, body: dict[str, object]) -> bytes:
        received = bytearray()
        async with self._client.stream("POST", self._url, json=body) as answer:
            if answer.status_code != 200:
                raise self._failed(f"it answers {answer.status_code}")
            async for chunk in answer.aiter_bytes():
                received += chunk
                if len(received) > ANSWER_BYTES_MAX:
                    raise self._failed(f"its answer is larger than {ANSWER_BYTES_MAX} bytes")
        return bytes(received)

    def _failed(self, fault: str) -> DependencyFailed:
        return DependencyFailed(f"The model at {self._url}: {fault}.", retryable=True)
