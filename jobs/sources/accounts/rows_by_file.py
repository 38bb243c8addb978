"""The accounts of each file of a source, for the journal, the report and a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from jobs.sources.accounts.accounting import KEPT, QUARANTINED, READ, Counts

HEADER = ("file", "rows read", "kept", "set aside", "left out")
_FILES = 20  # of a section; a source with a file a day has thousands


def worth_telling(rows: Mapping[str, Counts]) -> dict[str, Counts]:
    """The files of each section, those with rows that are not kept first; the last ones as one."""
    found = {}
    for section, by_file in rows.items():
        names = sorted(by_file, key=lambda file: (_kept_all(by_file[file]), file))
        found[section] = {file: by_file[file] for file in names[:_FILES]}
        if others := names[_FILES:]:
            name = f"{len(others):,} more files of {section}"
            found[section][name] = total(by_file[file] for file in others)
    return found


def total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The counts of all files together, with 0 rows read if there are none."""
    rows = Counter({READ: 0})
    for of_file in counts:
        rows.update(of_file)
    return dict(rows)


def lines(shown: Mapping[str, Counts]) -> Iterator[tuple[str, int, int, int, int]]:
    """Each file's numbers, as HEADER calls them."""
    for by_file in shown.values():
        for file, counts in by_file.items():
            left_out = sum(rules(counts).values())
            yield file, counts[READ], counts[KEPT], counts.get(QUARANTINED, 0), left_out


def rules(counts: Mapping[str, int]) -> dict[str, int]:
    """How many rows each rule left out."""
    outcomes = (READ, KEPT, QUARANTINED)
    return {rule: number for rule, number in counts.items() if rule not in outcomes and number}


def _kept_all(counts: Mapping[str, int]) -> bool:
    return counts[READ] == counts[KEPT]
