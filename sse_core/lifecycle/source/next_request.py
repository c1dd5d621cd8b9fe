"""What an event source sends next: the request that an attempt begins with, or where a redirect led it."""

from __future__ import annotations

import dataclasses

from ...headers import Headers
from ..machine import HTTPRequest
from ..redirect import redirected, too_many_redirects
from .event_queue import id_as_field
from .resumption import ResumeRule, Resumption


class NextRequest:
    """The request of this attempt, or of the next one.

    - ``request``: what the first attempt begins with.
    - ``rule``: what follows it: :class:`.resumption.Resumption`.
    - ``max_redirects``: of one attempt.

    Raises ``ValueError`` for an unknown ``rule``, and for ``max_redirects`` below zero.
    """

    def __init__(self, request: HTTPRequest, rule: ResumeRule | None, max_redirects: int) -> None:
        if max_redirects < 0:
            raise ValueError("max_redirects must not be below zero")
        self.resumption: Resumption = Resumption(request, rule)
        self._request = request
        self._redirects = 0
        self._max_redirects = max_redirects

    @property
    def url(self) -> str:
        """Where it is sent."""
        return self._request.url

    @property
    def method(self) -> str:
        """Its method."""
        return self._request.method

    def begin_anew(self) -> None:
        """Another attempt begins where the first one did, or where the first one's answer is read on."""
        self._request = self.resumption.request
        self._redirects = 0

    def renew_headers(self, headers: Headers) -> None:
        """Send ``headers`` from the next attempt on; one that was redirected goes on as it is."""
        self.resumption.renew_headers(headers)
        if not self._redirects:
            self._request = self.resumption.request

    def follow(self, status: int, headers: Headers) -> None:
        """Go where the answer, a redirect, leads.

        Raises ``RemoteProtocolError`` where that is forbidden, ``LimitExceeded`` for one too many.
        """
        if self._redirects >= self._max_redirects:
            raise too_many_redirects(self._max_redirects)
        following = redirected(self._request, status, headers)
        # "See what came of it": a POST that is to become a GET was received.
        self.resumption.redirected(as_another_method=following.method != self._request.method)
        self._request = following
        self._redirects += 1

    def after(self, event_id: str) -> HTTPRequest:
        """The request as it is sent, for what follows ``event_id``; all of it where that is empty."""
        # 9.2.2 sets "Accept" and the cache mode "no-store", for which Fetch sends `no-cache` twice,
        # where nobody has set them.
        defaults = {"accept": "text/event-stream", "cache-control": "no-cache", "pragma": "no-cache"}
        headers = self._request.headers
        fields = {name: value for name, value in defaults.items() if name not in headers}
        if event_id:
            fields["last-event-id"] = id_as_field(event_id)
        return dataclasses.replace(self._request, headers=headers.replaced(fields))
