"""Badges: well-formed whatever a title says, as wide as their text, and with nothing in them that acts."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.model.task import TaskState
from headway.server.shares.badge import badge, plain

TEXT = st.text(max_size=80)


def width(svg: str) -> int:
    return int(ET.fromstring(svg).attrib["width"])


@given(TEXT, TEXT, st.sampled_from([*TaskState, None]))
def test_any_text_makes_a_picture_and_stays_text(label: str, value: str, state: TaskState | None) -> None:
    svg = ET.fromstring(badge(label, value, state))
    tags = {element.tag.rpartition("}")[2] for element in svg.iter()}
    assert tags <= {"svg", "title", "clipPath", "rect", "g", "text"}
    said = [element.text or "" for element in svg.iter() if element.tag.endswith("}text")]
    assert said == [text for text in (plain(label, 40), plain(value, 40)) if text]
    rects = [float(element.attrib["width"]) for element in svg.iter() if element.tag.endswith("}rect")]
    assert rects[1] + rects[2] == rects[0] == float(svg.attrib["width"])


@pytest.mark.parametrize(
    "text",
    [
        "</text><script>alert(1)</script>",
        '"><image href="https://example.com/x"/>',
        "&lt;b&gt; &amp; ]]>",
        "a\0b\x1b[0m",
    ],
)
def test_markup_in_a_title_is_text(text: str) -> None:
    svg = badge(text, text, TaskState.RUNNING)
    assert "<script" not in svg
    assert "<image" not in svg
    ET.fromstring(svg)


def test_marks_that_turn_the_direction_are_left_out() -> None:
    assert plain("evil\u202etxt.exe\u2066 \u200fend", 40) == "eviltxt.exe end"
    assert plain("two\nlines\tand\u2028more", 40) == "two lines and more"
    assert plain("x" * 41, 40) == "x" * 39 + "…"
    assert plain("北京 Grüße 👍", 40) == "北京 Grüße 👍"


def test_it_is_as_wide_as_its_text() -> None:
    assert width(badge("iiii", "1 %", None)) < width(badge("mmmm", "1 %", None))
    assert width(badge("job", "1 %", None)) < width(badge("a longer job", "1 %", None))
    assert width(badge("任务", "1 %", None)) > width(badge("ab", "1 %", None))


def test_colours_say_the_state() -> None:
    fills = {state: re.findall(r'fill="(#\w+)"', badge("a", "b", state))[1] for state in TaskState}
    assert len({fills[state] for state in (TaskState.RUNNING, TaskState.SUCCEEDED, TaskState.FAILED)}) == 3
