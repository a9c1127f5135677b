"""From a presented secret to a principal, without a database round trip for a key seen before."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from uuid import UUID

from meterhouse.identity import engine, queries, service
from meterhouse.identity.model import ApiKey, Principal
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Unauthenticated
from meterhouse.platform.ports import Database

REMEMBERED_MAX = 10_000


class Authenticator:
    """Looks keys up by the hash of what was presented.

    A looked-up key is remembered until `forget`, which is called on every change of any key (announced
    through PostgreSQL to all processes). While announcements cannot be heard (`pause` to `resume`)
    nothing is remembered, so a revoked key fails at once at any time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: OrderedDict[bytes, ApiKey] = OrderedDict()
        self._generation = 0
        self._listening = False
        self._used: set[UUID] = set()

    async def authenticate(self, token: str | None) -> Principal:
        """Return who holds `token`. Raises `Unauthenticated` for a missing, unknown or ended key."""
        if not token or len(token) > engine.SECRET_LENGTH_MAX:
            raise Unauthenticated("Invalid or missing API key")
        secret_hash = engine.hash_secret(token)
        key = self._known.get(secret_hash) or await self._look_up(secret_hash)
        if key is None or not self._is_usable(key):
            raise Unauthenticated("Invalid or missing API key")
        self._used.add(key.id)
        return Principal(key_id=key.id, organisation_id=key.organisation_id, scopes=key.scopes)

    def _is_usable(self, key: ApiKey) -> bool:
        # Asking for the time is a system call on some machines, and most keys never expire.
        if key.expires_at is None:
            return key.revoked_at is None
        return key.is_usable(self._clock.now())

    async def _look_up(self, secret_hash: bytes) -> ApiKey | None:
        generation = self._generation
        async with self._database.begin() as connection:
            key = await queries.find_by_hash(connection, secret_hash)
        # A change announced while the row was being read makes the row stale: use it, don't keep it.
        if key is not None and self._listening and generation == self._generation:
            self._known[secret_hash] = key
            while len(self._known) > REMEMBERED_MAX:
                self._known.popitem(last=False)
        return key

    def forget(self) -> None:
        self._generation += 1
        self._known.clear()

    def pause(self) -> None:
        self._listening = False
        self.forget()

    def resume(self) -> None:
        self.forget()
        self._listening = True

    async def flush_last_used(self, now: datetime) -> int:
        """Write down which keys were used since the last call, a moment ago; a due-scan."""
        used, self._used = self._used, set()
        if used:
            async with self._database.begin() as connection:
                await service.record_use(connection, key_ids=used, at=now)
        return 0
