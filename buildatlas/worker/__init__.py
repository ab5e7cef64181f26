"""The worker: it claims builds from a server, has an executor run a command for each, and reports how they end."""
