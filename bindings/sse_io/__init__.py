"""What the bindings share: sockets that never wait, and one loop that steps many of them.

Nothing here waits, knows an event loop, reads a clock of its own or logs: see docs/readiness-loop.md.
"""
