"""Run the service: ``python -m tests.contract_service --binding trio --port 8000``."""

from __future__ import annotations

import argparse
import contextlib
import sys

from .bindings import BINDINGS
from .service import Service


def main() -> None:
    """Serve until a harness says to stop, or Ctrl-C."""
    parser = argparse.ArgumentParser(description="A test service for LaunchDarkly's sse-contract-tests.")
    parser.add_argument("--binding", choices=sorted(BINDINGS), default="trio")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    with Service(BINDINGS[options.binding], options.host, options.port) as service:
        sys.stderr.write(f"{service.url} {options.binding}\n")
        with contextlib.suppress(KeyboardInterrupt):
            service.serve_forever()


if __name__ == "__main__":
    main()
