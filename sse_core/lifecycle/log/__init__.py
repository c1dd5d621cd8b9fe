"""The events of one stream, numbered and kept, and those who read them."""
