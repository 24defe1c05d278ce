"""How fast old deliveries are pruned, and what that costs those that are sent meanwhile."""
