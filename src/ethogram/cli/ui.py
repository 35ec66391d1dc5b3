"""`ethogram ui`: the study in a browser."""

from __future__ import annotations

from pathlib import Path

import click

from ethogram.cli.options import command, study_option


@command("ui", "ethogram ui", "ethogram ui my-study --port 8080 --no-browser")
@click.argument("study", required=False, type=click.Path(path_type=Path))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="Port; 0 takes a free one.",
)
@click.option(
    "--browser/--no-browser", default=True, show_default=True, help="Open the page in a browser."
)
@study_option
def ui_command(study: Path | None, port: int, browser: bool, folder: Path) -> None:
    """Open the study in the browser.

    The page is served to this machine only. Its address holds a token of this start, without which
    nothing is answered. Ctrl-C ends it; outputs made so far stay stored.
    """
    from ethogram.extras import require

    for module in ("fastapi", "uvicorn"):
        require(module, extra="ui", needed_for="`ethogram ui`")
    from ethogram.ui.context import Context
    from ethogram.ui.server import UiServer

    def say_serving() -> None:
        click.echo(f"The page of {context.name}: {server.address}")
        click.echo("Ctrl-C ends it.")
        if browser:
            import webbrowser

            webbrowser.open(server.address)

    context = Context(study or folder)
    server = UiServer(context, port=port, on_start=say_serving)
    server.run_here()
