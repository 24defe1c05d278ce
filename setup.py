"""Packs the wheel: one package, `pledgewire`, with `services`, `contracts` and `deploy` in a folder of it.

All else stands in pyproject.toml. Why so: docs/decisions/0063-one-name-in-the-wheel.md.
"""

from setuptools import find_namespace_packages, setup

OURS = ("services", "contracts", "deploy")
PLACE = "pledgewire.bundled"
DATA = {
    "contracts": ["**/*.json", "**/*.yaml", "**/*.md"],
    "deploy": ["**/*.toml", "**/*.yaml", "**/*.json", "**/*.html", "**/*.css", "**/*.js"],
    "services": [
        *("**/*.yaml", "**/*.txt", "**/*.md", "**/*.po", "**/*.html", "**/*.mjml", "**/*.css", "**/*.js", "**/*.svg"),
        *("**/*.mako", "**/*.jinja", "**/*.j2"),
    ],
}

# Folders without an __init__.py, too: Alembic's revisions, templates, schemas.
found = find_namespace_packages(
    include=[pattern for name in OURS for pattern in (name, f"{name}.*")], exclude=["deploy.wheel"]
)

setup(
    packages=["pledgewire", *(f"{PLACE}.{name}" for name in found)],
    package_dir={"pledgewire": "deploy/wheel"} | {f"{PLACE}.{name}": name for name in OURS},
    package_data={f"{PLACE}.{name}": patterns for name, patterns in DATA.items()},
)
