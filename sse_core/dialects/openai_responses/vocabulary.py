"""How a response ended, what it took and what it cites, in Responses' words, wherever it came from.

Source: https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

from ...blocks.stop_reasons import StopReason, meaning_of, tools_may_run_after
from ...blocks.strict_json import JSONObject
from ...blocks.token_counts import TokenCounts
from ..base import Fit

NAME = "openai-responses"
#: What a stop reason means -> the reason of a response that is incomplete.
_REASONS: dict[StopReason, str] = {"max_tokens": "max_output_tokens", "refusal": "content_filter"}
#: Where nobody said why; the second is what the decoder calls a response that is incomplete for no reason.
_UNSAID = (None, "incomplete")


def shape(kind: str, _: JSONObject) -> Fit | None:
    """How an event of this type fits the protocol."""
    return "certain" if kind.startswith("response.") else None


def ending(stop_reason: str | None, *, calls: bool, cut_call: bool) -> tuple[str, str | None]:
    """The status of a response and, where it is ``incomplete``, the reason.

    - ``calls``: a client could run calls of it.
    - ``cut_call``: one of them is not whole.

    A completed response is one whose calls are to be run, so what forbids that is incomplete.  A reason that
    has no word here stays as it is.
    """
    if not cut_call and (tools_may_run_after(stop_reason) or (not calls and _may_end_text(stop_reason))):
        return "completed", None
    if stop_reason in _UNSAID:
        return "incomplete", None
    if tools_may_run_after(stop_reason):
        return "incomplete", "max_output_tokens"  # the call was cut, and nobody said why
    return "incomplete", _REASONS.get(meaning_of(stop_reason), stop_reason)


def usage(figures: JSONObject) -> JSONObject | None:
    """Usage as Responses counts it: as it is, if it has these names; ``None`` where there is none.

    OpenAI's clients need every figure of these: one that the provider did not give is 0.  Only what
    was written to a cache is left out then, as not every host counts it.
    """
    if not figures:
        return None
    if "input_tokens_details" in figures or ("input_tokens" in figures and "total_tokens" in figures):
        return dict(figures)
    counts = TokenCounts.of(figures)
    read: JSONObject = {"cached_tokens": counts.cache_read or 0}
    written = {} if counts.cache_written is None else {"cache_write_tokens": counts.cache_written}
    return {
        "input_tokens": counts.input or 0,
        "input_tokens_details": {**read, **written},
        "output_tokens": counts.output or 0,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning or 0},
        "total_tokens": (counts.input or 0) + (counts.output or 0),
    }


def cited(citations: list[JSONObject], *, own: bool) -> list[JSONObject]:
    """Citations as Responses has them: its own as they are, of others those that have a form in it.

    Chat completions have the fields of a URL's citation one level deeper.  What cites otherwise, by other
    places of the text or of the source, has no form.
    """
    if own:
        return list(citations)
    return [
        {"type": "url_citation", **citation["url_citation"]}
        for citation in citations
        if citation.get("type") == "url_citation" and isinstance(citation.get("url_citation"), dict)
    ]


def _may_end_text(stop_reason: str | None) -> bool:
    return stop_reason is None or meaning_of(stop_reason) == "stop_sequence"
