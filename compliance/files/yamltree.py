"""YAML with line numbers: reads a document as nodes, so that each problem tells its line."""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from compliance.errors import Problem, UserError
from compliance.files.text import read_text

_NULL = "tag:yaml.org,2002:null"
_QUOTED = "; a word that means nothing in YAML, as null does, in quotes"


@dataclass(frozen=True)
class Map:
    """A YAML mapping whose keys are known words; what does not fit is added to `problems`.

    path: the file. node: where it stands. problems: shared by the whole document.
    """

    path: Path
    node: yaml.MappingNode
    fields: dict[str, yaml.Node]
    problems: list[Problem]

    @property
    def where(self) -> str:
        """The file and the line where the mapping begins."""
        return _where(self.path, self.node)

    def where_of(self, key: str) -> str:
        """The file and line of a value, or of the mapping if the key is missing."""
        return _where(self.path, self.fields.get(key, self.node))

    def problem(self, key: str, what: str, remedy: str) -> None:
        """Note a problem with the value of a key."""
        self.problems.append(Problem(f"{key}: {what}", self.where_of(key), remedy))

    def text(self, key: str) -> str:
        """Give a value that is one word or line; numbers are taken as they are written."""
        node = self.fields.get(key)
        if node is None:
            self.problem(key, "is missing", f"write a line `{key}: ...` here")
            return ""
        text = _scalar(node)
        if text is None:
            self.problem(key, "must be a single value", f"write `{key}: value`{_QUOTED}")
        return text or ""

    def texts(self, key: str) -> tuple[str, ...]:
        """Give a list of single values."""
        return tuple(
            text
            for node in self._items(key)
            if (text := self._item(key, node)) is not None  # a problem is noted
        )

    def maps(
        self, key: str, required: Sequence[str], optional: Sequence[str] = ()
    ) -> Iterator["Map"]:
        """Give a list of mappings with these keys."""
        for node in self._items(key):
            found = as_map(self.path, node, required, optional, self.problems)
            if found is not None:
                yield found

    def _items(self, key: str) -> list[yaml.Node]:
        node = self.fields.get(key)
        if node is None:
            self.problem(key, "is missing", f"write a list `{key}:` here")
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.problem(key, "must be a list", "write each item on a line that begins with -")
            return []
        return list(node.value)

    def _item(self, key: str, node: yaml.Node) -> str | None:
        text = _scalar(node)
        if text is None:
            self.problems.append(
                Problem(
                    f"{key}: an item must be a single value",
                    _where(self.path, node),
                    f"write `- value`{_QUOTED}",
                )
            )
        return text


def read_map(
    path: Path,
    required: Sequence[str],
    problems: list[Problem],
    optional: Sequence[str] = (),
    example: str = "inventory/example/organisation.yml",
) -> Map:
    """Read a YAML file that is one mapping. Raises UserError if it is not, or is no YAML.

    example: the file that shows how it is written.
    """
    text = read_text(path)
    with _told(path):
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    found = as_map(path, node, required, optional, problems) if node else None
    if found is None:
        raise UserError.of(
            "the file must hold the keys " + ", ".join(required),
            f"{path}:1",
            f"write it as {example} does",
        )
    return found


def values_of(path: Path, text: str) -> object:
    """Give what a YAML text holds as plain values; path: the file, as problems tell it.

    Raises UserError with the line if it is no YAML, or if a key stands twice.
    """
    with _told(path):
        return yaml.load(text, Loader=_Once)  # noqa: S506 - it is a SafeLoader


class _Once(yaml.SafeLoader):
    """Makes plain values, and refuses a key that stands twice: YAML's own takes the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise ConstructorError(
                        problem=f"{key.value} stands twice",
                        problem_mark=key.start_mark,
                        note="keep one of them",
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell in words, and with the line, why a text is no YAML."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise UserError.of(
            f"this is not valid YAML: {error.problem or error.context}",
            f"{path}{line}",
            error.note
            or "mend this line or the one before: mind indentation, a missing colon or quote",
        ) from error
    except yaml.YAMLError as error:
        raise UserError.of(f"this is not valid YAML: {error}", str(path), "remove it") from error
    except ValueError as error:  # what looks like a value of a kind and is none: 2026-13-45
        raise UserError.of(
            f"this is not valid YAML: {error}", str(path), "put it in quotes, or mend it"
        ) from error
    except RecursionError as error:
        raise UserError.of(
            "the YAML is nested too deeply", str(path), "write it as the example does"
        ) from error


def as_map(
    path: Path,
    node: yaml.Node,
    required: Sequence[str],
    optional: Sequence[str],
    problems: list[Problem],
) -> Map | None:
    """Take a node as a mapping; note unknown keys and keys given twice."""
    if not isinstance(node, yaml.MappingNode):
        problems.append(
            Problem(
                "here must be a mapping",
                _where(path, node),
                f"write the keys {', '.join(required)}",
            )
        )
        return None
    known = (*required, *optional)
    fields: dict[str, yaml.Node] = {}
    for key_node, value in node.value:
        key = _scalar(key_node) or ""
        if key not in known:
            problems.append(
                Problem(
                    f"{key!r} is not a known key", _where(path, key_node), f"use {', '.join(known)}"
                )
            )
        elif key in fields:
            problems.append(
                Problem(f"{key} stands twice", _where(path, key_node), "keep one of them")
            )
        fields.setdefault(key, value)
    return Map(path, node, fields, problems)


def _scalar(node: yaml.Node) -> str | None:
    """Give the text of a plain or quoted value; None for lists, mappings and nothing.

    Nothing is what YAML takes for it (YAML 1.1, type null: ~, null and no text), and blanks.
    """
    if not isinstance(node, yaml.ScalarNode) or node.tag == _NULL:
        return None
    return node.value.strip() or None


def _where(path: Path, node: yaml.Node) -> str:
    return f"{path}:{node.start_mark.line + 1}"
