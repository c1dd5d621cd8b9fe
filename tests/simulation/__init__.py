"""A seeded world in virtual time: providers, networks, a server's machines, and clients that misbehave."""
