"""A bill of materials (CycloneDX 1.6, JSON) from a lock: each package with version, hashes and licence.

It says what the lock says and nothing else, so that two runs write the same: no time, and a serial number that follows
from the content.
"""

from collections.abc import Mapping, Sequence
from uuid import NAMESPACE_URL, uuid5

from deploy.embedded.errors import EmbeddedError
from services.cli import VERSION
from services.cli.packages.locked import LockedPackage


def bill_of_materials(packages: Sequence[LockedPackage], licences: Mapping[str, str]) -> str:
    """The document; raises EmbeddedError where the library that writes it is not installed."""
    try:
        from cyclonedx.contrib.license.factories import LicenseFactory
        from cyclonedx.model import HashAlgorithm, HashType
        from cyclonedx.model.bom import Bom, BomMetaData
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
        from packageurl import PackageURL
    except ImportError as error:
        raise EmbeddedError(
            "the library for bills of materials is not installed",
            "`./pledgewire test` prepares an environment that has it",
        ) from error
    make = LicenseFactory().make_from_string
    own = Component(
        name="pledgewire",
        version=VERSION,
        type=ComponentType.APPLICATION,
        bom_ref="pledgewire",
        licenses=[make("Apache-2.0")],
    )
    parts = [
        Component(
            name=one.name.rpartition(":")[2],
            group=one.name.rpartition(":")[0] or None,
            version=one.version,
            type=ComponentType.LIBRARY,
            bom_ref=one.purl,
            purl=PackageURL.from_string(one.purl),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in one.hashes],
            licenses=[make(licences[one.name])] if one.name in licences else [],
        )
        for one in packages
    ]
    content = "\n".join(f"{one.purl} {' '.join(one.hashes)}" for one in packages)
    bom = Bom(
        components=parts,
        serial_number=uuid5(NAMESPACE_URL, f"pledgewire {VERSION}\n{content}"),
        metadata=BomMetaData(component=own),
    )
    bom.metadata.timestamp = None  # type: ignore[assignment]  # by the standard it need not be there
    bom.register_dependency(own, parts)
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"
