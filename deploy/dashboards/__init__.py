"""Dashboards for Grafana, written by this code: `python -m deploy.dashboards` writes the JSON files beside it."""
