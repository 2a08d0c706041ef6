"""Merkle trees in the manner of RFC 9162 section 2.1: roots, proofs, and the check of growth.

Leaves are given as their hashes. The check of an inclusion proof is in `verifier.py`.
"""

import hashlib
from collections.abc import Sequence

from compliance.messagelog.seal.verifier import HASH_BYTES, node_hash

EMPTY_ROOT = hashlib.sha256(b"").digest()


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return every row of nodes, from the leaves up to the root; no rows for no leaves.

    An odd node goes up as it is, which gives the same tree as RFC 9162's split at a power of two.
    """
    if not leaves:
        return []
    rows = [list(leaves)]
    while len(rows[-1]) > 1:
        row = rows[-1]
        above = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        rows.append([*above, row[-1]] if len(row) % 2 else above)
    return rows


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over the leaves' hashes (section 2.1.1)."""
    return levels(leaves)[-1][0] if leaves else EMPTY_ROOT


def inclusion_path(rows: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree (section 2.1.3.1). rows: its `levels`.

    Raises IndexError if there is no such leaf.
    """
    if not rows or not 0 <= index < len(rows[0]):
        raise IndexError(f"the tree has no leaf {index}")
    path = []
    for row in rows[:-1]:
        if index ^ 1 < len(row):
            path.append(row[index ^ 1])
        index >>= 1
    return path


def consistency_path(leaves: Sequence[bytes], earlier: int) -> list[bytes]:
    """Return the proof that the tree grew from its first `earlier` leaves (section 2.1.4.1).

    It is empty if the tree was empty or is the same. Raises IndexError.
    """
    if not 0 <= earlier <= len(leaves):
        raise IndexError(f"a tree of {len(leaves)} never had {earlier} leaves")
    if earlier in (0, len(leaves)):
        return []
    return _subproof(leaves, earlier, is_whole=True)


def _subproof(leaves: Sequence[bytes], earlier: int, *, is_whole: bool) -> list[bytes]:
    if earlier == len(leaves):
        return [] if is_whole else [root(leaves)]
    split = _split(len(leaves))
    if earlier <= split:
        below = _subproof(leaves[:split], earlier, is_whole=is_whole)
        return [*below, root(leaves[split:])]
    below = _subproof(leaves[split:], earlier - split, is_whole=False)
    return [*below, root(leaves[:split])]


def is_consistent(
    earlier: int, earlier_root: bytes, size: int, size_root: bytes, path: Sequence[bytes]
) -> bool:
    """Say whether a tree only had leaves added at its end (section 2.1.4.2)."""
    if earlier == 0:
        return not path and earlier_root == EMPTY_ROOT and (size > 0 or size_root == EMPTY_ROOT)
    if earlier >= size:
        return earlier == size and not path and earlier_root == size_root
    nodes = list(path)
    if earlier & (earlier - 1) == 0:  # a whole subtree: its root is the first node
        nodes.insert(0, earlier_root)
    if not nodes:
        return False
    node, last = earlier - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and first == earlier_root and second == size_root


def joined(leaves: Sequence[bytes]) -> bytes:
    """Return leaf hashes one behind the other, as they are stored."""
    return b"".join(leaves)


def parted(stored: bytes) -> list[bytes]:
    """Read back what `joined` made."""
    return [stored[i : i + HASH_BYTES] for i in range(0, len(stored), HASH_BYTES)]


def _split(size: int) -> int:
    """Return the largest power of two that is smaller than size."""
    return 1 << (size - 1).bit_length() - 1
