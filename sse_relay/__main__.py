"""The command ``sse-relay``, and ``python -m sse_relay``: it runs the command line, or says why it can't."""

from __future__ import annotations

import sys

#: What the command line is made with: the extra ``relay`` brings it along.
_NEEDED = frozenset({"click", "h11", "trio", "typer"})


def main() -> None:
    """The entry point of the console script."""
    try:
        from .cli import app  # noqa: PLC0415  (what it needs may not be there)

        app()
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in _NEEDED:
            raise
        sys.exit(
            f'sse-relay: {name} is not installed. The command needs the extra "relay": '
            "pip install '.[relay]' in a checkout, or pip install 'sse-core[relay]' where it is published"
        )
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
