"""Under which licence a script may be used, as an SPDX identifier: said in the file, else beside it."""

import re
import tomllib
from pathlib import Path
from typing import Any

UNKNOWN = "unknown"
_MOST_BYTES = 300_000
_LICENCE_FILE = re.compile(r"(?:licen[cs]e|copying|unlicense)(?:[-._].*)?", re.IGNORECASE)
_NO_LICENCE_FILE = (".py", ".ipynb", ".json", ".toml", ".yml", ".yaml")
_SPDX_LINE = re.compile(r"SPDX-License-Identifier:[ \t]*([^\n]{1,200})")
_SPDX = re.compile(r"\(*[A-Za-z0-9][A-Za-z0-9.+-]*\)*(?: (?:AND|OR|WITH) \(*[A-Za-z0-9][A-Za-z0-9.+-]*\)*)*")

# Phrases of the licence's own text, all of which it holds, in lower case with single spaces; the special stands first.
_PHRASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("AGPL-3.0", ("gnu affero general public license", "version 3, 19 november 2007")),
    ("LGPL-3.0", ("gnu lesser general public license", "version 3, 29 june 2007")),
    ("LGPL-2.1", ("gnu lesser general public license", "version 2.1, february 1999")),
    ("GPL-3.0", ("gnu general public license", "version 3, 29 june 2007")),
    ("GPL-2.0", ("gnu general public license", "version 2, june 1991")),
    ("AGPL-3.0", ("gnu affero general public license", "version 3")),
    ("LGPL-3.0", ("gnu lesser general public license", "version 3")),
    ("LGPL-2.1", ("gnu lesser general public license", "version 2.1")),
    ("GPL-3.0", ("gnu general public license", "version 3")),
    ("GPL-2.0", ("gnu general public license", "version 2")),
    ("Apache-2.0", ("apache license", "version 2.0")),
    ("MPL-2.0", ("mozilla public license", "2.0")),
    ("Unlicense", ("free and unencumbered software released into the public domain",)),
    ("CC0-1.0", ("cc0 1.0 universal",)),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "neither the name")),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms", "this list of conditions")),
    ("ISC", ("permission to use, copy, modify, and/or distribute this software for any purpose", "hereby granted")),
    ("MIT", ("permission is hereby granted, free of charge", "the above copyright notice and this permission notice")),
)
# What a project's classifiers call them.
_CLASSIFIERS = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0",
    "GNU Affero General Public License v3": "AGPL-3.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0",
}


def stated_licence(code: str) -> str:
    """What an `SPDX-License-Identifier` line in the file says; empty for none."""
    match = _SPDX_LINE.search(code)
    return _identifier(match[1].strip().removesuffix("*/").strip()) if match else ""


def folder_licence(folder: Path) -> str:
    """By the licence files that lie in the folder, else by its pyproject.toml; empty where neither says."""
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return ""
    files = [name for name in names if _LICENCE_FILE.fullmatch(name) and not name.lower().endswith(_NO_LICENCE_FILE)]
    found = sorted({identified for name in files if (identified := identify(_text(folder / name)))})
    return " OR ".join(found) if found else _of_project(_text(folder / "pyproject.toml"))


def identify(text: str) -> str:
    """The licence that this is the text of; empty for one that is not known."""
    stated = stated_licence(text)
    plain = re.sub(r"[\s*#]+", " ", text.lower().replace("licence", "license"))
    known = (name for name, phrases in _PHRASES if all(phrase in plain for phrase in phrases))
    return stated or next(known, "")


def _identifier(text: str) -> str:
    return text if len(text) <= 80 and _SPDX.fullmatch(text) else ""


def _text(file: Path) -> str:
    """A small regular file; empty when it is none or cannot be read."""
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _of_project(text: str) -> str:
    """`license = "MIT"`, `license = {text = "MIT"}`, or a classifier."""
    try:
        project: Any = tomllib.loads(text).get("project", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return ""
    if not isinstance(project, dict):
        return ""
    licence = project.get("license", "")
    stated = licence.get("text", "") if isinstance(licence, dict) else licence
    classifiers = project.get("classifiers", [])
    named = (_CLASSIFIERS.get(str(item).rpartition(" :: ")[2], "") for item in classifiers if classifiers)
    by_name = identify(stated) if isinstance(stated, str) else ""
    return (_identifier(stated) if isinstance(stated, str) else "") or by_name or next(filter(None, named), "")
