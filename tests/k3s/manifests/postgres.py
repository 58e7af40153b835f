"""A real PostgreSQL, for what only one can answer."""

import subprocess

from .places import ROOT

SERVER = ".run/manifests-postgres"


def postgres(*arguments: str) -> str:
    """Calls scripts/postgres."""
    command = [ROOT / "scripts" / "postgres", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def sql(database: str, *statements: str) -> str:
    """What the server answers to its owner."""
    options = [option for statement in statements for option in ("-c", statement)]
    return postgres("psql", SERVER, database, "-qAt", *options).strip()
