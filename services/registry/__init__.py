"""The register of record: statements, commitments, milestones, anchors and status history."""
