"""What the machine itself gives: room on the disk, the time, zone data, names, and certificates that hold."""

import asyncio
import ctypes
import re
import shutil
import socket
import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from services.cli.doctor.diagnosis import Diagnosis, good, unknown, wrong
from services.plumbing.zones import ZONE_DATA

LEAST_BYTES = 2_000_000_000
LEAST_SHARE = 0.05
"""Less room than this, or than this share of the disk, and Kafka or PostgreSQL may stop in the middle of a night."""
NEAR_END = timedelta(days=14)
"""A certificate that ends sooner is to be renewed now."""
OLDEST_ZONE_DATA = 2
"""Years after which a release is too old: governments change their clocks more often than that."""
LARGEST_SKEW = timedelta(seconds=2)

_MB = 1_000_000
_NOT_SYNCHRONISED = 5
"""What adjtimex(2) gives where nobody disciplines the clock: TIME_ERROR."""
_TIMEX_BYTES = 512


def look_at_disk(folder: Path) -> Diagnosis:
    """Whether there is room where the state lies."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    usage = shutil.disk_usage(there)
    free, share = usage.free // _MB, usage.free / usage.total
    what = f"{free:,} MB free, {share:.0%}, at {folder}"
    if usage.free < LEAST_BYTES or share < LEAST_SHARE:
        return wrong("disk", what, "make room there, or move the state folder to a larger disk (--state)")
    return good("disk", what)


def look_at_clock(settable: str) -> Diagnosis:
    """Whether this machine goes by a clock that somebody keeps right."""
    if settable:
        return wrong(
            "clock",
            f"a settable clock is used: {settable}",
            "unset PLEDGEWIRE_CLOCK_FILE: it is for the demo and tests",
        )
    match _is_synchronised():
        case True:
            return good("clock", "the kernel's clock is kept right from outside")
        case False:
            return unknown(
                "clock",
                "nobody keeps the kernel's clock right, as far as it knows",
                "turn on NTP: timedatectl set-ntp true (a virtual machine's host may do it)",
            )
    return unknown("clock", "the kernel doesn't say whether somebody keeps its clock right")


def compared_clocks(here: datetime, there: datetime, where: str) -> Diagnosis:
    """Whether two clocks agree, once it is known what both showed at one moment."""
    skew = abs(here - there)
    if skew > LARGEST_SKEW:
        return wrong(
            "clocks", f"this machine and {where} differ by {skew.total_seconds():.1f} s", "turn on NTP on both of them"
        )
    return good("clocks", f"this machine and {where} agree")


def look_at_zone_data(now: datetime, release: str = ZONE_DATA) -> Diagnosis:
    """Whether the zone data is new enough to know the clocks of this year."""
    found = re.fullmatch(r"(\d{4})\.(\d+)", release)
    if not found:
        return unknown("zone data", f"release {release} has no year in its name")
    if now.year - int(found[1]) >= OLDEST_ZONE_DATA:
        return wrong("zone data", f"release {release} is old", "update Pledgewire, or the package tzdata alone")
    return good("zone data", f"release {release}")


async def look_up(hosts: tuple[str, ...]) -> list[Diagnosis]:
    """Whether each host is found by its name."""
    loop = asyncio.get_running_loop()

    async def one(host: str) -> str | None:
        try:
            async with asyncio.timeout(5):
                await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError, UnicodeError):
            return host
        return None

    lost = [host for host in await asyncio.gather(*map(one, hosts)) if host]
    if lost:
        return [
            wrong(
                "DNS", f"no address is known for {host}", "correct the name in the settings, or in the zone of its DNS"
            )
            for host in lost
        ]
    return [good("DNS", f"all names are found: {', '.join(hosts)}" if hosts else "no names are in the settings")]


def look_at_certificate(certificate: Path, key: Path, host: str, now: datetime) -> Diagnosis:
    """Whether a certificate's files fit each other and their host, and hold for a while yet."""
    from deploy.embedded.certificates import certificate_end, keystore
    from deploy.embedded.errors import EmbeddedError

    name = f"certificate {certificate.name}"
    try:
        ends = certificate_end(certificate)
        keystore(certificate, key, host or _own_name(certificate), now)
    except EmbeddedError as error:
        return wrong(name, error.what, error.how)
    return _lasting(name, ends, now)


async def look_at_served_certificate(url: str, now: datetime) -> Diagnosis:
    """The certificate that readers are shown at an https address, verified as their browsers do."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    name = f"certificate of {host}:{port}"
    try:
        async with asyncio.timeout(8):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        return wrong(
            name, f"browsers refuse it: {error.verify_message}", "have one made for this host, and renew it in time"
        )
    except (OSError, TimeoutError) as error:
        return wrong(
            name, f"nobody answers there: {type(error).__name__}", f"see that the proxy listens at {host}:{port}"
        )
    shown = writer.get_extra_info("peercert")
    writer.close()
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)
    return _lasting(name, ends, now)


def _lasting(name: str, ends: datetime, now: datetime) -> Diagnosis:
    what = f"ends {ends:%Y-%m-%d}, in {(ends - now).days} days"
    return wrong(name, what, "renew it now") if ends - now < NEAR_END else good(name, what)


def _own_name(certificate: Path) -> str:
    from deploy.embedded.certificates import certificate_hosts

    return next(iter(certificate_hosts(certificate)), "")


def _is_synchronised() -> bool | None:
    """What adjtimex(2) says, which anybody may ask; None where there is no such call."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        asked = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    state = asked(ctypes.create_string_buffer(_TIMEX_BYTES))  # all zero: modes = 0 changes nothing
    return None if state < 0 else state != _NOT_SYNCHRONISED
