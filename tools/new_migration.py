"""Write the first migration of a package from the tables its code declares: `python -m tools.new_migration accounts`.

The file is explicit code from then on: read it, and write the next ones (`0002_...`) by hand. `--again` writes the first one anew,
for as long as nobody has run it.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Final, Literal

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import CreateIndexOp, CreateTableOp, UpgradeOps
from sqlalchemy.types import TypeDecorator, TypeEngine

from limen.app import discover
from limen.platform import sql
from limen.platform.sql.dialects import SQLITE
from limen.platform.sql.tables import ONLY

_OURS: Final = {"Id": "Id()", "Instant": "Instant()", "Json": "Json()", "Choice": "sa.Text()", "TransactionId": "TransactionId()"}

_HEAD: Final = '''"""{title}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import {imports}

revision = "{branch}_0001"
down_revision = None
branch_labels = ("{branch}",)
depends_on = {depends!r}


def upgrade() -> None:
    {body}
'''


def owners() -> dict[str, str]:
    """Return the package of each table that has been imported; a table belongs to the lowest package that holds it."""
    found: dict[str, str] = {}
    for package in discover.packages():
        for name in sorted(name for name in sys.modules if name.startswith(f"{package}.")):
            for value in list(vars(sys.modules[name]).values()):
                if isinstance(value, sa.Table) and value.metadata is sql.METADATA:
                    found.setdefault(value.name, package)
    return found


def _render_item(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    del context
    if kind == "type" and isinstance(item, TypeEngine):
        name = type(item).__name__
        if name in _OURS:
            return _OURS[name]
        if isinstance(item, TypeDecorator):
            sys.exit(f"a column has the type {name}, which this tool does not know")
    return False


def written(package: str, tables: list[sa.Table], by_table: dict[str, str]) -> str:
    """Return the text of the first migration."""
    branch = discover.short_name(package)
    steps: list[CreateTableOp | CreateIndexOp] = []
    for table in tables:
        steps.append(CreateTableOp.from_table(table))
        steps += [CreateIndexOp.from_index(index) for index in sorted(table.indexes, key=lambda each: str(each.name))]
    context = MigrationContext.configure(dialect=SQLITE)
    body = render_python_code(UpgradeOps(ops=steps), migration_context=context, render_item=_render_item)
    lines = [line for line in body.splitlines() if not line.lstrip().startswith("# ###")]
    references = {by_table[key.column.table.name] for table in tables for key in table.foreign_keys}
    depends = tuple(sorted(f"{discover.short_name(other)}_0001" for other in references - {package})) or None
    text = "\n".join(lines).strip()
    imports = ", ".join(name for name in ("Id", "Instant", "Json") if f"{name}()" in text)
    title = f"The tables of {branch}: {', '.join(table.name for table in tables)}"
    made = _HEAD.format(title=title, branch=branch, depends=depends, body=text, imports=imports)
    return made if imports else made.replace("\nfrom limen.platform.sql import \n", "")


def main() -> None:
    """Write the migration of the package named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("package", help="its short name, such as accounts")
    parser.add_argument("--again", action="store_true", help="write the first migration anew")
    chosen = parser.parse_args()
    packages = [package for package in discover.packages() if discover.short_name(package) == chosen.package]
    if len(packages) != 1:
        sys.exit(f"there is no package named {chosen.package}")
    importlib.import_module(f"{packages[0]}.store")
    by_table = owners()
    mine = [table for table in sql.METADATA.sorted_tables if by_table.get(table.name) == packages[0]]
    if not mine:
        sys.exit(f"{packages[0]} declares no tables in its store")
    if special := [table.name for table in mine if ONLY in table.info or any(ONLY in column.info for column in table.c)]:
        sys.exit(f"{', '.join(special)}: what only one database has is written by hand")
    folder = Path(discover.folder_of(packages[0])) / "migrations"
    if any(folder.glob("*.py")) and not chosen.again:
        sys.exit(f"{folder} has migrations: write the next one by hand, or start over with --again")
    folder.mkdir(exist_ok=True)
    path = folder / "0001_first.py"
    path.write_text(written(packages[0], mine, by_table))
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(path)], check=False)
    print(path)


if __name__ == "__main__":
    main()
