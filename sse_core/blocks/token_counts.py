"""How many tokens a message took, whichever provider counted them.

The providers count differently.  Anthropic reports tokens that were read from or written to a cache
beside ``input_tokens``, OpenAI and Gemini count them among the prompt's; Gemini reports thoughts
beside ``candidatesTokenCount``, the others count them among the output's.  Here ``input`` and
``output`` are everything, and the other figures are parts of them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from .strict_json import JSON, JSONObject

#: What is beyond is no figure: a sum of such could be longer than a number that can be written.
_MAX_COUNT = 2**63
#: The field of a ``usage`` object that holds the counts, where its dialect has counted them itself.
COUNTED = "token_counts"


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens: those of the request and of the answer, and which of them were special.

    A figure that the provider did not give is ``None``.
    """

    input: int | None = None  #: all of the request, cached ones among them
    output: int | None = None  #: all of the answer, reasoning among them
    cache_read: int | None = None  #: of ``input``: read from a cache
    cache_written: int | None = None  #: of ``input``: written to a cache
    reasoning: int | None = None  #: of ``output``

    @property
    def total(self) -> int | None:
        """Input and output together; ``None`` where either is unknown."""
        return None if self.input is None or self.output is None else self.input + self.output

    @classmethod
    def of(cls, usage: JSONObject) -> TokenCounts:
        """What a provider's ``usage`` object says; which provider's it is shows in its names."""
        if isinstance(usage.get(COUNTED), dict):
            return cls(**{field.name: _count(usage[COUNTED].get(field.name)) for field in fields(cls)})
        if "prompt_tokens" in usage or "completion_tokens" in usage:
            return _openai(usage, "prompt_tokens", "completion_tokens")
        if "input_tokens_details" in usage or ("input_tokens" in usage and "total_tokens" in usage):
            return _openai(usage, "input_tokens", "output_tokens")
        if "promptTokenCount" in usage or "totalTokenCount" in usage:
            return _gemini(usage)
        return _anthropic(usage)

    def counted(self) -> JSONObject:
        """The field that has :meth:`of` read a ``usage`` object as these, whatever else is in it."""
        return {COUNTED: {name: count for name, count in asdict(self).items() if count is not None}}

    def named(self) -> JSONObject:
        """These counts as a ``usage`` object with Anthropic's names."""
        parts = {
            "cache_read_input_tokens": self.cache_read,
            "cache_creation_input_tokens": self.cache_written,
        }
        cached = sum(count or 0 for count in parts.values())
        beside = None if self.input is None else max(self.input - cached, 0)
        counts = {"input_tokens": beside, "output_tokens": self.output, **parts}
        details = {} if self.reasoning is None else {"thinking_tokens": self.reasoning}
        known: JSONObject = {name: count for name, count in counts.items() if count is not None}
        return {**known, "output_tokens_details": details} if details else known


def _openai(usage: JSONObject, prompt: str, completion: str) -> TokenCounts:
    return TokenCounts(
        input=_count(usage.get(prompt)),
        output=_count(usage.get(completion)),
        cache_read=_detail(usage, f"{prompt}_details", "cached_tokens"),
        cache_written=_detail(usage, f"{prompt}_details", "cache_write_tokens"),
        reasoning=_detail(usage, f"{completion}_details", "reasoning_tokens"),
    )


def _anthropic(usage: JSONObject) -> TokenCounts:
    read = _count(usage.get("cache_read_input_tokens"))
    written = _count(usage.get("cache_creation_input_tokens"))
    return TokenCounts(
        input=_sum(_count(usage.get("input_tokens")), read, written),
        output=_count(usage.get("output_tokens")),
        cache_read=read,
        cache_written=written,
        reasoning=_detail(usage, "output_tokens_details", "thinking_tokens"),
    )


def _gemini(usage: JSONObject) -> TokenCounts:
    reasoning = _count(usage.get("thoughtsTokenCount"))
    return TokenCounts(
        input=_sum(_count(usage.get("promptTokenCount")), _count(usage.get("toolUsePromptTokenCount"))),
        output=_sum(_count(usage.get("candidatesTokenCount")), reasoning),
        cache_read=_count(usage.get("cachedContentTokenCount")),
        reasoning=reasoning,
    )


def _count(value: JSON) -> int | None:
    return value if type(value) is int and 0 <= value < _MAX_COUNT else None


def _detail(usage: JSONObject, name: str, field: str) -> int | None:
    details = usage.get(name)
    return _count(details.get(field)) if isinstance(details, dict) else None


def _sum(first: int | None, *others: int | None) -> int | None:
    """The sum, if there is a first figure; a missing one of the others counts nothing."""
    return None if first is None else first + sum(count or 0 for count in others)
