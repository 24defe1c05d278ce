"""Kafka: how it is reached, written and read; settings that lose nothing, and one decision for each record."""
