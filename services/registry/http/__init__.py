"""The register over HTTP: forms in, entries out, one file for each resource."""
