"""The command line of the Spark and warehouse steps, and of tools: `python -m jobs --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

from schemas.lake import Lake
from schemas.pipeline import GATE, INGEST
from schemas.run import command_line, journal
from schemas.run.settings import Settings, parse_ds
from schemas.step import Step


def main(arguments: list[str] | None = None) -> int:
    """Run one command of `python -m jobs`; returns the exit code."""
    options = _parser().parse_args(arguments)
    return command_line.run(lambda: options.command(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jobs", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for step, command in command_line.add_steps(commands, "jobs").items():
        command.set_defaults(command=_run_step, options=())
        if step is INGEST:
            _add_guard(command)
        if step is GATE:
            _add_choice(command)
    fetch = _command(commands, "fetch", "fetch a public data set, once", _fetch)
    fetch.add_argument("--dataset", default="ml-100k", help="its spec's name (default: ml-100k)")
    about = "show what a source holds and what of it is wrong, before a first night"
    describe = _command(commands, "describe-source", about, _describe)
    describe.add_argument(
        "--source", type=Path, metavar="PATH", help="the folder (default: COLDSTART_SOURCE)"
    )
    describe.add_argument(
        "--spec", type=Path, metavar="FILE",
        help="the dataset spec (default: the folder's dataset.toml, or a bundled one that fits)",
    )  # fmt: skip
    synthetic = _command(commands, "synthesise", "make up a data set of any size", _synthesise)
    for name, about in (
        ("users", "how many users"),
        ("items", "how many items"),
        ("interactions", "how many interactions"),
        ("days", "over how many days"),
        ("seed", "the same seed and options give the same files"),
    ):
        synthetic.add_argument(f"--{name}", type=int, required=True, help=about)
    for name in ("user", "item"):
        about = f"of the {name}s' power law, 0 makes all alike (default: 1)"
        synthetic.add_argument(f"--{name}-exponent", type=float, default=1.0, help=about)
    synthetic.add_argument("--to", type=Path, required=True, help="the new folder")
    summary = _command(commands, "summary", "print what a night published", _summary)
    summary.add_argument("--ds", required=True, help="the UTC day of the night, YYYY-MM-DD")
    about = "print what a query on the warehouse gives, or write it to a file"
    query = _command(commands, "query", about, _query)
    query.add_argument("sql", help='for example "SELECT * FROM coldstart.latest_evidence_items"')
    query.add_argument("--to", type=Path, metavar="FILE", help="a .csv or .parquet file to write")
    about = "remove what is older than some days before the latest published ds"
    prune = _command(commands, "prune", about, _prune)
    prune.add_argument("--keep-days", type=int, required=True, metavar="N", help="days that stay")
    prune.add_argument("--delete", action="store_true", help="remove it; without, only say what")
    server = _command(commands, "spark-server", "serve Spark Connect on 127.0.0.1", _serve)
    server.add_argument("--port", type=int, required=True, help="the port to listen on")
    return parser


def _command(
    commands: command_line.Commands,
    name: str,
    description: str,
    function: Callable[[argparse.Namespace], None],
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=description, description=description)
    command.set_defaults(command=function)
    return command


def _add_guard(ingest: argparse.ArgumentParser) -> None:
    about = "stop unless the source holds this data set"
    ingest.add_argument("--dataset", metavar="NAME", help=about)
    ingest.set_defaults(options=("dataset",))


def _add_choice(gate: argparse.ArgumentParser) -> None:
    gate.add_argument(
        "--choose",
        choices=("compare", "challenger", "champion"),
        default="compare",
        help="compare (the default) goes by the rules; challenger publishes the new model whatever "
        "its quality, champion the one published last",
    )
    gate.add_argument(
        "--tolerance",
        type=float,
        default=0.01,
        help="the share by which the new model may be worse than the champion (default: 0.01)",
    )
    gate.set_defaults(options=("choose", "tolerance"))


def _run_step(options: argparse.Namespace) -> None:
    settings, ds = Settings.from_environment(), parse_ds(options.ds)
    step: Step = options.step
    lock = Lake(root=settings.lake).step_lock(step.name, ds)
    with journal.step(settings.journals, step.name, ds) as record, lock:
        # Imported inside the step: pyspark and Great Expectations take seconds to load, which each
        # command should pay only for what it uses, and which counts as its time.
        run = step.function()
        own = {option: getattr(options, option) for option in options.options}
        run(settings, ds, record, **({"model": options.model} if step.takes_model else {}), **own)


def _fetch(options: argparse.Namespace) -> None:
    from jobs.tools import fetch

    fetch.run(Settings.from_environment(), options.dataset)


def _synthesise(options: argparse.Namespace) -> None:
    from jobs.tools import synthesise
    from jobs.tools.synthetic import Market

    numbers = {name: getattr(options, name) for name in Market.__dataclass_fields__}
    synthesise.run(Settings.from_environment(), Market(**numbers), options.to.absolute())


def _summary(options: argparse.Namespace) -> None:
    from jobs.tools import summary

    ds: date = parse_ds(options.ds)
    summary.run(Settings.from_environment(), ds)


def _query(options: argparse.Namespace) -> None:
    from jobs.tools import query

    query.run(Settings.from_environment(), options.sql, options.to)


def _prune(options: argparse.Namespace) -> None:
    from jobs.tools import prune

    prune.run(Settings.from_environment(), options.keep_days, is_real=options.delete)


def _describe(options: argparse.Namespace) -> None:
    from jobs.tools import describe

    describe.run(Settings.from_environment(), options.source, options.spec)


def _serve(options: argparse.Namespace) -> None:
    from jobs.spark import server as spark_server

    spark_server.serve(options.port)


if __name__ == "__main__":
    sys.exit(main())
