"""Anthropic's Messages API: https://docs.claude.com/en/api/messages."""

from __future__ import annotations

from sse_core import dialects
from sse_core.blocks.strict_json import JSONObject

from .route import Route

#: Source: https://docs.claude.com/en/api/errors.  The last four are ours.
_ERROR_TYPES = {
    "invalid_request": "invalid_request_error",
    "authentication": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "too_large": "request_too_large",
    "rate_limit": "rate_limit_error",
    "overloaded": "overloaded_error",
    "timeout": "timeout_error",
    "server": "api_error",
    "conflict": "conflict_error",
    "gone": "gone_error",
    "misdirected": "misdirected_request_error",
    "stopped": "turn_stopped",
}


def _error_body(status: int, error_type: str, message: str) -> JSONObject:  # noqa: ARG001  (others have it in the body)
    return {"type": "error", "error": {"type": error_type, "message": message}}


ROUTE = Route(
    name="Messages",
    dialect=dialects.get("anthropic"),
    upstream="https://api.anthropic.com",
    model="claude-sonnet-4-5",
    passed_headers=("anthropic-version", "anthropic-beta"),
    returned_headers=("request-id", "anthropic-organization-id", "anthropic-ratelimit-*", "x-ratelimit-*"),
    error_types=_ERROR_TYPES,
    error_body=_error_body,
    max_body_bytes=32 * 1024 * 1024,  # https://docs.claude.com/en/api/overview
)
