"""What every service stands on: broker policy, outbox, inbox, database, clock, process. No word of the domain here."""
