"""A mailbox and a chat receiver that really listen, and a page to read in what came: `/dev/inbox`.

For demos and tests: `python -m deploy.embedded.inbox` takes mail over SMTP and posts of chats and webhooks over HTTP,
refuses what Slack, Teams or a verifying webhook receiver would refuse, and keeps the rest in memory. `Inbox` (in
`receiver.py`) is the same in one's own process.
"""
