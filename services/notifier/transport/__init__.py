"""Out of the process: HTTP with an SSRF guard, SMTP, and what an answer means."""
