"""How the packages hang together: `python -m tests.suite.structure` prints a line for each.

Arrows are imports between modules of the same package, but for those that only types need. A circle
of modules is a set of modules that each lead to all others of it; a circle of folders the same of
the modules and folders side by side in one folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import grimp

PACKAGES = ("schemas", "jobs", "meta_model", "local", "benchmarks")
MOST_FILES = 13  # side by side in one folder, but for its `__init__` and `__main__`


@dataclass(frozen=True, kw_only=True)
class Structure:
    """One package: `crowded` is its folder with the most files, and how many it has."""

    package: str
    modules: int
    crowded: tuple[str, int]
    arrows: int
    circles: tuple[tuple[str, ...], ...]
    folder_circles: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        folder, files = self.crowded
        return (
            f"{self.package:<11} {self.modules:>4} modules {files:>3} side by side in {folder:<22}"
            f"{self.arrows:>4} arrows {len(self.circles):>2} circles of modules "
            f"{len(self.folder_circles):>2} of folders"
        )


def structure(package: str) -> Structure:
    graph = grimp.build_graph(package, exclude_type_checking_imports=True, cache_dir=None)
    imports = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
    folders = [m for m in graph.modules if graph.find_children(m)]
    files = Counter(
        module.rpartition(".")[0]
        for module in graph.modules
        if module not in folders and not module.endswith("__main__") and module != package
    )
    return Structure(
        package=package,
        modules=len(imports),
        crowded=files.most_common(1)[0],
        arrows=sum(map(len, imports.values())),
        circles=tuple(circles(imports)),
        folder_circles=tuple(
            circle for folder in sorted(folders) for circle in circles(_inside(folder, imports))
        ),
    )


def circles(arrows: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, ...]]:
    """The sets of nodes that reach each other."""
    reached = {node: _reachable(node, arrows) for node in arrows}
    seen: set[str] = set()
    for node in sorted(arrows):
        circle = {other for other in reached[node] if node in reached[other]}
        if circle and node not in seen:
            seen |= circle
            yield tuple(sorted(circle))


def _reachable(start: str, arrows: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    left = list(arrows[start])
    while left:
        if (node := left.pop()) not in found:
            found.add(node)
            left += arrows.get(node, ())
    return found


def _inside(folder: str, imports: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """The arrows between what lies side by side in a folder, its own `__init__` left out."""
    depth = folder.count(".") + 2

    def part(module: str) -> str | None:
        is_below = module.startswith(f"{folder}.")
        return ".".join(module.split(".")[:depth]) if is_below else None

    arrows: dict[str, set[str]] = {}
    for module, imported in imports.items():
        if (start := part(module)) is not None:
            ends = {end for each in imported if (end := part(each)) is not None}
            arrows.setdefault(start, set()).update(ends - {start})
    return arrows


if __name__ == "__main__":
    for each in PACKAGES:
        print(structure(each))
