"""Makes docs/bad_inputs.md of the table: python tests/trial/bad_inputs/page.py [--write]"""

import sys
from pathlib import Path

from table import SECTIONS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "bad_inputs.md"
LONGEST = 60  # of a word that stands for any of its kind


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def shown(command):
    """Without the values that only a machine writes."""
    return " ".join(word if len(word) <= LONGEST else word[:20] + "…" for word in command.split(" "))


def row(section, case):
    broken = cell(case.broken)
    if case.command and case.command != section.command:
        broken += f"<br>`{shown(case.command)}`"
    return f"| {broken} | {case.exit} | {cell(case.message)} |"


def page():
    count = sum(len(section.cases) for section in SECTIONS)
    lines = [
        "# Bad inputs",
        "",
        f"{count} kinds of broken input and what a user sees: one line on the error stream that names file, field and value, and an exit code:",
        "2 for bad input, 3 for a broken protocol, 4 for the experience store, 1 for what is no input's fault (a full disk). With code 0 the",
        "program went on: the line is a warning, which counts what was left out or repaired. `…` stands for text that depends on versions of libraries.",
        "libpng and libjpeg may print a line of their own before it.",
        "",
        "Made of `tests/trial/bad_inputs/` by `python tests/trial/bad_inputs/page.py --write`; the tests run every row, and can be run with",
        "address and undefined-behaviour sanitizers, too (CONTRIBUTING.md has the command).",
    ]
    for section in SECTIONS:
        lines += ["", f"## {section.title}", ""]
        if section.text:
            lines += [section.text, ""]
        lines += [f"`{section.command}`, unless a row says otherwise:", "", "| what is wrong | exit code | message |", "|---|---|---|"]
        lines += [row(section, case) for case in section.cases]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page())
    else:
        print(page(), end="")
