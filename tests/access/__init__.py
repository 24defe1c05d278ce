"""Who may do what on Kafka: the file, the plan, and the broker's own answers."""
