"""`pledgewire kubernetes`: writes the manifests. Imports are inside, so that help is instant."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import ASKED_WRONGLY, FAILED, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping

kubernetes = typer.Typer(help="Manifests for a cluster.", no_args_is_help=True)

Values = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="What the cluster is like.", show_default="deploy/kubernetes/values.yaml"),
]
Access = Annotated[
    Path | None, typer.Option(envvar="ACCESS_FILE", help="Who may do what on Kafka.", show_default="deploy/access.yaml")
]


@kubernetes.command("write")
def kubernetes_write(
    folder: Annotated[Path, typer.Argument(help="Where to write them; what we wrote there before is replaced.")],
    *,
    values: Values = None,
    file: Access = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; end with 1 where anything differs.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """Write the manifests: namespace, Kafka, topics, users, database, network, migration, services, scaling."""
    from services.cli.kubernetes.manifests import differing, write_into

    texts = _rendered(values, file)
    try:
        changed = differing(folder, texts) if check else write_into(folder, texts)
    except OSError as error:
        raise EmbeddedError(
            f"{folder} can't be written: {error.strerror}", "name a folder of yours", ASKED_WRONGLY
        ) from error
    if json:
        print_json({"items": changed})
    else:
        for name in changed:
            typer.echo(f"{'differs' if check else 'written'}: {name}")
        if not changed:
            typer.echo("all manifests are as they should be")
    if check and changed:
        raise typer.Exit(FAILED)


def _rendered(values: Path | None, file: Path | None) -> "Mapping[str, str]":
    from services.cli.access.document import SHIPPED as SHIPPED_ACCESS
    from services.cli.access.document import read_access
    from services.cli.kubernetes.manifests import rendered
    from services.cli.kubernetes.values import SHIPPED, read_values
    from services.cli.yaml_files import YamlFileError

    try:
        return rendered(read_access(file or SHIPPED_ACCESS), read_values(values or SHIPPED))
    except YamlFileError as error:
        raise EmbeddedError(str(error), "docs/kubernetes.md shows the files", ASKED_WRONGLY) from error
