"""Writes Parquet files with Apache Arrow, the second implementation that flow's
is held against, and what Arrow reads in those that flow has written.

  NAME.parquet  a file of Arrow for each way of writing, all with the rows of rows.jsonl
  rows.jsonl    these rows, as typed JSON
  flow.jsonl    what Arrow reads in flow.parquet, in the same form

Run by `make parquet`.
"""

import base64
import datetime as dt
import decimal
import json
import math
import os
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def fraction(n, unit):
    text = str(n).rjust(DIGITS[unit], "0").rstrip("0") if n else ""
    return "." + text if text else ""


def instant(n, unit):
    seconds, rest = divmod(n, 10 ** DIGITS[unit])
    day = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
    return day.isoformat() + fraction(rest, unit)


def clock(n, unit):
    seconds, rest = divmod(n, 10 ** DIGITS[unit])
    return "%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60) + fraction(rest, unit)


def number(f, single):
    if math.isnan(f):
        return '"NaN"'
    if math.isinf(f):
        return '"Infinity"' if f > 0 else '"-Infinity"'
    text = "%.7g" % f if single else repr(f)
    return text[:-2] if text.endswith(".0") else text


def text(v, t):
    """The typed JSON text of a scalar."""
    if isinstance(t, pa.BaseExtensionType):
        return json.dumps(str(v.as_py())) if v.is_valid else "null"
    if not v.is_valid:
        return "null"
    if pa.types.is_struct(t):
        return "{" + ",".join(json.dumps(f.name) + ":" + text(v[f.name], f.type) for f in t) + "}"
    if pa.types.is_map(t):
        entries = [(text(e["key"], t.key_type), text(e["value"], t.item_type)) for e in v.values]
        if pa.types.is_string(t.key_type):
            return "{" + ",".join(k + ":" + e for k, e in entries) + "}"
        return "[" + ",".join("[" + k + "," + e + "]" for k, e in entries) + "]"
    if pa.types.is_list(t):
        return "[" + ",".join(text(e, t.value_type) for e in v.values) + "]"
    if pa.types.is_timestamp(t):
        return json.dumps(instant(v.value, t.unit) + ("Z" if t.tz else ""))
    if pa.types.is_time(t):
        return json.dumps(clock(v.value, t.unit))
    if pa.types.is_floating(t):
        return number(float(v.as_py()), t != pa.float64())
    p = v.as_py()
    if isinstance(p, bytes):
        return json.dumps(base64.b64encode(p).decode())
    if isinstance(p, decimal.Decimal):
        return format(p, "f")
    if isinstance(p, dt.date):
        return json.dumps(p.isoformat())
    return json.dumps(p, ensure_ascii=False)


def lines(table, name):
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as out:
        for i in range(table.num_rows):
            row = [json.dumps(f.name) + ":" + text(table.column(k)[i], f.type) for k, f in enumerate(table.schema)]
            out.write("{" + ",".join(row) + "}\n")


D = decimal.Decimal
POINT = pa.struct([("x", pa.float64()), ("tags", pa.list_(pa.string()))])
COLUMNS = [
    ("bool", pa.bool_(), [True, False]),
    ("int8", pa.int8(), [-128, 127]),
    ("int16", pa.int16(), [-32768, 32767]),
    ("int32", pa.int32(), [-(2**31), 2**31 - 1]),
    ("int64", pa.int64(), [-(2**63), 2**63 - 1, 2**53 + 1]),
    ("uint8", pa.uint8(), [0, 255]),
    ("uint16", pa.uint16(), [0, 65535]),
    ("uint32", pa.uint32(), [0, 2**32 - 1]),
    ("uint64", pa.uint64(), [0, 2**64 - 1]),
    ("float16", pa.float16(), [1.5, -0.25, math.inf, math.nan, 65504.0]),
    ("float32", pa.float32(), [1.5, -0.1, math.nan, -math.inf]),
    ("float64", pa.float64(), [0.1, -1.5e300, math.inf, 123456789.125]),
    ("string", pa.string(), ["", "a", 'ä"\n€', "long " * 20]),
    ("binary", pa.binary(), [b"", b"\x00\x01\xff"]),
    ("fixed", pa.binary(3), [b"abc", b"\x00\xff\x80"]),
    ("uuid", pa.uuid(), [uuid.UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6").bytes]),
    ("decimal9", pa.decimal128(9, 2), [D("1234567.89"), D("-0.01")]),
    ("decimal18", pa.decimal128(18, 4), [D("-99999999999999.9999"), D("0.0001")]),
    ("decimal38", pa.decimal128(38, 10), [D("1234567890123456789012345678.0123456789"), D("-0.0000000001")]),
    ("decimal76", pa.decimal256(76, 0), [D("9" * 76), D(-1)]),
    ("date", pa.date32(), [dt.date(1969, 12, 31), dt.date(2026, 2, 28)]),
    ("time_ms", pa.time32("ms"), [1, 86399999]),
    ("time_us", pa.time64("us"), [1, 86399999999]),
    ("time_ns", pa.time64("ns"), [1, 86399999999999]),
    ("ts_ms", pa.timestamp("ms", "UTC"), [-1, 1767323045001]),
    ("ts_us", pa.timestamp("us", "UTC"), [-1, 1767323045000001]),
    ("ts_ns", pa.timestamp("ns", "UTC"), [-1, 1767323045123456789]),
    ("local_ms", pa.timestamp("ms"), [-1, 1767323045001]),
    ("local_us", pa.timestamp("us"), [-1, 1767323045000001]),
    ("list", pa.list_(pa.int32()), [[], [1], [1, None, 3]]),
    ("lists", pa.list_(pa.list_(POINT)), [[], [[]], [None, [], [{"x": 1.5, "tags": ["a", None]}, None]]]),
    ("map", pa.map_(pa.string(), pa.int64()), [[], [("a", 1), ("b", None)]]),
    ("pairs", pa.map_(pa.int32(), pa.list_(pa.string())), [[], [(1, []), (-2, ["a"])]]),
    ("struct", POINT, [{"x": 1.5, "tags": None}, {"x": None, "tags": ["b"]}]),
]


def sample(rows=90):
    arrays, fields = [pa.array(range(rows), pa.int64())], [pa.field("z", pa.int64(), nullable=False)]
    for name, t, values in COLUMNS:
        list_ = [None if i % 7 == 3 else values[i % len(values)] for i in range(rows)]
        arrays.append(pa.array(list_, t))
        fields.append(pa.field(name, t))
    return pa.table(arrays, schema=pa.schema(fields))


DELTA = {"int32": "DELTA_BINARY_PACKED", "int64": "DELTA_BINARY_PACKED", "string": "DELTA_BYTE_ARRAY", "fixed": "DELTA_BYTE_ARRAY",
         "binary": "DELTA_LENGTH_BYTE_ARRAY", "float64": "BYTE_STREAM_SPLIT", "ts_us": "DELTA_BINARY_PACKED"}
WAYS = {
    "v1_snappy": dict(compression="snappy", data_page_version="1.0", row_group_size=37),
    "v2_zstd": dict(compression="zstd", data_page_version="2.0", data_page_size=64, row_group_size=50, write_page_checksum=True),
    "v2_delta": dict(compression="none", data_page_version="2.0", use_dictionary=False, column_encoding=DELTA),
    "v1_gzip": dict(compression="gzip", data_page_size=16, write_batch_size=4, use_compliant_nested_type=False),
    "v1_brotli": dict(compression="brotli", store_decimal_as_integer=True),
    "v1_lz4": dict(compression="lz4", use_dictionary=False),
    "v1_plain": dict(compression="none", use_dictionary=False, store_schema=False),
}


def read_flow(path):
    """A table in which enums, which Arrow reads as bytes, are strings."""
    table = pq.read_table(path)
    columns = pq.ParquetFile(path).schema
    for i in range(len(columns)):
        c = columns.column(i)
        if c.logical_type.type == "ENUM":
            k = table.schema.get_field_index(c.path)
            table = table.set_column(k, c.path, table.column(k).cast(pa.string()))
    return table


def main():
    table = sample()
    lines(table, "rows.jsonl")
    for name, options in WAYS.items():
        pq.write_table(table, os.path.join(HERE, name + ".parquet"), **options)
    old = table.select(["z", "ts_ns"])
    pq.write_table(old, os.path.join(HERE, "int96.parquet"), use_deprecated_int96_timestamps=True)
    lines(old, "int96.jsonl")
    if os.path.exists(os.path.join(HERE, "flow.parquet")):
        lines(read_flow(os.path.join(HERE, "flow.parquet")), "flow.jsonl")


main()
