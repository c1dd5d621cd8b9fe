"""The protocols that the relay speaks: a file each, and this list of them."""

from __future__ import annotations

from . import anthropic
from .route import Route, credential_fields

#: What is not a route's own answer is in the shape of the first one's protocol.
ROUTES = (anthropic.ROUTE,)

__all__ = ["ROUTES", "Route", "credential_fields"]
