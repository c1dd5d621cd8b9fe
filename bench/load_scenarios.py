"""What has to hold under load, tried: a verdict a line, and exit code 1 if one isn't met.

Processes on loopback: the provider and the readers of load/generator.c, and the relay on each binding.
``--quick`` plays the same with few streams for seconds; without it some take minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from load import endings, fanout, faults, sustained, unread
from load.generator import IN_C, allow_many_sockets
from load.verdicts import Verdicts

from sse_relay.cli.flags import Binding

#: Each with how it is run, in full and quickly.
SCENARIOS: dict[str, tuple[Callable[[str, Any, Verdicts], None], Any, Any]] = {
    "fanout": (fanout.run, fanout.FULL, fanout.QUICK),
    "sustained": (sustained.run, sustained.FULL, sustained.QUICK),
    "unread": (unread.run, unread.FULL, unread.QUICK),
    "endings": (endings.run, endings.FULL, endings.QUICK),
    "faults": (faults.run, faults.FULL, faults.QUICK),
}
BINDINGS = [binding.value for binding in Binding]


def read_arguments() -> argparse.Namespace:
    """What the user wants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--binding", nargs="*", choices=BINDINGS, default=BINDINGS)
    parser.add_argument("--quick", action="store_true", help="few streams, for seconds")
    parser.add_argument("--json", type=Path, help="write the verdicts to this file")
    return parser.parse_args()


def main() -> None:
    """Play what the arguments name."""
    arguments = read_arguments()
    if not Path("/proc/net/tcp").exists():
        print("skipped: there is no /proc/net/tcp to see sockets' queues in")
        return
    allow_many_sockets()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.1f}")
    if not IN_C:
        print("There is no C compiler: the load is made in Python, and costs more than what it measures.")
    verdicts = Verdicts()
    for name in arguments.only:
        play, full, quick = SCENARIOS[name]
        for binding in arguments.binding:
            verdicts.scenario = f"{name} on {binding}"
            try:
                play(binding, quick if arguments.quick else full, verdicts)
            except Exception as error:  # noqa: BLE001  (one scenario's trouble is no other's)
                verdicts.holds("it can be played", repr(error), met=False)
    if arguments.json:
        arguments.json.write_text(json.dumps(verdicts.all, indent=2) + "\n", "utf-8")
    print(f"{len(verdicts.all)} verdicts, {verdicts.unmet} not met")
    sys.exit(min(verdicts.unmet, 1))


if __name__ == "__main__":
    main()
