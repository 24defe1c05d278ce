"""A seeded simulation of the notifier: the real rules over the real store, with time and chance from one number."""
