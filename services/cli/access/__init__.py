"""`pledgewire access`: who may do what: on Kafka from one file, in PostgreSQL by a role for each service."""
