"""The application `analysis`: indicators that are right, charts, and an inbox that tells once."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples.analysis import write_samples
from examples.analysis.chart import draw_chart
from examples.analysis.indicators import (
    add_indicators,
    ema,
    macd,
    max_drawdown,
    rsi,
    sma,
    summary,
    volatility,
)
from examples.analysis.prices import read_prices
from PIL import Image
from websockets.sync.client import connect

from tests.examples.running import Running, running

SAMPLES = write_samples.FOLDER


def series(*values: float) -> pd.Series:
    return pd.Series(values, index=pd.date_range("2025-01-01", periods=len(values)), dtype=float)


def test_averages() -> None:
    prices = series(1, 2, 3, 4)
    assert sma(prices, 2).tolist()[1:] == [1.5, 2.5, 3.5]
    # 2 / (3 + 1) of each day, the rest of those before it.
    assert ema(prices, 3).tolist() == [1.0, 1.5, 2.25, 3.125]
    line = macd(prices)
    assert line["macd"].tolist() == pytest.approx((ema(prices, 12) - ema(prices, 26)).tolist())
    assert (line["histogram"] + line["signal"]).tolist() == pytest.approx(line["macd"].tolist())


def test_relative_strength_is_wilder_s() -> None:
    prices = series(*(10 + np.sin(np.arange(60) / 3) * 2 + np.arange(60) / 20))
    gains = losses = None
    for change in np.diff(prices):
        gain, loss = max(change, 0), max(-change, 0)
        gains = gain if gains is None else gains + (gain - gains) / 14
        losses = loss if losses is None else losses + (loss - losses) / 14
    assert gains is not None
    assert losses is not None
    assert rsi(prices).iloc[-1] == pytest.approx(100 - 100 / (1 + gains / losses))
    assert rsi(series(*range(1, 40))).iloc[-1] == 100
    assert rsi(series(*[5] * 40)).iloc[-1] == 50
    assert rsi(prices).iloc[:14].isna().all()


def test_drawdown_and_volatility() -> None:
    fall = max_drawdown(series(10, 20, 15, 5, 30, 29))
    assert fall == {"depth": 0.75, "peak": "2025-01-02", "trough": "2025-01-04"}
    daily = np.array([0.01, -0.02, 0.015, 0.0])
    assert volatility(series(*np.exp(np.cumsum([0, *daily])))) == pytest.approx(
        daily.std(ddof=1) * np.sqrt(252)
    )


def test_the_samples_are_what_their_program_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_samples, "FOLDER", tmp_path)
    write_samples.main()
    names = sorted(path.name for path in SAMPLES.glob("*.csv"))
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert all((tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes() for name in names)


@pytest.mark.parametrize("name", ["acorn", "borealis", "cobalt", "driftwood", "ember"])
def test_each_sample_has_a_summary_and_a_chart(name: str) -> None:
    prices, unusable = read_prices((SAMPLES / f"{name}.csv").read_bytes())
    assert (len(prices), unusable) == (250, 0)
    prices = add_indicators(prices)
    found = summary(prices)
    assert json.loads(json.dumps(found)) == found
    assert 0 < found["rsi"] < 100
    assert 0 < found["max_drawdown"]["depth"] < 1
    picture = draw_chart(name, prices)
    assert picture.size == (960, 540)
    assert len(picture.getcolors(100_000) or []) > 20


def test_prices_are_read_as_people_have_them() -> None:
    days = pd.date_range("2024-03-01", periods=40)
    rows = [f"{day:%Y-%m-%d};{100 + number}" for number, day in enumerate(days)]
    text = "\ufeff日期;收盘\n" + "\n".join(
        [*reversed(rows), "no day;5", "2024-03-01;", "2024-03-02;-4", rows[3]]
    )
    prices, unusable = read_prices(text.encode())
    assert prices["close"].tolist() == [100.0 + number for number in range(40)]
    assert prices.index.is_monotonic_increasing
    assert unusable == 4
    assert draw_chart("x", add_indicators(prices)).size == (960, 540)


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"a,b\n1,2\n", b"date,close\n2024-01-01,5\n", b"date,close\n" + b"x,y\n" * 50]
)
def test_what_holds_no_prices_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"CSV|column|days"):
        read_prices(content)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("analysis", tmp_path_factory.mktemp("analysis"), EXAMPLE_PACE="0.02") as found:
        yield found


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_batch_ends_in_the_inbox_of_its_user_alone(app: Running) -> None:
    url = app.url.replace("http", "ws") + "/api/ws/"
    with (
        connect(f"{url}notifications?token={app.tokens[0]}") as mine,
        connect(f"{url}notifications?token={app.tokens[1]}") as theirs,
    ):
        assert json.loads(mine.recv(30))["data"]["user_id"] == "demo-1"
        assert json.loads(theirs.recv(30))["data"]["user_id"] == "demo-2"
        answer = app.ask("POST", "/api/analyses")
        assert answer.status == 202
        task = answer.body["data"]["task_id"]
        with connect(f"{url}tasks/{task}?token={app.tokens[0]}") as socket:
            told = [json.loads(message) for message in socket]
        assert [message["type"] for message in told[:1]] == ["connected"]
        assert {message["type"] for message in told[1:-1]} <= {"progress"}
        assert (told[-1]["type"], told[-1]["data"]["progress"]) == ("completed", 100.0)
        result = told[-1]["data"]["result"]
        assert (result["analysed"], result["failed"], result["report"]) == (5, 0, f"/reports/{task}")
        note = json.loads(mine.recv(30))
        assert (note["type"], note["data"]["type"], note["data"]["link"]) == (
            "notification",
            "analysis",
            f"/reports/{task}",
        )
        assert note["data"]["content"] == "5 analysed. Best: cobalt with +116.5%"
        assert app.ask("GET", "/api/notifications/unread_count").body["data"] == {"count": 1}
        assert app.ask("GET", "/api/notifications/unread_count", app.tokens[1]).body["data"] == {"count": 0}
        with pytest.raises(TimeoutError):
            theirs.recv(0)
    report = app.ask("GET", f"/api/reports/{task}").body["data"]
    assert [symbol["symbol"] for symbol in report["symbols"]] == [
        "acorn",
        "borealis",
        "cobalt",
        "driftwood",
        "ember",
    ]
    chart = app.ask("GET", f"/api/reports/{task}/ember.png")
    assert Image.open(io.BytesIO(chart.body)).size == (960, 540)
    for path in (task, f"{task}/ember.png"):
        assert app.ask("GET", f"/api/reports/{path}", app.tokens[1]).status == 404
        assert app.ask("GET", f"/api/reports/{path}", "").status == 401
    assert app.ask("GET", f"/api/reports/{task}/..%2Freport.png").status == 404


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_files_that_cannot_be_used_are_told(app: Running) -> None:
    good = (SAMPLES / "acorn.csv").read_bytes()
    files = [
        ("files", ("acorn.csv", good)),
        ("files", ("acorn.csv", b"a,b\n")),
        ("files", ("../../etc", good)),
    ]
    task = app.ask("POST", "/api/analyses", fields=files).body["data"]["task_id"]
    done = app.over(task)
    assert done["state"] == "succeeded"
    assert sorted(done["result"]["symbols"]) == ["acorn", "etc"]
    assert app.ask("GET", f"/api/reports/{task}").body["data"]["failed"][0]["symbol"] == "acorn-2"

    task = app.ask("POST", "/api/analyses", fields=[("files", ("x.csv", b"a,b\n"))]).body["data"]["task_id"]
    ended = app.over(task)
    assert ended["state"] == "failed"
    assert "needs a column date" in ended["error"]
    assert app.ask("GET", f"/api/reports/{task}").status == 404
    assert app.ask("POST", "/api/analyses", "").status == 401
