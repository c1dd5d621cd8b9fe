"""One turn of a language model: its attempts, what it gives out, and its one outcome."""
