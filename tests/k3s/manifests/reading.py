"""Reads YAML as Kubernetes' own parser does where PyYAML is more lenient: a key stands once."""

from typing import Any

import yaml


class DuplicateKeyError(ValueError):
    """A mapping names a key twice; which of the two counts differs from parser to parser."""


class _Loader(yaml.CSafeLoader):
    pass


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict:
    seen = set()
    for key_node, _ in node.value:
        # What is merged from an anchor may be said again: that is how it is overridden.
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise DuplicateKeyError(f"{key!r} stands twice, the second time{key_node.start_mark}")
        seen.add(key)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
# `=` is a plain text to Kubernetes, and a type of its own to YAML 1.1.
_Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))


def documents(text: str) -> list[Any]:
    """The documents of a YAML text, without the empty ones."""
    return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]


def assignments(text: str) -> dict[str, str]:
    """The NAME=value lines of a lock file."""
    lines = (line.strip() for line in text.splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
