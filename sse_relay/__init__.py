"""The relay: a provider's stream to browsers and SDKs, measured, stoppable, resumable."""
