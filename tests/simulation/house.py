"""How a server of one world is set up: bounds and policies at random, most of them tight."""

from __future__ import annotations

from dataclasses import dataclass

from sse_core.lifecycle import Deadlines, OnDisconnect, RetryPolicy, SubscriptionSettings

from .world import World

#: A timer rings so late, and never later.
SLACK = 0.05
ROOMY = 10**6
DIALECTS = ("anthropic", "anthropic", "openai-chat", "openai-chat", "openai-responses", "gemini")
#: The dialects in which a snapshot and what follows make the whole message.
SNAPSHOTS = frozenset({"anthropic", "gemini", "openai-chat"})


@dataclass(frozen=True)
class House:
    """The settings of one world."""

    dialect: str
    log_bytes: int
    log_events: int
    retry: RetryPolicy
    deadlines: Deadlines
    on_disconnect: OnDisconnect
    readers: SubscriptionSettings
    retention_seconds: float
    retention_bytes: int

    @classmethod
    def of(cls, world: World) -> House:
        """A setting at random."""
        dice = world.dice
        dialect = dice.choice(DIALECTS)
        # Without snapshots a reader whose position is gone could not read on: these logs drop nothing.
        is_tight = dialect in SNAPSHOTS
        return cls(
            dialect=dialect,
            log_bytes=dice.choice((600, 3000, ROOMY, ROOMY) if is_tight else (ROOMY,)),
            log_events=dice.choice((4, 30, ROOMY, ROOMY) if is_tight else (ROOMY,)),
            retry=RetryPolicy(
                max_attempts=dice.choice((1, 3, 5)),
                retry_timeouts=dice.random() < 0.5,
                after_output="retract" if dice.random() < 0.2 else "never",
            ),
            deadlines=Deadlines(
                connect=dice.choice((10.0, 10.0, None)),
                first_byte=dice.choice((30.0, 30.0, None)),
                first_output=dice.choice((60.0, 60.0, None)),
                refusal=dice.choice((10.0, None)),
                output_gap=dice.choice((20.0, 20.0, 20.0, None)),
                whole=dice.choice((90.0, 300.0)),
            ),
            on_disconnect=dice.choice(
                (OnDisconnect(), OnDisconnect("detach", 20.0), OnDisconnect("drain", 20.0))
            ),
            readers=SubscriptionSettings(
                heartbeat=dice.choice((None, 5.0, 5.0)),
                heartbeat_bytes=dice.choice((0, 0, 300)),
                stall=dice.choice((10.0, 60.0)),
                lifetime=dice.choice((None, None, 15.0)),
                merge_after=dice.choice((None, 0.1, 1.0)),
                max_merged_bytes=dice.choice((20, 16_384)),
            ),
            retention_seconds=dice.choice((5.0, 60.0, 60.0)),
            retention_bytes=dice.choice((10_000, 10**6)),
        )
