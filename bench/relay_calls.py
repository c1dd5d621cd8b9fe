"""Run one of the relay's contenders with a profile that begins at SIGUSR1 and is printed at SIGUSR2.

What is printed then: the number of calls, of Python's functions and of C's; which functions they were; END.
The arguments are ``loop`` or ``trio``, and the address of the provider.
"""

from __future__ import annotations

import cProfile
import pstats
import signal
import sys

import relay_on_loop

from sse_relay.__main__ import main as run_program

SHOWN = 45  #: functions


def profile_between_signals() -> None:
    """Count from SIGUSR1 to SIGUSR2."""
    profile = cProfile.Profile()

    def stop(*_: object) -> None:
        profile.disable()
        stats = pstats.Stats(profile)
        print(stats.total_calls, flush=True)  # type: ignore[attr-defined]  # (typeshed has only its methods)
        stats.sort_stats("ncalls").print_stats(SHOWN)
        print("END", flush=True)

    signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
    signal.signal(signal.SIGUSR2, stop)


if __name__ == "__main__":
    profile_between_signals()
    host, upstream = sys.argv[1:]
    if host == "loop":
        relay_on_loop.main(upstream)
    else:
        sys.argv[1:] = ["serve", "--port", "0", "--upstream", upstream]
        run_program()
