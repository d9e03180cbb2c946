"""Checks passwords against bcrypt hashes: slow by design, so off the loop, bounded, and remembered when right."""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Mapping

import anyio
import anyio.to_thread
import bcrypt

from bridge.errors import Unavailable

__all__ = ["PasswordChecker"]

BCRYPT_INPUT = 72  # bcrypt looks at no more; the library refuses what Go's implementation cuts off
REMEMBERED = 1024
WAITING_MAX = 64


class PasswordChecker:
    """Answers whether a user's password is right.

    One check costs some 50 ms of a core. They run one at a time in a thread, so strangers with wrong passwords cannot
    take the machine, and not more than WAITING_MAX wait. A right password is remembered by a hash keyed with a random
    secret: neither it nor anything it could be guessed from stays in memory.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._turn = anyio.Lock()
        self._waiting = 0

    async def is_right(self, users: Mapping[bytes, bytes], user: bytes, password: bytes) -> bool:
        """`users` maps names to bcrypt hashes. Raises Unavailable when too many checks wait.

        An unknown user costs what the dearest known one costs, so that the time tells nothing about who exists.
        """
        hashed = users.get(user)
        if hashed is None:
            decoy = max(users.values(), key=cost, default=None)
            if decoy is not None:
                await self._check(decoy, password)
            return False
        key = self._key(user, hashed, password)
        if key in self._right:
            self._right.move_to_end(key)
            return True
        right = await self._check(hashed, password, key)
        if right:
            self._right[key] = None
            if len(self._right) > REMEMBERED:
                self._right.popitem(last=False)
        return right

    async def _check(self, hashed: bytes, password: bytes, key: bytes | None = None) -> bool:
        if self._waiting >= WAITING_MAX:
            raise Unavailable("too many password checks are waiting")
        self._waiting += 1
        try:
            async with self._turn:
                if key is not None and key in self._right:
                    return True  # a request that came with the same password was first
                return await anyio.to_thread.run_sync(bcrypt.checkpw, password[:BCRYPT_INPUT], hashed)
        finally:
            self._waiting -= 1

    def _key(self, user: bytes, hashed: bytes, password: bytes) -> bytes:
        """Changes with the hash: a new password in the file voids the old one at once."""
        digest = hashlib.blake2b(key=self._secret, digest_size=32)
        for part in (user, hashed, password):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        return digest.digest()


def cost(hashed: bytes) -> int:
    """The work factor of a hash such as `$2y$10$...`."""
    return int(hashed.split(b"$")[2])
