"""The trees against RFC 9162's own recursive definitions, written here once more."""

import contextlib
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.messagelog.seal.merkle import (
    consistency_path,
    inclusion_path,
    is_consistent,
    levels,
    root,
)
from compliance.messagelog.seal.verifier import ExtractError, leaf_hash, node_hash, root_of_path

LARGEST = 70


def sha(data):
    return hashlib.sha256(data).digest()


def split(size):
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def rfc_root(data):
    """MTH of section 2.1.1, over the data itself."""
    if not data:
        return sha(b"")
    if len(data) == 1:
        return sha(b"\x00" + data[0])
    k = split(len(data))
    return sha(b"\x01" + rfc_root(data[:k]) + rfc_root(data[k:]))


def rfc_path(m, data):
    """PATH of section 2.1.3.1."""
    if len(data) == 1:
        return []
    k = split(len(data))
    if m < k:
        return [*rfc_path(m, data[:k]), rfc_root(data[k:])]
    return [*rfc_path(m - k, data[k:]), rfc_root(data[:k])]


def rfc_subproof(m, data, whole):
    """SUBPROOF of section 2.1.4.1."""
    if m == len(data):
        return [] if whole else [rfc_root(data)]
    k = split(len(data))
    if m <= k:
        return [*rfc_subproof(m, data[:k], whole), rfc_root(data[k:])]
    return [*rfc_subproof(m - k, data[k:], False), rfc_root(data[:k])]


def data_of(size):
    return [f"leaf {number}".encode() for number in range(size)]


DATA = data_of(LARGEST)
LEAVES = [leaf_hash(data) for data in DATA]
ROOTS = [rfc_root(DATA[:size]) for size in range(LARGEST + 1)]


def test_roots_known_to_everyone_who_builds_such_trees():
    """The tree of no leaf, of one empty leaf, and of the eight inputs that implementers share."""
    assert root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root([leaf_hash(b"")]).hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
              "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
    assert root([leaf_hash(bytes.fromhex(one)) for one in inputs]).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )


@pytest.mark.parametrize("size", range(LARGEST + 1))
def test_every_root_and_inclusion_proof(size):
    rows = levels(LEAVES[:size])
    assert root(LEAVES[:size]) == ROOTS[size]
    for index in range(size):
        path = inclusion_path(rows, index)
        assert path == rfc_path(index, DATA[:size])
        assert root_of_path(LEAVES[index], index, size, path) == ROOTS[size]
    with pytest.raises(IndexError):
        inclusion_path(rows, size)


@pytest.mark.parametrize("size", range(LARGEST + 1))
def test_every_consistency_proof(size):
    for earlier in range(size + 1):
        path = consistency_path(LEAVES[:size], earlier)
        if earlier:
            assert path == rfc_subproof(earlier, DATA[:size], True)
        assert is_consistent(earlier, ROOTS[earlier], size, ROOTS[size], path)
    with pytest.raises(IndexError):
        consistency_path(LEAVES[:size], size + 1)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_proof_holds_for_its_own_leaf_place_and_size_only(data):
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(levels(LEAVES[:size]), index)
    other = data.draw(
        st.integers(0, size - 1).filter(lambda i: i != index) if size > 1 else st.just(size)
    )
    for leaf, place, claimed in (
        (LEAVES[other % LARGEST], index, size),
        (LEAVES[index], other, size),
    ):
        with contextlib.suppress(ExtractError):
            assert root_of_path(leaf, place, claimed, path) != ROOTS[size]
    changed = [*path, bytes(32)]
    with pytest.raises(ExtractError):
        root_of_path(LEAVES[index], index, size, changed)
    if path:
        with pytest.raises(ExtractError):
            root_of_path(LEAVES[index], index, size, path[:-1])


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_tree_that_did_not_grow_from_another_is_not_consistent(data):
    size = data.draw(st.integers(2, LARGEST))
    earlier = data.draw(st.integers(1, size - 1))
    altered = data.draw(st.integers(0, earlier - 1))
    leaves = LEAVES[:size]
    leaves[altered] = leaf_hash(b"another")
    path = consistency_path(leaves, earlier)
    assert not is_consistent(earlier, ROOTS[earlier], size, root(leaves), path)
    honest = consistency_path(LEAVES[:size], earlier)
    spoilt = data.draw(st.integers(0, len(honest) - 1))
    wrong = [*honest[:spoilt], bytes(32), *honest[spoilt + 1 :]]
    assert not is_consistent(earlier, ROOTS[earlier], size, ROOTS[size], wrong)
    assert not is_consistent(earlier, ROOTS[earlier], size, ROOTS[size], honest[:-1])
    assert not is_consistent(earlier, ROOTS[earlier], size, ROOTS[size], [*honest, bytes(32)])


def test_a_proof_of_growth_is_not_one_for_a_larger_tree():
    path = consistency_path(LEAVES[:8], 4)
    assert is_consistent(4, ROOTS[4], 8, ROOTS[8], path)
    assert not is_consistent(4, ROOTS[4], 9, ROOTS[8], path)


def test_a_leaf_is_never_taken_for_a_node():
    left, right = LEAVES[0], LEAVES[1]
    assert leaf_hash(left + right) != node_hash(left, right)
