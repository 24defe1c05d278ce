"""`python -m deploy.dashboards`: write the dashboards anew."""

from pathlib import Path

from deploy.dashboards.pages import PAGES
from deploy.dashboards.written import as_json

for name, dashboard in PAGES.items():
    (Path(__file__).parent / name).write_text(as_json(dashboard), encoding="utf-8")
