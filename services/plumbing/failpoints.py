"""Places where a test kills this process, to show that nothing is lost there.

`PLEDGEWIRE_FAILPOINT=name` arms one; the process then dies by SIGKILL at its `failpoint("name")`, as it
would at a power cut, without any clean-up. Unarmed, a failpoint is an empty function.
"""

import os
import signal

_ARMED = os.environ.get("PLEDGEWIRE_FAILPOINT", "")


def _armed(name: str) -> None:
    if name == _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)


def _unarmed(name: str) -> None:
    """Do nothing."""


failpoint = _armed if _ARMED else _unarmed
