"""The register's tables, one module for a group of them; every function works in its caller's transaction."""
