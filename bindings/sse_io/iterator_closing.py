"""How an iterator of a handler's is closed, and whose its last exception is."""

from __future__ import annotations

from typing import Any


async def close_iterator(iterator: Any) -> None:
    """Close what may be an asynchronous generator, as ``contextlib.aclosing`` does it.

    What closes a generator is an exception at its yield.  Where that is amid a group of tasks, the group
    raises it within a group, which is no error of anybody's.
    """
    aclose = getattr(iterator, "aclose", None)
    if aclose is None:
        return
    try:
        await aclose()
    except BaseExceptionGroup as group:
        others = group.split(GeneratorExit)[1]
        if others is not None:
            raise others from None


def holds(error: BaseException, kinds: tuple[type[BaseException], ...]) -> bool:
    """Whether ``error`` is of one of these ``kinds``, or a group that holds one."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(kinds) is not None
    return isinstance(error, kinds)
