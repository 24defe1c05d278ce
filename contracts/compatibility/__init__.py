"""Whom a change of the contracts breaks: who reads, who writes, or nobody; and why. Pure."""
