"""Out of the process: HTTP with an SSRF guard at every connect, SMTP, and the resolver."""
