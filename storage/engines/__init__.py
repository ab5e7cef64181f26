"""The kinds of databases: connections, transactions, and the moves of the event log, each in its own way."""
