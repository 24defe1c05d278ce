"""One file for each channel: how news look there, and what is escaped and cut on the way."""
