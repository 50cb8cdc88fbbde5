"""Import contracts of our own, beside those import-linter brings."""

from __future__ import annotations

import re

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class FrontDoors(Contract):
    """A part is imported from outside only as a whole (`from limen.modules import accounts`), never by a module inside it.

    `parts` are dotted patterns (`*` is one name); `except_from` are packages that may climb in: the composition root finds role files by name.
    """

    type_name = "front_doors"
    parts = fields.ListField(subfield=fields.StringField())
    except_from = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001, ARG002 import-linter calls it so
        parts = [str(part).replace(".", r"\.").replace("*", "[^.]+") for part in self.contract_options["parts"]]
        doors = re.compile("^(" + "|".join(parts) + r")\.")
        free = tuple(f"{name}." for name in self.contract_options.get("except_from", ()))
        found = []
        for inside in graph.modules:
            match = doors.match(inside)
            if match is None:
                continue
            for importer in sorted(graph.find_modules_that_directly_import(inside)):
                if not f"{importer}.".startswith((f"{match[1]}.", *free)):
                    found.append(f"{importer} climbs into {inside}; its front door is {match[1]}")
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["found"]:
            output.print_error(f"- {line}", bold=False)
            output.new_line()
