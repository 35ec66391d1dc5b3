"""`ethogram serve`: versions behind an HTTP interface that OpenAI's clients speak."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from pathlib import Path

import click

from ethogram.cli.options import command, open_study, say_loading, study_option


@command(
    "serve",
    "ethogram serve",
    "ethogram serve v0.1.0 v0.2.0 --port 8000",
    "ethogram serve --model smollm2-135m-instruct",
)
@click.argument("versions", nargs=-1)
@click.option("--model", help="Serve this model with default decoding, without a study.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port; 0 takes a free one.",
)
@click.option(
    "--api-key-file",
    type=click.Path(path_type=Path),
    help="File of API keys, one a line. More may be in ETHOGRAM_API_KEYS, separated by commas.",
)
@click.option(
    "--max-rows",
    type=click.IntRange(1, 1024),
    default=64,
    show_default=True,
    help="Outputs of one model in progress at once.",
)
@click.option(
    "--max-waiting",
    type=click.IntRange(0, 100_000),
    default=256,
    show_default=True,
    help="Outputs that wait beyond these; further ones are refused with status 429.",
)
@click.option(
    "--max-tokens",
    type=click.IntRange(16),
    default=2048,
    show_default=True,
    help="Most tokens of prompt and output of a request.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=600.0,
    show_default=True,
    help="Seconds that a request may take.",
)
@click.option("--log-requests", is_flag=True, help="Log each request as JSON, without prompts.")
@study_option
def serve_command(
    versions: tuple[str, ...],
    model: str | None,
    host: str,
    port: int,
    api_key_file: Path | None,
    max_rows: int,
    max_waiting: int,
    max_tokens: int,
    timeout: float,
    log_requests: bool,
    folder: Path,
) -> None:
    """Serve versions to OpenAI's clients.

    The name of a model is the name of a version. Without VERSIONS, all that the engine can generate
    are served. Ctrl-C, or SIGTERM, lets running requests finish.
    """
    from ethogram.extras import require

    for module in ("starlette", "uvicorn", "prometheus_client"):
        require(module, extra="serve", needed_for="`ethogram serve`")
    from ethogram.serve.catalogue import of_model, of_study
    from ethogram.serve.server import LOOPBACK, Server, make_service, read_keys
    from ethogram.serve.service import Limits
    from ethogram.stages import over

    if model and versions:
        raise click.UsageError("--model serves no study; leave the versions out")
    keys = read_keys(os.environ.get("ETHOGRAM_API_KEYS", ""), api_key_file)
    if log_requests:
        handler = logging.StreamHandler()
        logger = logging.getLogger("ethogram.serve.requests")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    limits = Limits(
        max_rows=max_rows, max_waiting=max_waiting, max_tokens=max_tokens, timeout=timeout
    )
    with ExitStack() as opened:
        study = None if model else opened.enter_context(open_study(folder))
        catalogue = of_model(model) if model else of_study(study, versions)  # type: ignore[arg-type]
        encoder = study.spec.settings.scoring.encoder if study else None
        loading = say_loading(quiet=False)
        service = make_service(catalogue, limits, loading, encoder=encoder)

        def say_serving() -> None:
            over()
            click.echo(f"Serving {', '.join(catalogue.names)} at {server.url}/v1")

        server = Server(service, host=host, port=port, keys=keys, on_start=say_serving)
        if host not in LOOPBACK and not keys:
            click.echo("Anyone who can reach this address can use it: no API key is set.", err=True)
        server.run_here()
