"""``python -m sse_relay`` is ``sse-relay``."""

from .cli import main

main()
