"""Reading recordings: any layout, any fault, and nothing lost without a word."""

import contextlib
import gzip
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labeling.sources import Channel, Column, TimeColumn, TimeSeriesSource, TimeUnit
from PIL import Image
from plotting.errors import RecordingError
from plotting.recording import Recording, read

NAME = "s3://bucket/recordings/run.csv"
REAL_WELDS = Path(__file__).parents[3] / "shared" / "data" / "real-welds" / "sensor_data"


def source(columns: tuple[Column, ...] = (1,), **layout: Any) -> TimeSeriesSource:
    channels = tuple(
        Channel(key=f"c{i}", title=f"Channel {i}", column=column, suffix=f"c{i}", unit="A")
        for i, column in enumerate(columns)
    )
    layout = {"time": TimeColumn(column=0, unit="s"), **layout}
    return TimeSeriesSource(title="Recording", folder="recordings", channels=channels, **layout)


def refusal(data: bytes, recorded: TimeSeriesSource | None = None) -> str:
    with pytest.raises(RecordingError) as caught:
        read(data, recorded or source(), NAME)
    message = str(caught.value)
    assert message.startswith(NAME)
    return message


def rows(count: int, first: str = "") -> bytes:
    return (first + "".join(f"{i},{i * 2}\n" for i in range(count))).encode()


# --- layouts ---


@pytest.mark.parametrize(
    ("data", "layout"),
    [
        pytest.param(b"0,10\n1,20\n2,30\n", {}, id="plain"),
        pytest.param(b"0,10\r\n1,20\r\n2,30\r\n", {}, id="windows line ends"),
        pytest.param(b"0,10\r1,20\r2,30", {}, id="old mac line ends"),
        pytest.param(b"0, 10\n1, 20\n2, 30\n", {}, id="space after comma"),
        pytest.param(b"\n0,10\n\n1,20\n \n2,30\n\n\n", {}, id="blank lines"),
        pytest.param(b"# a recorder\n0,10\n1,20\n# pause\n2,30\n", {}, id="comments"),
        pytest.param(b"// x\n0,10\n1,20\n2,30\n", {"comment": "//"}, id="other comments"),
        pytest.param(b'"0","10"\n1, "20"\n2,30\n', {}, id="quoted"),
        pytest.param(b"0;10,0\n1;20,0\n2;30,0\n", {"delimiter": ";", "decimal": ","}, id="decimal comma"),
        pytest.param(b'0,"10,0"\n1,"20,0"\n2,30\n', {"decimal": ","}, id="decimal comma in quotes"),
        pytest.param(b"0 10\n1   20\n 2 30\n", {"delimiter": " "}, id="spaces"),
        pytest.param(b"0\t10\n1\t20\n2\t30\n", {"delimiter": "\t"}, id="tabs"),
        pytest.param(b"t,c\n0,10\n1,20\n2,30\n", {"header": True}, id="header by index"),
        pytest.param(b"0,10,ok\n1,20,caf\xe9\n2,30,\n", {"encoding": "latin-1"}, id="latin-1"),
        pytest.param(b"\xef\xbb\xbf0,10\n1,20\n2,30\n", {}, id="utf-8 mark"),
        pytest.param("0,10\n1,20\n2,30\n".encode("utf-16"), {}, id="utf-16 mark"),
        pytest.param("0,10\n1,20\n2,30\n".encode("utf-16-le"), {"encoding": "utf-16"}, id="utf-16"),
        pytest.param(b"0,10\n1,20,7,8\n2,30,9\n", {}, id="uneven columns"),
    ],
)
def test_one_recording_in_many_layouts(data: bytes, layout: dict[str, Any]) -> None:
    recording = read(data, source(**layout), NAME)
    assert recording.time.tolist() == [0, 1, 2]
    assert recording.values[0].tolist() == [10, 20, 30]
    assert recording.rows_left_out == 0


def test_columns_by_name() -> None:
    by_name = source(("current", "voltage"), header=True, time=TimeColumn(column="time", unit="ms"))
    data = b'# v2\nvoltage, "time", current\n20,1000,150\n21,1500,151\n'
    recording = read(data, by_name, NAME)
    assert recording.time.tolist() == [0, 0.5]
    assert [values.tolist() for values in recording.values] == [[150, 151], [20, 21]]


@pytest.mark.parametrize(
    ("unit", "first", "second", "expected"),
    [
        ("us", "500", "1500", 0.001),
        ("ms", "-500", "1500", 2),
        ("s", "1e3", "1001.5", 1.5),
        ("epoch-s", "1520624667.164109", "1520624667.188083", 0.023974),
        ("epoch-ms", "1520624667164.109", "1520624667188.083", 0.023974),
        ("iso8601", "2024-05-01T12:00:00.000001Z", "2024-05-01T12:00:00.000003Z", 0.000002),
        ("iso8601", "2024-05-01T12:00:00+02:00", "2024-05-01T11:00:01+01:00", 1),
        ("iso8601", "2024-05-01 12:00:00.5", "2024-05-01 12:01:00.5", 60),
    ],
)
@pytest.mark.parametrize("careful", [False, True])
def test_time_units(unit: TimeUnit, first: str, second: str, expected: float, careful: bool) -> None:
    quoted = '"1"' if careful else "1"
    data = f"{first},{quoted}\n{second},2\n".encode()
    recording = read(data, source(time=TimeColumn(0, unit)), NAME)
    assert recording.time[0] == 0
    assert recording.time[1] == pytest.approx(expected, abs=3e-7)


def test_values_are_scaled() -> None:
    tenths = TimeSeriesSource(title="R", folder="f", channels=(Channel("v", "Voltage", 1, "v", scale=0.1),))
    assert read(b"0,263\n1,264\n", tenths, NAME).values[0] == pytest.approx([26.3, 26.4])


# --- faults that are noted ---


def test_unreadable_rows_are_left_out_and_noted() -> None:
    data = rows(40) + b"40,oops\n41,82\n42\n"
    recording = read(data, source(), NAME)
    assert (recording.rows, recording.rows_left_out) == (41, 2)
    assert recording.time[-1] == 41
    (note,) = recording.notes
    assert note == (
        "2 of 43 rows left out: line 41 and 1 more (“oops” in column 1 instead of a number with decimal '.')."
    )


def test_a_lost_quotation_mark_costs_one_row() -> None:
    recording = read(rows(20) + b'20,"4\n' + b"".join(b"%d,%d\n" % (i, i) for i in range(21, 40)), source(), NAME)
    assert recording.rows + recording.rows_left_out == 40
    assert recording.rows_left_out <= 1


def test_a_header_that_nobody_announced_is_left_out_and_noted() -> None:
    recording = read(rows(20, "time,current\n"), source(), NAME)
    assert recording.rows == 20
    assert "line 1 (“time” in column 0 instead of a time as a number)" in recording.notes[0]


def test_data_taken_for_a_header_is_noted() -> None:
    assert read(rows(20), source(header=True), NAME).notes == (
        "Line 1 was taken as the header, although it holds only numbers.",
    )


def test_missing_and_infinite_values_are_breaks() -> None:
    recording = read(b"0,1\n1,nan\n2,inf\n3,\n4,N/A\n5,2\n", source(), NAME)
    assert np.isnan(recording.values[0]).tolist() == [False, True, True, True, True, False]
    assert recording.rows_left_out == 0
    assert recording.channel_notes == (("4 of 6 values missing, 1 of them infinite.",),)


def test_rows_without_a_time_are_left_out() -> None:
    recording = read(rows(30) + b"nan,1\ninf,1\n,1\n", source(), NAME)
    assert (recording.rows, recording.rows_left_out) == (30, 3)


def test_late_rows_are_put_in_order() -> None:
    recording = read(rows(20) + b"5,99\n" + b"20,40\n", source(), NAME)
    assert recording.time.tolist() == sorted(recording.time.tolist())
    assert recording.values[0][5:7].tolist() == [10, 99]
    assert recording.notes[0] == "1 row out of order put in order of time, the first on line 21."
    assert recording.notes[1] == "1 row with the same time as the row before, the first at 5 s."


def test_gaps_by_ten_median_intervals() -> None:
    data = b"".join(b"%r,1\n" % t for t in (0, 1, 2, 3, 13, 14, 25, 26))
    recording = read(data, source(), NAME)
    assert recording.gaps.tolist() == [5]
    assert recording.notes == ("1 gap in time, of 11 s from 14 s.",)


def test_gaps_as_configured() -> None:
    data = b"0,1\n1,1\n3,1\n4,1\n7,1\n"
    recording = read(data, source(time=TimeColumn(0, "s", gap_seconds=1.5)), NAME)
    assert recording.gaps.tolist() == [1, 3]
    assert recording.notes == ("2 gaps in time, the longest 3 s from 4 s.",)


def test_a_mark_that_contradicts_the_configuration_is_noted() -> None:
    assert read(rows(3).decode().encode("utf-16"), source(), NAME).notes == (
        "Read as utf-16-le, as the file's byte-order mark says, not as utf-8.",
    )


# --- faults that are refused ---


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "png")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "0 readable rows"),
        (b"1,2\n", "1 readable row"),
        (b"# only\n# words\n", "0 readable rows"),
        (png(), "a PNG picture"),
        (gzip.compress(rows(9), mtime=0), "a gzip archive"),
        (b"PK\x03\x04" + bytes(50), "Excel workbook (.xlsx)"),
        (b"PAR1" + bytes(50), "a Parquet file"),
        (b"1,2\n3,\x00\n", "NUL characters"),
        (b"0,1\n1,2\n2,\xb0C\n", "line 3: byte 0xB0 at offset 10 isn't utf-8"),
        (b"0\n1\n2\n", "line 1: 1 column here, and 3 of 3 rows unreadable; expected at least 2 columns"),
        (b"0;1\n1;2\n", "Check the source's delimiter"),
        (b"0,1\n1,x\n2,y\n", "line 2, column 1: “x” here, and 2 of 3 rows unreadable"),
        (b"5,1\n5,2\n5,3\n", "column 0: time stands still"),
        (rows(50) + rows(50), "line 51, column 0: time goes backwards here, and 49 of 100 rows"),
        (b"0,nan\n1,nan\n", "column 1: no number in any row for Channel 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(data: bytes, expected: str) -> None:
    assert expected in refusal(data)


def test_unknown_columns_are_refused_with_those_there_are() -> None:
    message = refusal(b"time,volt,amp,amp\n0,1,2,3\n", source(("current",), header=True))
    assert "column 'current': no such column" in message
    assert "“time”, “volt”, “amp”, “amp”" in message
    assert "two columns of that name" in refusal(b"t,amp,amp\n0,2,3\n", source(("amp",), header=True))
    assert "the source has no header" in refusal(b"0,1\n", source(("amp",)))


def test_large_recordings_are_refused() -> None:
    assert "at most 10" in refusal(rows(100), source(max_bytes=10))


def test_numbers_of_another_country_are_refused_rather_than_misread() -> None:
    assert "a number with decimal ','" in refusal(b"0;1.5\n1;2.5\n", source(delimiter=";", decimal=","))
    assert "a number with decimal '.'" in refusal(b"0;1,5\n1;2,5\n", source(delimiter=";"))


# --- properties ---

finite = st.floats(-1e9, 1e9)
fields = st.sampled_from(["0", "1", "2.5", "-3e2", "", "nan", "inf", "x", '"4"', '"', "1_0", "#", "1e999", "é"])


@settings(deadline=None)
@given(st.data())
def test_values_survive_any_layout(data: st.DataObject) -> None:
    """What is written in any layout is read back to the last bit; what is next to nothing, as nothing."""
    count = data.draw(st.integers(2, 30))
    times = sorted(data.draw(st.lists(st.integers(0, 10**6), min_size=count, max_size=count, unique=True)))
    values = data.draw(st.lists(finite, min_size=count, max_size=count))
    delimiter = data.draw(st.sampled_from([",", ";", "\t", "|", " "]))
    decimal = data.draw(st.sampled_from([".", ","])) if delimiter != "," else "."
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-16", "latin-1", "gb18030"]))
    header = data.draw(st.booleans())
    quote = data.draw(st.sampled_from(["", '"'])) if delimiter != " " else ""
    text = [f"t{delimiter}v"] * header
    for time, value in zip(times, values, strict=True):
        text.append(f"{time}{delimiter}{quote}{repr(value).replace('.', decimal)}{quote}")
    layout = source(delimiter=delimiter, decimal=decimal, encoding=encoding, header=header)
    recording = read((end.join(text) + end).encode(encoding), layout, NAME)
    assert recording.values[0].tolist() == [value if abs(value) >= 1e-100 else 0.0 for value in values]
    assert recording.time == pytest.approx([time - times[0] for time in times])
    assert recording.rows_left_out == 0


@settings(deadline=None)
@given(st.lists(st.lists(fields, min_size=1, max_size=4), min_size=1, max_size=40))
def test_every_row_is_drawn_or_counted(table: list[list[str]]) -> None:
    """Rows in are rows drawn and rows left out, whatever stands in them."""
    text = "\n".join(",".join(row) for row in table)
    lenient = source(comment="", max_rows_left_out=1.0)
    try:
        recording = read(text.encode(), lenient, NAME)
    except RecordingError:
        return
    lines = [line for line in text.split("\n") if line.strip()]
    assert recording.rows + recording.rows_left_out == len(lines)
    check(recording)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300) | st.text('0123456789.,;-+einfa"# \t\r\n', max_size=300).map(str.encode),
    st.booleans(),
)
def test_any_bytes_are_read_or_refused(data: bytes, header: bool) -> None:
    with contextlib.suppress(RecordingError):
        check(read(data, source(header=header, max_rows_left_out=1.0), NAME))


def check(recording: Recording) -> None:
    assert recording.time[0] == 0
    assert (np.diff(recording.time) >= 0).all()
    assert math.isfinite(recording.duration)
    assert recording.duration > 0
    for values in recording.values:
        assert values.shape == recording.time.shape
        assert not np.isinf(values).any()


@pytest.mark.skipif(not REAL_WELDS.is_dir(), reason="the real recordings lie beside the repository, not in it")
@pytest.mark.parametrize(("run", "count", "gaps"), [("run-1.csv", 2194, 1), ("run-2.csv", 6605, 5)])
def test_real_welds(run: str, count: int, gaps: int) -> None:
    recorded = source((3, 4), time=TimeColumn(0, "epoch-s"))
    recording = read((REAL_WELDS / run).read_bytes(), recorded, NAME)
    assert (recording.rows, recording.rows_left_out, len(recording.gaps)) == (count, 0, gaps)
    assert np.median(np.diff(recording.time)) == pytest.approx(0.024, abs=1e-4)
