"""The job: questions in groups, and in each group what is twice there. Pure: it knows nothing of progress."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from examples.dedup.questions import Question
from examples.dedup.similarity import normalise, similar_pairs

__all__ = ["Findings", "Group", "compare", "group_questions", "statistics"]

MOST_PAIRS = 20_000
"""Similar pairs kept of one group; all are counted."""


class Group(NamedTuple):
    """Questions that are compared with each other."""

    type: str
    subject: str
    channel: str
    questions: list[Question]

    @property
    def label(self) -> dict[str, Any]:
        """For people: `{type, subject, channel, questions}`."""
        return {
            "type": self.type,
            "subject": self.subject,
            "channel": self.channel,
            "questions": len(self.questions),
        }


class Findings(NamedTuple):
    """What is twice there in one group.

    Attributes:
        exact: `{type, subject, channel, text, question_ids, pairs}` for each text that several questions have.
        similar: `{type, subject, channel, question_1, question_2, similarity}`, most alike first; of equal questions
            the first stands for all.
        similar_pairs: how many there are, though no more than 20 000 are kept.
    """

    group: Group
    exact: list[dict[str, Any]]
    similar: list[dict[str, Any]]
    similar_pairs: int

    @property
    def exact_pairs(self) -> int:
        return sum(found["pairs"] for found in self.exact)


def group_questions(questions: Iterable[Question]) -> list[Group]:
    """By type, subject and channel, in the order of the alphabet."""
    groups: dict[tuple[str, str, str], list[Question]] = defaultdict(list)
    for question in questions:
        groups[question.type, question.subject, question.channel].append(question)
    return [Group(*key, members) for key, members in sorted(groups.items())]


def compare(
    group: Group,
    threshold: float,
    new: Collection[str] | None = None,
    between: Callable[[], object] = lambda: None,
) -> Findings:
    """Find what is twice there.

    Args:
        threshold: how much alike two questions are at least to be a similar pair, 0 to 1.
        new: ids of questions; only what one of them has a part in is found. None means all of them.
        between: called again and again while it compares; what it raises ends it.
    """
    where = {"type": group.type, "subject": group.subject, "channel": group.channel}
    same: dict[str, list[Question]] = defaultdict(list)
    for question in group.questions:
        same[normalise(question.text)].append(question)
    exact = [
        {
            **where,
            "text": copies[0].text,
            "question_ids": [copy.id for copy in copies],
            "pairs": _pairs(len(copies)),
        }
        for copies in same.values()
        if len(copies) > 1 and _concerns(copies, new)
    ]
    # A question of signs alone has no text left to compare.
    texts = [text for text in same if text]
    similar: list[dict[str, Any]] = []
    count = 0
    for one, other, alike in similar_pairs(texts, threshold, between):
        first, second = same[texts[one]], same[texts[other]]
        if not _concerns((*first, *second), new):
            continue
        count += 1
        if count <= MOST_PAIRS:
            similar.append(
                {
                    **where,
                    "question_1": _brief(first[0]),
                    "question_2": _brief(second[0]),
                    "similarity": alike,
                }
            )
    similar.sort(key=lambda pair: (-pair["similarity"], pair["question_1"]["row"], pair["question_2"]["row"]))
    return Findings(group, exact, similar, count)


def statistics(findings: Collection[Findings], threshold: float) -> dict[str, Any]:
    """The numbers of a whole analysis, and of each subject and type."""
    total: dict[str, Any] = {
        "total_groups": len(findings),
        "total_questions": sum(len(found.group.questions) for found in findings),
        "exact_duplicate_groups": sum(len(found.exact) for found in findings),
        "exact_duplicate_pairs": sum(found.exact_pairs for found in findings),
        "similar_duplicate_pairs": sum(found.similar_pairs for found in findings),
        "similarity_threshold": threshold,
    }
    for name in ("subject", "type", "channel"):
        parts: dict[str, dict[str, int]] = {}
        for found in findings:
            part = parts.setdefault(
                getattr(found.group, name), dict.fromkeys(("questions", "exact_pairs", "similar_pairs"), 0)
            )
            part["questions"] += len(found.group.questions)
            part["exact_pairs"] += found.exact_pairs
            part["similar_pairs"] += found.similar_pairs
        total[f"by_{name}"] = parts
    return total


def _pairs(copies: int) -> int:
    return copies * (copies - 1) // 2


def _concerns(questions: Iterable[Question], new: Collection[str] | None) -> bool:
    return new is None or any(question.id in new for question in questions)


def _brief(question: Question) -> dict[str, Any]:
    return {"id": question.id, "text": question.text, "row": question.row}
