"""`python -m services.notifier`."""

from services.notifier.wiring import build
from services.plumbing.process import run

run(build)
