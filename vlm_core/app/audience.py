"""Rooms in which a class guesses where the model will look for its next word. No Gradio in here.

A room belongs to whoever holds its key; the class knows its code alone. Of the class nothing is kept but which patch
each phone tapped for the question that is being asked, and nothing at all once the room is closed or left alone.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from vlm_core.errors import UserError
from vlm_core.scenes.world import GRID

PATCHES = GRID * GRID
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Of codes: no two of these are read as one another."""
CODE_LENGTH = 6
MOST_ROOMS = 24
MOST_VOTERS = 600
"""Phones that are counted in one question."""
MOST_TAPS_A_SECOND = 200
"""In one room."""
VOTER_LENGTHS = range(16, 41)
"""Characters of the random name that a phone gives itself."""
IDLE_SECONDS = 45 * 60
"""Without a tap, or anything done by whoever holds the key, until a room is closed."""


class RoomGone(LookupError):
    """There is no such room, or no longer."""


class NotAsked(ValueError):
    """A tap that answers no question that is being asked."""


class TooBusy(RuntimeError):
    """The room takes no more taps just now."""


@dataclass(frozen=True)
class Exhibit:
    """A picture with what a model says of it. The maps stay on the server until they are revealed."""

    png: bytes
    language: str
    """Of the caption, "en" or "zh"."""
    words: tuple[str, ...]
    maps: np.ndarray
    """(words, layers, heads, PATCHES): absolute shares of attention."""
    keys: int
    """What a head can look at: the patches, and the null key if there is one. Looking everywhere alike is 1 / keys."""
    head: tuple[int, int] | None
    """Layer and head whose maps point best; None for the mean of all."""
    touched: tuple[list[int] | None, ...]
    """The patches that each word should look at; None where nobody knows, or where there is nothing to see."""

    def first_question(self) -> int:
        """The first word that is known to speak of something to be seen; else the first."""
        return next((place for place, patches in enumerate(self.touched) if patches is not None), 0)


@dataclass
class Room:
    code: str
    key: str
    exhibit: Exhibit
    word: int
    """Place in the caption of the word to guess."""
    revealed: bool = False
    head: tuple[int, int] | None = None
    """Layer and head whose map was revealed; None for the mean of all."""
    picture: int = 1
    """Number of the exhibit in this room."""
    question: int = 1
    """Number of the question in this room."""
    version: int = 1
    """Grows whenever the phones have something new to show."""
    taps: dict[str, int] = field(default_factory=dict)
    """Patch by phone; the last tap of each counts."""
    touched_at: float = 0.0
    tap_second: int = 0
    taps_in_second: int = 0

    def counts(self) -> np.ndarray:
        """(PATCHES): taps on each patch."""
        return np.bincount(list(self.taps.values()), minlength=PATCHES)


class Rooms:
    """All rooms of one server; safe to use from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._rooms: dict[str, Room] = {}
        self._lock = threading.Lock()
        self._clock = clock

    # For whoever holds the key

    def open(self, exhibit: Exhibit) -> str:
        """A new room that asks its first question; its key. Raises UserError where there are too many rooms already."""
        with self._lock:
            self._sweep()
            if len(self._rooms) >= MOST_ROOMS:
                raise UserError(
                    f"{MOST_ROOMS} rooms are open here already; try again when one of them is closed.",
                    f"这里已经开了 {MOST_ROOMS} 个房间;请等其中一个关闭后再试。",
                )
            code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
            room = Room(code, secrets.token_urlsafe(16), exhibit, exhibit.first_question(), touched_at=self._clock())
            self._rooms[code] = room
            return room.key

    def look(self, key: str) -> Room | None:
        """A copy of the room as it is now; None if it is gone."""
        with self._lock:
            room = self._of(key)
            return room and replace(room, taps=dict(room.taps))

    def show(self, key: str, exhibit: Exhibit) -> None:
        """Ask about another picture."""
        with self._lock:
            if room := self._of(key):
                room.exhibit = exhibit
                room.picture += 1
                self._ask(room, exhibit.first_question())

    def ask(self, key: str, word: int) -> None:
        """Ask for another word of the caption."""
        with self._lock:
            room = self._of(key)
            if room and 0 <= word < len(room.exhibit.words):
                self._ask(room, word)

    def reveal(self, key: str, head: tuple[int, int] | None) -> None:
        """End the question; `head`: whose map is the answer."""
        with self._lock:
            room = self._of(key)
            if room and not room.revealed:
                room.revealed, room.head = True, head
                self._changed(room)

    def close(self, key: str) -> None:
        with self._lock:
            if room := self._of(key):
                del self._rooms[room.code]

    # For the class

    def version(self, code: str) -> int:
        """That of `state`. Raises RoomGone."""
        with self._lock:
            return self._named(code).version

    def state(self, code: str) -> dict:
        """What a phone shows. Raises RoomGone."""
        with self._lock:
            room = self._named(code)
            words = room.exhibit.words
            return {
                "version": room.version,
                "question": room.question,
                "picture": room.picture,
                "language": room.exhibit.language,
                "before": words[: room.word],
                "word": words[room.word] if room.revealed else None,
            }

    def picture(self, code: str, number: int) -> bytes:
        """The picture as PNG. Raises RoomGone if it is not, or no longer, the one shown."""
        with self._lock:
            room = self._named(code)
            if room.picture != number:
                raise RoomGone(code)
            return room.exhibit.png

    def tap(self, code: str, voter: str, question: int, patch: int) -> None:
        """Count a phone's tap; an earlier one of the same phone counts no longer.

        Raises RoomGone, NotAsked for a tap on nothing or on a question that is over, and TooBusy.
        """
        with self._lock:
            room = self._named(code)
            if not (isinstance(voter, str) and len(voter) in VOTER_LENGTHS and voter.isascii() and voter.isalnum()):
                raise NotAsked("no phone")
            if type(patch) is not int or not 0 <= patch < PATCHES:
                raise NotAsked("no patch")
            if room.revealed or type(question) is not int or question != room.question:
                raise NotAsked("no question")
            self._count_tap(room)
            if voter not in room.taps and len(room.taps) >= MOST_VOTERS:
                raise TooBusy
            room.taps[voter] = patch
            room.touched_at = self._clock()

    # With the lock held

    def _count_tap(self, room: Room) -> None:
        second = int(self._clock())
        if second != room.tap_second:
            room.tap_second, room.taps_in_second = second, 0
        room.taps_in_second += 1
        if room.taps_in_second > MOST_TAPS_A_SECOND:
            raise TooBusy

    def _ask(self, room: Room, word: int) -> None:
        room.word, room.revealed, room.taps = word, False, {}
        room.question += 1
        self._changed(room)

    def _changed(self, room: Room) -> None:
        room.version += 1
        room.touched_at = self._clock()

    def _of(self, key: str) -> Room | None:
        self._sweep()
        return next((room for room in self._rooms.values() if secrets.compare_digest(room.key, key or "")), None)

    def _named(self, code: str) -> Room:
        self._sweep()
        if code not in self._rooms:
            raise RoomGone(code)
        return self._rooms[code]

    def _sweep(self) -> None:
        now = self._clock()
        for code in [code for code, room in self._rooms.items() if now - room.touched_at > IDLE_SECONDS]:
            del self._rooms[code]


ROOMS = Rooms()
"""Those of this server: the page opens them, its routes let the class in."""
