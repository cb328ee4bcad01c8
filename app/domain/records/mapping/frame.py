"""Mappings over Polars frames: rows of a file in, typed rows of records out, nothing lost.

Frames of records hold the column `ROW` (number of the source row, from 1) and the columns that the
mapping gives, typed as `casting.frame.DTYPES` says. Frames of findings have the schema `FINDINGS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

import polars as pl

from app.domain.records.casting.frame import cast
from app.domain.records.casting.reading import Reading
from app.domain.records.findings import MappingError
from app.domain.records.mapping.compiling.frame import Compiler, Failure
from app.domain.records.mapping.document import (
    Distinct,
    Group,
    RecordMapping,
    RecordsMapping,
)
from app.domain.records.specs import CURRENCY, Column, ColumnType

#: For rooms that hand frames on without looking into them.
Frame: TypeAlias = pl.DataFrame

ROW: Final = "#row"
#: Whether the first day of a customer's attributes stands in the file, or is the import's own.
DATED: Final = "#dated"
FINDINGS: Final[dict[str, type[pl.DataType]]] = {
    "row": pl.Int64,
    "record": pl.String,
    "column": pl.String,
    "code": pl.String,
    "value": pl.String,
}
_LONGEST_SHOWN: Final = 80
_TAKEN: Final = "#taken"


@dataclass(frozen=True, slots=True)
class Setting:
    """What an import brings along: the deployment's zone, and the day of undated attributes."""

    zone: str
    valid_from: date
    decimal_mark: str = "."


@dataclass(frozen=True, slots=True)
class Drawn:
    """What became of the rows of one chunk; a record may occur several times, parents first."""

    rows: int
    filtered: Mapping[str, int]
    unused: int
    records: tuple[tuple[RecordMapping, pl.DataFrame], ...]
    findings: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Target:
    name: str
    value: pl.Expr
    failures: tuple[Failure, ...]
    shown: pl.Expr | None


@dataclass(frozen=True, slots=True)
class _RecordPlan:
    mapping: RecordMapping
    taken: pl.Expr
    targets: tuple[_Target, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A mapping compiled for the columns of one file."""

    columns: tuple[str, ...]
    filters: tuple[tuple[str, pl.Expr], ...]
    records: tuple[_RecordPlan, ...]
    group: Group | None
    order: tuple[pl.Expr, ...]

    @property
    def by(self) -> tuple[str, ...]:
        """The columns whose values rows of one group share."""
        return self.group.by if self.group else ()


def compile_mapping(mapping: RecordsMapping, header: pl.Schema, setting: Setting) -> Plan:
    """The mapping as Polars expressions over a file with these columns.

    Raises:
        MappingError: it names columns the file does not have, or compares what cannot be compared.
    """
    compiler = Compiler(header, mapping.source.group, setting.zone)
    filters = tuple((item.name, compiler.condition(item.when)) for item in mapping.filters)
    records = tuple(_record_plan(compiler, item, setting) for item in mapping.records)
    group = mapping.source.group
    order = tuple(compiler.value(item).expr for item in group.order) if group else ()
    if group:
        for name in group.by:
            compiler.column(name, "source.group.by")
    if ROW in compiler.used:
        compiler.note(
            "",
            f"the column {ROW!r} cannot be mapped, the import numbers rows by that name",
            "rename it in the file",
        )
    if compiler.findings:
        raise MappingError(compiler.findings)
    return Plan(tuple(sorted(compiler.used)), filters, records, group, order)


def draw(plan: Plan, source: pl.DataFrame) -> Drawn:
    """Turn rows into records.

    Args:
        plan: what `compile_mapping` made of the mapping.
        source: rows of the file with `ROW`; whole groups, if the mapping has groups.
    """
    kept, filtered = _filter(plan, source)
    frames = []
    findings = []
    rows_taken = []
    for item in plan.records:
        frame, found = _draw_record(item, kept)
        frames.append((item.mapping, frame))
        findings.append(found)
        rows_taken.append(frame.select(ROW))
    used = pl.concat(rows_taken)[ROW].n_unique() if rows_taken else 0
    return Drawn(
        rows=source.height,
        filtered=filtered,
        unused=kept.height - used,
        records=tuple(frames),
        findings=pl.concat(findings),
    )


def no_findings() -> pl.DataFrame:
    """A frame of findings without rows."""
    return pl.DataFrame(schema=FINDINGS)


def list_findings(
    frame: pl.DataFrame, flags: pl.DataFrame, places: list[tuple[str, str, str, pl.Expr | None]]
) -> pl.DataFrame:
    """Where flags are raised.

    Args:
        frame: rows with `ROW`.
        flags: one boolean column for each place, named "0", "1", …; as many rows as the frame.
        places: record, column, code, and how the value is shown (None: it is withheld).
    """
    if not flags.width:
        return no_findings()
    raised = flags.select(pl.all().any()).row(0)
    found = [no_findings()]
    for number, (record, column, code, shown) in enumerate(places):
        if raised[number]:
            value = pl.lit(None, dtype=pl.String) if shown is None else shown
            found.append(
                frame.filter(flags[str(number)]).select(
                    pl.col(ROW).alias("row"),
                    pl.lit(record).alias("record"),
                    pl.lit(column).alias("column"),
                    pl.lit(code).alias("code"),
                    value.str.slice(0, _LONGEST_SHOWN).alias("value"),
                )
            )
    return pl.concat(found)


# --------------------------------------------------------------------------------------- planning


def _record_plan(compiler: Compiler, item: RecordMapping, setting: Setting) -> _RecordPlan:
    targets = [
        _target(compiler, item, name, setting)
        for name in (*item.record.columns, CURRENCY)
        if name in item.columns
    ]
    if item.record.name == "customers":
        targets = _with_first_day(targets, setting)
    return _RecordPlan(item, _taken(compiler, item), tuple(targets))


def _target(compiler: Compiler, item: RecordMapping, name: str, setting: Setting) -> _Target:
    column = item.record.columns.get(name, Column(CURRENCY, ColumnType.TEXT, "open"))
    source = compiler.value(item.columns[name])
    reading = Reading(
        column.type, scale=column.scale, decimal_mark=setting.decimal_mark, zone=setting.zone
    )
    read = cast(source.expr, source.dtype, reading)
    if read is None:
        compiler.note(
            f"{item.path}.columns.{name}",
            f"a column of type {source.dtype} cannot become {column.type}",
            "map another column, or convert the file",
        )
        return _Target(name, source.expr, (), None)
    value = read.value
    if column.default is not None:
        value = pl.coalesce(value, pl.lit(column.default))
    shown = source.expr.cast(pl.String, strict=False) if column.may_be_shown else None
    return _Target(name, value, (*source.failures, *read.failures), shown)


def _with_first_day(targets: list[_Target], setting: Setting) -> list[_Target]:
    """Attributes without a day of their own hold from the day of the import."""
    today = pl.lit(setting.valid_from, dtype=pl.Date)
    given = {target.name: target for target in targets}
    if "valid_from" not in given:
        dated = _Target(DATED, pl.lit(value=False), (), None)
        return [*targets, _Target("valid_from", today, (), None), dated]
    day = given["valid_from"]
    filled = _Target(day.name, pl.coalesce(day.value, today), day.failures, day.shown)
    dated = _Target(DATED, day.value.is_not_null(), (), None)
    return [*(filled if target is day else target for target in targets), dated]


def _taken(compiler: Compiler, item: RecordMapping) -> pl.Expr:
    holds = pl.lit(value=True) if item.when is None else compiler.condition(item.when)
    if item.distinct is None:
        return holds
    if item.when is None:
        return compiler.is_at_edge(is_last=item.distinct is Distinct.LAST)
    counted = holds.cast(pl.Int64).cum_sum(reverse=item.distinct is Distinct.LAST)
    return holds & (counted.over(compiler.by) == 1)


# ---------------------------------------------------------------------------------------- drawing


def _filter(plan: Plan, source: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    if not plan.filters:
        return source, {}
    names = [name for name, _ in plan.filters]
    first = pl.coalesce(
        *(pl.when(holds).then(pl.lit(number)) for number, (_, holds) in enumerate(plan.filters))
    )
    hit = source.select(first.alias("hit"))["hit"]
    counts = {name: int((hit == number).sum()) for number, name in enumerate(names)}
    return source.filter(hit.is_null()), counts


def _draw_record(plan: _RecordPlan, source: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    record = plan.mapping.record.name
    flags: list[pl.Expr] = []
    places: list[tuple[str, str, str, pl.Expr | None]] = []
    shown: list[pl.Expr] = []
    for target in plan.targets:
        value = None
        if target.failures and target.shown is not None:
            value = pl.col(f"#shown.{target.name}")
            shown.append(target.shown.alias(value.meta.output_name()))
        for failed, code in target.failures:
            flags.append(failed.fill_null(value=False).alias(str(len(flags))))
            places.append((record, target.name, code, value))
    wide = (
        source.lazy()
        .select(
            pl.col(ROW),
            plan.taken.alias(_TAKEN),
            *(target.value.alias(target.name) for target in plan.targets),
            *shown,
            *flags,
        )
        .filter(pl.col(_TAKEN))
        .collect()
    )
    findings = list_findings(wide, wide.select(str(i) for i in range(len(flags))), places)
    return wide.select(ROW, *(target.name for target in plan.targets)), findings
