"""`python -m services.scheduler`."""

from services.plumbing.process import run
from services.scheduler.wiring import build

run(build)
