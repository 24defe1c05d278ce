"""Notices: what is sent beside the deliveries, of no event: links that somebody asked for, changes by a shared link."""
