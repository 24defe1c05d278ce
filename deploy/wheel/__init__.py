"""What an installed Pledgewire begins with: the one package of ours that an environment sees.

The program's own packages are called `services`, `contracts` and `deploy`, which others may use too. In the wheel they
lie in a folder of this one, which only our processes have on their path (docs/decisions/0063-one-name-in-the-wheel.md).
"""

import runpy
import sys
from pathlib import Path

BUNDLED = Path(__file__).parent / "bundled"
"""Where `services`, `contracts` and `deploy` are."""


def main() -> None:
    """`pledgewire`, the command."""
    sys.path.insert(0, str(BUNDLED))  # before anything of the same name that this environment has
    runpy.run_module("services.cli.main", run_name="__main__")
