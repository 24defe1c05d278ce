"""The register over HTTP: one module for each resource, put together in `app`."""
