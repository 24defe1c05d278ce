"""What every HTTP interface here shares: application, problems, keys."""
