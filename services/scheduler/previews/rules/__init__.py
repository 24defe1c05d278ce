"""What is to come of a milestone, what became of a reminder, and the sentences that say why. Pure."""
