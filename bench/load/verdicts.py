"""What a scenario has found: a line for each verdict, and how many have not been met."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Verdicts:
    """Prints each verdict when it is known."""

    scenario: str = ""
    unmet: int = 0
    all: list[dict[str, object]] = field(default_factory=list)

    def holds(self, claim: str, seen: object, *, met: bool) -> None:
        """Say whether ``claim`` is met by what was ``seen``."""
        self.unmet += not met
        self.all.append({"scenario": self.scenario, "claim": claim, "seen": str(seen), "met": met})
        print(f"{'ok  ' if met else 'FAIL'} {self.scenario}: {claim}: {seen}", flush=True)

    def note(self, text: str) -> None:
        """Say what is no verdict."""
        print(f"     {self.scenario}: {text}", flush=True)

    def at_most(self, claim: str, seen: float, bound: float, unit: str) -> None:
        """``seen`` must not be above ``bound``."""
        self.holds(claim, f"{seen:,.1f} {unit} of at most {bound:,.1f}", met=seen <= bound)
