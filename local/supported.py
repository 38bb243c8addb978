"""Says in words whether this Python can run the project: exit code 0, or 2 and what to do.

Runs before anything is installed and on whatever Python is there, so: standard library only, and
syntax that an old Python (3.6) can read. `pyproject.toml` names the same range.
"""

import sys

SUPPORTED = ((3, 11), (3, 12), (3, 13))
OLDEST, NEWEST = SUPPORTED[0], SUPPORTED[-1]


def complaint(version: "tuple[object, ...]", executable: str) -> str:
    """What is wrong with a Python of this version; empty if nothing is."""
    if version[:2] in SUPPORTED:
        return ""
    found = ".".join(str(part) for part in version[:3])
    oldest, newest = (".".join(str(part) for part in each) for each in (OLDEST, NEWEST))
    return (
        f"this is Python {found} ({executable}); expected Python {oldest} to {newest}, which every "
        f"pinned package was tested with. Install one, or name it: "
        f"make PYTHON=/path/to/python{newest}. With uv on PATH, make takes a Python that uv brings."
    )


if __name__ == "__main__":
    message = complaint(tuple(sys.version_info), sys.executable)
    if message:
        print(message, file=sys.stderr)
        sys.exit(2)
