"""Parquet that ``cq data export`` wrote: the same rows, on the same grids, in the same parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.table import pieces
from crypto_quant.data_pipeline.storage import exported
from crypto_quant.data_pipeline.storage.exported import Exported
from crypto_quant.data_pipeline.storage.grid import to_grid
from crypto_quant.data_pipeline.storage.kinds import KINDS, Batch
from crypto_quant.data_pipeline.storage.manifest import GENERATED

_PART_KEY = b"cq_kind"


class OwnExport:
    """Rows of one kind and key; the metadata says which, and how they were made."""

    kinds = frozenset(KINDS)
    title = "export of cq"

    def recognise(self, file: File) -> bool:
        """Look for the entry that an export leaves in the metadata."""
        return exported.KEY.encode() in _metadata(file)

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Ask for nothing: the metadata says it all."""
        return ()

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the rows as they were in the catalog that they are from."""
        about = exported.read(_metadata(file), str(file.path))
        _agree(file, about, facts)
        _check_columns(file, about)
        have, want = pq.read_metadata(file.path).num_rows, sum(p.rows for p in about.parts)
        if not have:
            raise DataError(f"{file.path}: the file has no rows")
        if have != want:
            raise DataError(
                f"{file.path}: holds {have:,} rows, {want:,} were exported; export what you want "
                "of them with --start and --end"
            )
        last = None
        for number, table in _by_part(file, about):
            batch = _batch(file, about, number, table, is_first=number != last)
            last = number
            yield batch


def is_catalog_part(file: File) -> bool:
    """Recognise a file out of a catalog: its integers mean nothing without the manifest."""
    return _PART_KEY in _metadata(file) and exported.KEY.encode() not in _metadata(file)


def _metadata(file: File) -> Mapping[bytes, bytes]:
    if file.container != "parquet" or file.schema is None:
        return {}
    return file.schema.metadata or {}


def _agree(file: File, about: Exported, facts: Facts) -> None:
    """Refuse what was said of the file and is not so."""
    for name, value in about.facts().items():
        said = getattr(facts, name)
        if said not in (None, value):
            raise DataError(f"{file.path}: an export with {name}={value}, not {said}")
    if facts.drop:
        raise DataError(f"{file.path}: an export is imported whole, without drop")


def _check_columns(file: File, about: Exported) -> None:
    kind = KINDS[about.kind]
    types = {field.name: field.type for field in file.schema or () if field.name != GENERATED}
    own = kind.schema().names
    wrong = [name for name in own if name not in types]
    wrong += [n for n in exported.TIMES if n in types and not pa.types.is_timestamp(types[n])]
    if wrong or (not kind.open and len(types) > len(own)):
        raise DataError(
            f"{file.path}: the columns are not those of exported {about.kind} rows "
            f"({', '.join(own)})"
        )


def _by_part(file: File, about: Exported) -> Iterator[tuple[int, pa.Table]]:
    """Cut the pieces of the file where its parts end."""
    number, left = 0, about.parts[0].rows if about.parts else 0
    for table in pieces(file):
        done = 0
        while done < table.num_rows:
            while not left:
                number += 1
                left = about.parts[number].rows
            taken = table.slice(done, left)
            done, left = done + taken.num_rows, left - taken.num_rows
            yield number, taken


def _batch(file: File, about: Exported, number: int, table: pa.Table, is_first: bool) -> Batch:
    kind, part = KINDS[about.kind], about.parts[number]
    extra = [n for n in file.columns if n not in (*kind.schema().names, GENERATED)]
    schema, grids = kind.schema(tuple(extra)), kind.grids()
    arrays = []
    for field in schema:
        what = f"{file.path}: {field.name}"
        values = table.column(field.name).combine_chunks()
        if field.name in exported.TIMES:
            values = values.cast(pa.timestamp("ns", tz="UTC"))
        elif field.name in grids:
            least = about.exps.of(grids[field.name])
            values, exp = to_grid(values, least, what)
            if exp > least:
                raise DataError(f"{what}: a value has {exp} decimals, exported were {least}")
        if values.null_count and not field.nullable:
            raise DataError(f"{what}: a value is missing; no export leaves one out")
        arrays.append(values.cast(field.type))
    times = arrays[0].to_numpy()
    if not kind.ticks and (np.diff(times) < 0).any():
        raise DataError(f"{file.path}: ts_event: the rows are not in the order of the export")
    return Batch(
        kind=about.kind,
        key=about.key,
        data=pa.record_batch(arrays, schema=schema),
        exps=about.exps,
        recv=part.recv,
        interval=part.interval,
        findings=part.findings if is_first else {},
        part=number,
    )
