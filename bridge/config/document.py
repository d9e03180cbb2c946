"""YAML as it is written: scalars stay text, and every value keeps the line and column where it began.

PyYAML's constructors are not used. They speak YAML 1.1, where `on` is a boolean and `1:30` is ninety, and let the
later of two equal keys win in silence; here the type of the field decides what a text means, and a key given twice is
a problem. Anchors and merge keys work, within a limit on what they expand to.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import yaml

from bridge.errors import ConfigError

__all__ = ["Document", "Location", "Mark", "Problem", "parse_document"]

DEPTH_LIMIT = 64  # levels of nesting; the walk below is recursive
ALIAS_LIMIT = 100_000  # nodes that aliases may repeat: ten nested lists of ten aliases each would be 10^10

PLAIN_TAGS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"})
MERGE_KEY = "<<"
NULLS = frozenset({"", "~", "null", "Null", "NULL"})  # plain scalars only; "null" in quotes is text

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; both numbers count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a place: `12:7: push.ttl: not a valid duration string: "abc"`."""

    mark: Mark
    location: Location
    what: str

    def __str__(self) -> str:
        path = ".".join(map(str, self.location))
        return f"{self.mark.line}:{self.mark.column}: {path + ': ' if path else ''}{self.what}"


@dataclass(slots=True)
class Document:
    """A parsed file: nested dict, list, str and None; the marks of keys and of values; what is wrong already."""

    value: object = None
    keys: dict[Location, Mark] = field(default_factory=dict)
    values: dict[Location, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def parse_document(text: bytes) -> Document:
    """Read one YAML document.

    Duplicate keys and the like are collected in `problems`; text that is no YAML at all raises ConfigError whose one
    problem lacks the file name (the caller knows it).
    """
    # libyaml's parser where PyYAML was built with it: ten times faster. "Base" resolves no tag: everything is text.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        source = text.decode()
        check_depth(yaml.parse(source, loader))
        root = yaml.compose(source, loader)
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = error.start - text.rfind(b"\n", 0, error.start)
        raise ConfigError([f"{line}:{column}: the file is not valid UTF-8"]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{mark.line + 1}:{mark.column + 1}: " if mark else ""
        what = ", ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError([f"{place}not valid YAML: {what}"]) from None
    except yaml.YAMLError as error:
        raise ConfigError([f"1:1: not valid YAML: {' '.join(str(error).split())}"]) from None
    document = Document()
    if root is not None:
        document.value = Walk(document).value(root, ())
    return document


def check_depth(events: Iterable[yaml.Event]) -> None:
    """Refuse deep nesting before the composer sees it: libyaml's recurses in C, where too deep is a crash."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_LIMIT:
            raise too_deep(event)


class Walk:
    """Turns the graph of nodes into plain values and notes where each began."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.visited: set[int] = set()
        self.repeated = 0

    def value(self, node: yaml.Node, at: Location) -> object:
        """The plain value of a node, and of all below it."""
        self.enter(node, len(at))
        self.document.values[at] = mark_of(node)
        if node.tag not in PLAIN_TAGS:
            self.problem(node, at, f"tags have no meaning here: {node.tag}")
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*at, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, at)
        is_null = is_plain(node) and node.value in NULLS
        return None if is_null else node.value

    def mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, object]:
        """The plain value of a mapping with what it merges in."""
        value = {}
        for name, (key, child) in self.pairs(node, at, len(at)).items():
            self.document.keys[*at, name] = mark_of(key)
            value[name] = self.value(child, (*at, name))
        return value

    def pairs(self, node: yaml.MappingNode, at: Location, depth: int) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """A mapping's own keys, then those that `<<` brings; own keys win, then the earlier source."""
        found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        sources: list[yaml.Node] = []
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.problem(key, at, "a key must be text")
            elif key.value == MERGE_KEY and is_plain(key):
                sources += child.value if isinstance(child, yaml.SequenceNode) else [child]
            elif key.value in found:
                first = mark_of(found[key.value][0])
                self.problem(key, (*at, key.value), f"given twice (first in line {first.line})")
            else:
                found[key.value] = (key, child)
        for source in sources:
            self.enter(source, depth + 1)
            if isinstance(source, yaml.MappingNode):
                found = self.pairs(source, at, depth + 1) | found
            else:
                self.problem(source, at, "<< takes a mapping or a list of mappings")
        return found

    def enter(self, node: yaml.Node, depth: int) -> None:
        """Refuse what would never end: deep nesting, an alias inside its own anchor, aliases of aliases."""
        if depth > DEPTH_LIMIT:
            raise too_deep(node)
        self.repeated += id(node) in self.visited
        if self.repeated > ALIAS_LIMIT:
            mark = mark_of(node)
            raise ConfigError([f"{mark.line}:{mark.column}: aliases expand to more than {ALIAS_LIMIT} values"])
        self.visited.add(id(node))

    def problem(self, node: yaml.Node, at: Location, what: str) -> None:
        """Note it and go on: a file's author wants to see them all."""
        self.document.problems.append(Problem(mark_of(node), at, what))


def is_plain(node: yaml.Node) -> bool:
    """A scalar without quotes; libyaml's composer says '' where PyYAML's says None."""
    return isinstance(node, yaml.ScalarNode) and not node.style


def mark_of(node: yaml.Node | yaml.Event) -> Mark:
    """Where a node begins."""
    start = node.start_mark
    return Mark(start.line + 1, start.column + 1) if start else Mark(1, 1)


def too_deep(where: yaml.Node | yaml.Event) -> ConfigError:
    """The error for nesting that no configuration needs."""
    mark = mark_of(where)
    return ConfigError([f"{mark.line}:{mark.column}: nested deeper than {DEPTH_LIMIT} levels"])
