"""Reminders: planned from milestones, claimed when due, published once."""
