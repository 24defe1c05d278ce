"""The command line: runs, prepares, plays and checks the whole. The one place that sees all services, from outside."""
