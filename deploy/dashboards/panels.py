"""The kinds of panels that the dashboards are made of; every one asks the Prometheus that the reader has chosen."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, Row, ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    GraphGradientMode,
    GraphTresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    DataTransformerConfig,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

_PROMETHEUS = DataSourceRef(type_val="prometheus", uid="$prometheus")
_HEIGHT, _WIDTH = 7, 8
_OF_24 = 24
EVERY = "$__rate_interval"
"""Over which time a rate is taken, as Grafana reckons it from what is shown."""


@dataclass(frozen=True)
class Query:
    """One question in PromQL; `legend` names its series, with labels in double braces."""

    expression: str
    legend: str = ""


def _target(query: Query, number: int, *, instant: bool = False) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expression).legend_format(query.legend or "__auto")
    target = target.ref_id(chr(ord("A") + number)).datasource(_PROMETHEUS)
    return target.instant().format(PromQueryFormat.TABLE) if instant else target.range()


def _limit(above: float | None, *, below: bool = False) -> ThresholdsConfig:
    """Green, and red from `above` on; or red, and green from it on, where `below`."""
    first, then = ("red", "green") if below else ("green", "red")
    steps = [Threshold(color=first, value=None)]
    steps += [Threshold(color=then, value=above)] if above is not None else []
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def graph(
    title: str,
    about: str,
    *queries: Query,
    unit: str = "short",
    limit: float | None = None,
    width: int = _WIDTH,
) -> timeseries.Panel:
    """Lines over time. `limit` is where an alert begins; `about` says what to look for."""
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    panel = (
        timeseries.Panel()
        .title(title)
        .description(about)
        .datasource(_PROMETHEUS)
        .unit(unit)
        .min(0)
        .span(width)
        .height(_HEIGHT)
        .line_width(1)
        .fill_opacity(10)
        .gradient_mode(GraphGradientMode.NONE)
        .legend(legend.show_legend(True))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .thresholds(_limit(limit))
    )
    if limit is not None:
        dashed = common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED)
        panel = panel.thresholds_style(dashed)
    for number, query in enumerate(queries):
        panel = panel.with_target(_target(query, number))
    return panel


def number(
    title: str,
    about: str,
    query: Query,
    *,
    unit: str = "short",
    limit: float = 1,
    below: bool = False,
    width: int = 4,
) -> stat.Panel:
    """One figure, red from `limit` on, or `below` it."""
    return (
        stat.Panel()
        .title(title)
        .description(about)
        .datasource(_PROMETHEUS)
        .unit(unit)
        .span(width)
        .height(4)
        .color_mode(BigValueColorMode.BACKGROUND)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_limit(limit, below=below))
        .with_target(_target(query, 0))
    )


def rows(title: str, about: str, *queries: Query, width: int = _OF_24) -> table.Panel:
    """A table of what is now, one column for each query."""
    panel = table.Panel().title(title).description(about).datasource(_PROMETHEUS).span(width).height(_HEIGHT)
    for count, query in enumerate(queries):
        panel = panel.with_target(_target(query, count, instant=True))
    return panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))


def page(uid: str, title: str, about: str) -> Dashboard:
    """An empty dashboard, over the last three hours, with a choice of the Prometheus to ask."""
    return (
        Dashboard(title)
        .uid(uid)
        .description(about)
        .tags(["pledgewire"])
        .time("now-3h", "now")
        .refresh("30s")
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(DatasourceVariable("prometheus").label("Prometheus").type("prometheus"))
    )


def section(title: str) -> Row:
    """A heading between panels."""
    return Row(title)
