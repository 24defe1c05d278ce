"""What a service tells at `/metrics`, and by how much it moved."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Metrics:
    """By name, the value of each series by its labels; a histogram's `count` and `sum` stand under these words."""

    values: Mapping[str, Mapping[str, float]]

    @classmethod
    def read(cls, text: str) -> "Metrics":
        """Read the text format of Prometheus."""
        return cls(
            {
                family.name: {
                    " ".join(sample.labels.values())
                    or {"_count": "count", "_sum": "sum"}.get(sample.name.removeprefix(family.name), ""): sample.value
                    for sample in family.samples
                    if not sample.name.endswith("_created")
                }
                for family in text_string_to_metric_families(text)
            }
        )

    def moved(self, name: str, before: "Metrics") -> dict[str, float]:
        """Those series of this name that are others than before, with the difference."""
        earlier = before.values.get(name, {})
        found = {labels: value - earlier.get(labels, 0.0) for labels, value in self.values[name].items()}
        return {labels: difference for labels, difference in found.items() if difference}
