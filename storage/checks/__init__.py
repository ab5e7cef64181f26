"""What can be wrong with a database, how it is found, and how it is mended."""
