"""Run ``sse-relay`` with a profile that begins at SIGUSR1 and is printed at SIGUSR2: its calls, then who.

The first line after SIGUSR2 is the number of calls, of Python's functions and of C's.
"""

from __future__ import annotations

import cProfile
import pstats
import signal

from sse_relay.__main__ import main

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
    main()
