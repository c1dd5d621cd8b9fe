"""Arguments of the wrong type, refused at once and in one sentence.

A type checker finds them before a program runs.  Whoever runs none should not learn from a stack trace
through half of the package that he gave text where bytes are taken.
"""

from __future__ import annotations


def check_type(name: str, value: object, *kinds: type, hint: str = "") -> None:
    """See that ``value`` is of one of ``kinds``.

    Raises ``TypeError`` that names the argument, what it takes, what was given, and what to do (``hint``).
    """
    if not isinstance(value, kinds):
        raise wrong_type(name, value, *kinds, hint=hint)


def wrong_type(name: str, value: object, *kinds: type, hint: str = "") -> TypeError:
    """The error for a value that was found not to be of any of ``kinds``."""
    wanted = " or ".join(kind.__name__ for kind in kinds)
    return TypeError(f"{name} takes {wanted}, not {type(value).__name__}{f': {hint}' if hint else ''}")


def check_callable(name: str, value: object) -> None:
    """See that ``value`` can be called, or is ``None``.  Raises ``TypeError`` that names the argument."""
    if value is not None and not callable(value):
        raise TypeError(f"{name} takes a function or None, not {type(value).__name__}")


def check_bound(name: str, value: object) -> None:
    """See that ``value`` is an integer of 1 or more.  Raises ``TypeError`` or ``ValueError``."""
    check_type(name, value, int)
    if isinstance(value, int) and value < 1:
        raise ValueError(f"{name} must be 1 or more, not {value}")
