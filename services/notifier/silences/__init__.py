"""Silences: what an operator, or a ministry for its own subscriptions, has said is not to be told for a while."""
