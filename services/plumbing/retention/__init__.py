"""How long rows are kept, and how those that nobody needs any more are deleted: in small steps, and counted."""
