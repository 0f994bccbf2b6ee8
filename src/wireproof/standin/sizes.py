"""How much one thing may hold. The published sizes by default (spec/tiers.yaml, limits), smaller ones for tests."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Sizes:
    """`batch_slice`: lines of a batch that are answered in one go; ours, not published."""

    file_bytes: int = 512 * MIB
    part_bytes: int = 64 * MIB
    batch_bytes: int = 200 * MIB
    batch_requests: int = 50_000
    batch_embedding_inputs: int = 50_000
    batch_slice: int = 20
