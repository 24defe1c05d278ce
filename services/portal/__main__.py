"""`python -m services.portal`."""

from services.plumbing.process import run
from services.portal.wiring import build

if __name__ == "__main__":
    run(build)
