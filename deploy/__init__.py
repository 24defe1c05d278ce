"""How Pledgewire is run: images, manifests, dashboards, and the Kafka and PostgreSQL it brings along."""
