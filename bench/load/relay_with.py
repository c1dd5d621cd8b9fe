"""The relay with settings that ``sse-relay serve`` has no flags for.

The arguments are the binding, the settings as JSON, and the address of the provider; the port is printed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sse_core.lifecycle import Deadlines, RetryPolicy, SubscriptionSettings
from sse_relay.cli.flags import Binding
from sse_relay.cli.launch import launch
from sse_relay.config import RelayConfig
from sse_relay.listen import Listen
from sse_relay.programs import relay_program


def main(binding: str, text: str, upstream: str) -> None:
    """Serve until a signal ends it."""
    settings = json.loads(text)
    authorities = settings.pop("authorities", None)
    for name, kind in (("readers", SubscriptionSettings), ("deadlines", Deadlines), ("retry", RetryPolicy)):
        if name in settings:
            settings[name] = kind(**settings[name])
    config = RelayConfig(upstream, **settings)
    trusted = None if authorities is None else Path(authorities)
    launch(relay_program(config, Listen("127.0.0.1", 0), trusted), binding=Binding(binding), verbose=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
