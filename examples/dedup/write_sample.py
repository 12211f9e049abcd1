"""Writes `sample.csv`: questions of a school's bank in Chinese and English, with duplicates planted among them.

python -m examples.dedup.write_sample
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).with_name("sample.csv")
_SEED = 20_261

Row = tuple[str, str, str, str]
"""Text, type, subject, channel."""

_CAPITALS = {
    "France": "Paris", "Japan": "Tokyo", "Egypt": "Cairo", "Peru": "Lima", "Kenya": "Nairobi", "Norway": "Oslo",
    "Canada": "Ottawa", "Hungary": "Budapest", "Portugal": "Lisbon", "Thailand": "Bangkok", "Chile": "Santiago",
    "Iceland": "Reykjavik", "Vietnam": "Hanoi", "Morocco": "Rabat", "Finland": "Helsinki", "Mongolia": "Ulaanbaatar",
}  # fmt: skip
_RIVERS = {
    "Nile": "Mediterranean Sea", "Danube": "Black Sea", "Amazon": "Atlantic Ocean", "Mekong": "South China Sea",
    "Rhine": "North Sea", "Volga": "Caspian Sea", "Ganges": "Bay of Bengal", "Mississippi": "Gulf of Mexico",
}  # fmt: skip
_WORDS = {
    "abundant": "existing in large quantities", "brittle": "hard but easily broken", "candid": "honest and direct",
    "diligent": "showing care in one's work", "eloquent": "fluent and persuasive in speech", "frugal": "careful with money",
    "gregarious": "fond of company", "hasty": "done with too much speed", "impartial": "treating all alike",
    "jovial": "cheerful and friendly", "keen": "eager and enthusiastic", "lucid": "easy to understand",
    "meticulous": "very careful about details", "novel": "new and unusual", "obsolete": "no longer in use",
    "prudent": "acting with thought for the future",
}  # fmt: skip
_ELEMENTS = {
    "氢": "H", "氧": "O", "钠": "Na", "铁": "Fe", "铜": "Cu", "银": "Ag", "金": "Au", "汞": "Hg", "铅": "Pb", "锌": "Zn",
    "碳": "C", "氮": "N", "氯": "Cl", "钾": "K", "钙": "Ca", "镁": "Mg",
}  # fmt: skip
_POEMS = {
    "床前明月光": ("李白", "静夜思"), "白日依山尽": ("王之涣", "登鹳雀楼"), "春眠不觉晓": ("孟浩然", "春晓"),
    "国破山河在": ("杜甫", "春望"), "千山鸟飞绝": ("柳宗元", "江雪"), "红豆生南国": ("王维", "相思"),
    "离离原上草": ("白居易", "赋得古原草送别"), "独在异乡为异客": ("王维", "九月九日忆山东兄弟"),
    "朝辞白帝彩云间": ("李白", "早发白帝城"), "两个黄鹂鸣翠柳": ("杜甫", "绝句"), "故人西辞黄鹤楼": ("李白", "黄鹤楼送孟浩然之广陵"),
    "远上寒山石径斜": ("杜牧", "山行"), "月落乌啼霜满天": ("张继", "枫桥夜泊"), "慈母手中线": ("孟郊", "游子吟"),
}  # fmt: skip
_EVENTS = {
    "秦始皇统一六国": "公元前221年", "张骞第一次出使西域": "公元前138年", "蔡伦改进造纸术": "公元105年", "隋朝建立": "581年",
    "唐朝建立": "618年", "北宋建立": "960年", "郑和第一次下西洋": "1405年", "郑成功收复台湾": "1662年", "虎门销烟": "1839年",
    "辛亥革命爆发": "1911年", "五四运动爆发": "1919年", "中华人民共和国成立": "1949年",
}  # fmt: skip
_BODIES = {
    "heart": "pumps blood through the body", "lungs": "take oxygen into the blood", "liver": "makes bile and stores glucose",
    "kidneys": "filter waste from the blood", "skin": "protects the body and controls its temperature",
    "stomach": "breaks food down with acid", "brain": "receives signals and controls the body",
    "pancreas": "makes insulin", "spleen": "removes old red blood cells", "small intestine": "absorbs nutrients",
}  # fmt: skip
_UNITS = {
    "force": "newton", "energy": "joule", "power": "watt", "pressure": "pascal", "electric charge": "coulomb",
    "resistance": "ohm", "frequency": "hertz", "voltage": "volt", "current": "ampere", "temperature": "kelvin",
}  # fmt: skip


def written(chance: random.Random) -> Iterator[Row]:
    """Every question once."""
    for country, city in _CAPITALS.items():
        yield f"What is the capital of {country}?", "single_choice", "geography", "textbook"
        yield f"{city} is the capital city of {country}.", "true_false", "geography", "exam"
    for river, sea in _RIVERS.items():
        yield f"Into which sea or ocean does the river {river} flow?", "short_answer", "geography", "exam"
        yield f"The {river} reaches the {sea} at its mouth. True or false?", "true_false", "geography", "exam"
    for word, meaning in _WORDS.items():
        yield f'Choose the word closest in meaning to "{word}".', "single_choice", "english", "exam"
        yield (
            f"Fill in the blank: a person or thing that is {meaning} is ____.",
            "fill_blank",
            "english",
            "textbook",
        )
    for body, work in _BODIES.items():
        yield f"Which organ {work}?", "single_choice", "biology", "textbook"
        yield (
            f"Explain in one sentence what the {body} does in the human body.",
            "short_answer",
            "biology",
            "exam",
        )
    for quantity, unit in _UNITS.items():
        yield f"Name the SI unit of {quantity}.", "short_answer", "physics", "textbook"
        yield f"True or false: {quantity} is measured in {unit}s.", "true_false", "physics", "exam"
    for name, sign in _ELEMENTS.items():
        yield f"元素“{name}”的化学符号是(  )。", "fill_blank", "化学", "教材"
        yield f"化学符号 {sign} 表示的元素是哪一种?", "single_choice", "化学", "试卷"
    for line, (poet, title) in _POEMS.items():
        yield f"诗句“{line}”出自哪位诗人的哪首诗?", "short_answer", "语文", "试卷"
        yield f"默写{poet}《{title}》中“{line}”的下一句:____。", "fill_blank", "语文", "教材"
    for event, year in _EVENTS.items():
        yield f"{event}是在哪一年?", "single_choice", "历史", "试卷"
        yield f"判断:{event}发生在{year}。", "true_false", "历史", "教材"
    for _ in range(14):
        a, b, c = chance.randint(2, 19), chance.randint(2, 19), chance.randint(20, 99)
        yield f"计算:{a} × {b} + {c} = ____", "fill_blank", "数学", "试卷"
        yield f"解方程:{a}x + {b} = {a * chance.randint(2, 9) + b}", "short_answer", "数学", "教材"
        yield f"一个长方形的长是 {c} 厘米,宽是 {b} 厘米,它的周长是多少厘米?", "short_answer", "数学", "试卷"


def planted(questions: list[Row], chance: random.Random) -> Iterator[Row]:
    """Questions that are there already: letter by letter, in other clothes, and in other words."""
    for text, kind, subject, channel in chance.sample(questions, 28):
        yield text, kind, subject, channel
    for text, kind, subject, channel in chance.sample(questions, 26):
        clothes = [
            text.upper(),
            f"  {text} ",
            text[:-1] + " ?",
            text.replace(" ", "  "),
            f"12. {text}",
        ]
        yield chance.choice(clothes), kind, subject, channel
    for text, kind, subject, channel in chance.sample(questions, 26):
        chinese = any(sign > "\u3000" for sign in text)
        words = (
            [f"请问,{text}", text.replace("哪", "哪", 1).replace("是", "应是", 1), f"{text}(多选无效)"]
            if chinese
            else [
                f"Please answer: {text}",
                text.replace("Which", "Which one", 1) + " Explain.",
                text.replace("the ", "", 1) + " Why?",
            ]
        )
        yield chance.choice(words), kind, subject, channel


def main() -> None:
    """Write the file; always the same one."""
    chance = random.Random(_SEED)  # noqa: S311 - nothing secret
    questions = list(dict.fromkeys(written(chance)))
    rows = questions + list(planted(questions, chance))
    chance.shuffle(rows)
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "question", "type", "subject", "channel"))
        writer.writerows((f"Q{number:04}", *row) for number, row in enumerate(rows, 1))


if __name__ == "__main__":
    main()
