"""Which request is sent when an event source has lost its connection, if any.

To read on is one thing, to ask again another.  RFC 9110 section 9.2.2,
https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2: "A user agent MUST NOT automatically retry a
request with a non-idempotent method unless it has some means to know that the request semantics are
actually idempotent, regardless of the method, or some means to detect that the original request was
never applied."  An event ID is no such means: it says where a stream was left, and not what another
POST does.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from ...headers import Headers
from ...urls import parse_url
from ..machine import HTTPRequest
from ..redirect import as_get, resolved

#: How an event source goes on, whose request has a method that is not safe.  ``None`` leaves it to the
#: answer; see :class:`Resumption`.
ResumeRule = Literal["get", "always", "never"]

#: Methods that only ask: RFC 9110 section 9.2.1, and QUERY and REPORT (RFC 3253 section 3.6), which are
#: registered as safe: https://www.iana.org/assignments/http-methods/http-methods.xhtml
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "QUERY", "REPORT"})

#: Of 500 and above, those that say that the request was not carried out: 503 is "currently unable to
#: handle the request" (RFC 9110 section 15.6.4), 529 is what providers send when they are overloaded.
#: Behind a 500, 502 or 504 it may have been.
_NOT_DONE = frozenset({503, 529})

_CREATED, _ACCEPTED = 201, 202


class Resumption:
    """What an event source asks for next.

    A request with a safe method is sent again whenever a connection is gone, as WHATWG HTML says
    (``"never"``: not once it was answered).  With any other method, ``rule`` decides:

    - ``None``: it is never repeated.  What its answer calls its own place is read on by GET:
      ``Content-Location``, else the ``Location`` of a 201 or 202, if that is of the same origin.
    - ``"get"``: it is never repeated.  Its answer is read on by GET at the same URL; after a proper
      end only if the server has sent ``retry``.
    - ``"always"``: it is repeated after a cut, never after a proper end.
    - ``"never"``: it is never repeated, and its answer is not read on.

    Whatever the rule, a request that was certainly not carried out may be sent again: its connection
    was not made, or its answer says so.
    """

    def __init__(self, request: HTTPRequest, rule: ResumeRule | None) -> None:
        if rule not in {None, "get", "always", "never"}:
            raise ValueError(f"resume must be 'get', 'always', 'never' or None, not {rule!r}")
        self.request: HTTPRequest = request  #: what the next attempt begins with
        self._rule = rule
        self._asks_only = request.method in SAFE_METHODS
        self._has_place = False  # the answer is read on by GET
        self._was_accepted = False
        self._may_be_done = False

    def renew_headers(self, headers: Headers) -> None:
        """What the next attempt begins with has other fields."""
        renewed = dataclasses.replace(self.request, headers=headers)
        self.request = as_get(renewed, renewed.url) if self._has_place else renewed

    def accepts(self, status: int, method: str) -> bool:
        """Whether an event stream with this status, in answer to ``method``, is one to be read.

        WHATWG HTML 9.2.2 wants 200; for its GET.
        """
        return status == 200 or (status in {_CREATED, _ACCEPTED} and method not in SAFE_METHODS)

    def sent(self) -> None:
        """The request is on its way: without an answer nobody knows what it did."""
        self._may_be_done = True

    def refused(self, status: int, headers: Headers) -> None:
        """The answer is a refusal that may pass."""
        # "x-should-retry: true" is the server's own word that to repeat it does no harm.
        says_so = headers.get("x-should-retry") == "true"
        self._may_be_done = not (says_so or status < 500 or status in _NOT_DONE)

    def redirected(self, *, as_another_method: bool) -> None:
        """The answer says to ask elsewhere: the same, or, by another method, what came of it."""
        self._may_be_done = as_another_method

    def accepted(self, url: str, status: int, headers: Headers) -> None:
        """``url`` has answered with a stream."""
        self._was_accepted = True
        if self._asks_only or self._has_place:
            return
        if self._rule == "get":
            self._read_on_at(self.request.url)
        elif self._rule is None:
            names = ["content-location"] + ["location"] * (status in {_CREATED, _ACCEPTED})
            for place in (self._place(url, headers.get(name)) for name in names):
                if place is not None:
                    self._read_on_at(place)
                    return

    def allows(self, *, ended: bool = False, has_retry: bool = False) -> bool:
        """Whether there may be another attempt.

        - ``ended``: the answer came to its proper end.
        - ``has_retry``: the server has sent ``retry``.
        """
        if self._rule == "never" and self._was_accepted:
            return False
        if self._asks_only:
            return True
        if self._has_place:
            return has_retry or not (ended and self._rule == "get")
        if self._rule == "always":
            return not ended
        return not self._may_be_done

    def _place(self, url: str, reference: str | None) -> str | None:
        """Where a reference leads, if that is the origin that got the request and that has answered.

        The request's fields may hold credentials: they go to no other origin.
        """
        place = None if reference is None else resolved(url, reference)
        if place is None:
            return None
        origins = {parse_url(each).origin for each in (place, url, self.request.url)}
        return place if len(origins) == 1 else None

    def _read_on_at(self, url: str) -> None:
        self.request = as_get(self.request, url)
        self._has_place = True
