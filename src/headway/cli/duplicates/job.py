"""The job: from files to findings, reporting each step, each file and each find. Headway's part of it is the lines with `t.`"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import headway
from headway.cli.duplicates.corpus import Source, read_text
from headway.cli.duplicates.findings import Findings, Group, Pair, write_report
from headway.cli.duplicates.similarity import ALIKE, SMALLEST, NearIndex, Shingles, digest, jaccard, shingles

__all__ = ["find_duplicates"]

_LOGGED = 40
"""Finds that are told one by one; the report has them all."""


def find_duplicates(sources: Iterable[Source], most: int, reports: Path) -> tuple[Findings, Path]:
    """Compare files, and show how far it is.

    Args:
        most: compare no more files than this.
        reports: the folder for the report.

    Returns:
        what was found, and the report.

    Raises:
        headway.Cancelled: somebody pressed the button.
    """
    steps = [("Find files", 2), ("Hash", 5), ("Fingerprint", 90), ("Compare", 2), ("Report", 1)]
    with headway.task("Finding duplicate files", kind="dedup", tags=["demo"], steps=steps, unit="files") as t:
        t.step("Find files", unit="files")
        files = []
        for source in islice(sources, most):
            files.append(source)
            t.progress(len(files), message=source.name)
        packages = len({source.group for source in files})
        t.log(f"{len(files)} files in {packages} packages")

        t.step("Hash", total=len(files))
        same: dict[bytes, list[Source]] = defaultdict(list)
        skipped = 0
        for done, source in enumerate(files, 1):
            text = _read(t, source)
            if text is None:
                skipped += 1
            elif (key := digest(text)) is not None:
                same[key].append(source)
            t.progress(done, message=source.name)
        groups = _exact(t, same)

        # Copies are known by now: one of each is enough from here on.
        originals = [copies[0] for copies in same.values()]
        t.step("Fingerprint", total=len(originals))
        index = NearIndex()
        contents: list[Shingles] = []
        candidates: list[tuple[int, int]] = []
        for number, source in enumerate(originals):
            content = shingles(_read(t, source) or "")
            contents.append(content)
            if len(content) >= SMALLEST:
                found = index.add(number, index.fingerprint(content))
                candidates.extend((other, number) for other in found)
            t.progress(number + 1, message=source.name)

        t.step("Compare", total=len(candidates), unit="pairs")
        pairs: list[Pair] = []
        for done, (one, other) in enumerate(candidates, 1):
            alike = jaccard(contents[one], contents[other])
            if alike >= ALIKE:
                pairs.append(Pair(originals[one].name, originals[other].name, alike))
                _tell(t, len(pairs), f"{alike:.0%} alike: {originals[one].name} and {originals[other].name}")
            t.progress(done, message=originals[other].name)

        t.step("Report")
        pairs.sort(key=lambda pair: (-pair.alike, pair.one, pair.other))
        findings = Findings(len(files), skipped, packages, groups, pairs)
        page = write_report(findings, reports, f"duplicates-{t.id}")
        t.log(f"The report is {page}")
        t.result(findings.result())

    headway.notify(
        None, "Duplicates found", findings.sentence(), severity="success", link=f"/tasks/{t.id}", task=t.id
    )
    return findings, page


def _read(t: headway.TaskHandle, source: Source) -> str | None:
    try:
        return read_text(source.path)
    except OSError as error:
        t.log(f"{source.name} cannot be read: {error.strerror}", level="warning")
        return None


def _exact(t: headway.TaskHandle, same: dict[bytes, list[Source]]) -> list[Group]:
    groups = []
    for copies in same.values():
        if len(copies) > 1:
            wasted = sum(_size(copy) for copy in copies[1:])
            groups.append(Group([copy.name for copy in copies], wasted))
            _tell(t, len(groups), f"{len(copies)} times the same: {copies[0].name} and {copies[1].name}")
    return sorted(groups, key=lambda group: (-group.wasted, group.files))


def _size(source: Source) -> int:
    try:
        return source.path.stat().st_size
    except OSError:
        return 0


def _tell(t: headway.TaskHandle, count: int, text: str) -> None:
    if count <= _LOGGED:
        t.log(text)
    elif count == _LOGGED + 1:
        t.log("More of these are in the report")
