"""One event source: connect, read, reconnect."""
