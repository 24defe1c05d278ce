"""`python -m services.registry` runs the registry."""

from services.plumbing.process import run
from services.registry.wiring import build

if __name__ == "__main__":
    run(build)
