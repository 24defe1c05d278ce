"""Ask something asynchronous from code that isn't, whether or not an event loop is running here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


def apart(question: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
    """Run a coroutine function on a thread and a loop of its own, and return its answer or raise its error."""
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            answers.append(asyncio.run(question()))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=ask, name=question.__qualname__, daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]
