"""Functions that change labels, or the order of series."""

from dataclasses import replace
from functools import cmp_to_key

import numpy as np

from bridge.native import QueryLimit
from bridge.promql.failures import QueryFailed
from bridge.promql.frame import Frame, Text
from bridge.promql.functions.function import Function, Invocation
from bridge.promql.functions.natural import natural_key

__all__ = ["LABELS"]

NAME = "__name__"


def label_replace(invocation: Invocation, vector: Frame, target: Text, *how: Text) -> Frame:
    """One label set to what a pattern makes of another one, where it matches."""
    template, source, pattern = how
    if not is_label_name(target.value):
        raise QueryFailed(f"invalid destination label name in label_replace(): {target.value}")
    with invocation.evaluation.making_labels() as making:
        try:
            labels, matched, making.taken = vector.labels.replaced(
                target.value, template.value, source.value, pattern.value, making.most
            )
        except QueryLimit:
            raise
        except ValueError:
            raise QueryFailed(f"invalid regular expression in label_replace(): {pattern.value}") from None
    drop_name = vector.drop_name
    if target.value == NAME:
        drop_name = drop_name & ~np.frombuffer(matched, dtype=np.bool_)
    return invocation.evaluation.merged(replace(vector, labels=labels, drop_name=drop_name))


def label_join(invocation: Invocation, vector: Frame, target: Text, separator: Text, *sources: Text) -> Frame:
    """One label set to the values of others."""
    for source in sources:
        if not is_label_name(source.value):
            raise QueryFailed(f"invalid source label name in label_join(): {source.value}")
    if not is_label_name(target.value):
        raise QueryFailed(f"invalid destination label name in label_join(): {target.value}")
    names = [source.value for source in sources]
    with invocation.evaluation.making_labels() as making:
        labels, making.taken = vector.labels.joined(target.value, separator.value, names, making.most)
    drop_name = np.zeros(len(vector), dtype=np.bool_) if target.value == NAME else vector.drop_name
    return invocation.evaluation.merged(replace(vector, labels=labels, drop_name=drop_name))


def is_label_name(name: str) -> bool:
    """Any text is one, but for none."""
    return bool(name)


def sort(invocation: Invocation, vector: Frame) -> Frame:
    """Ascending, what is no number last."""
    return by_value(invocation, vector, 1)


def sort_desc(invocation: Invocation, vector: Frame) -> Frame:
    """Descending, what is no number last."""
    return by_value(invocation, vector, -1)


def by_value(invocation: Invocation, vector: Frame, sign: int) -> Frame:
    """In the order of the floats of an instant query. Histograms have no order, and are left out."""
    floats = vector.floats()
    if warned(invocation):
        return floats
    order = np.argsort(sign * floats.values[:, 0], kind="stable")
    return replace(floats.take(order), ordered=True)


def sort_by_label(invocation: Invocation, vector: Frame, *names: Text) -> Frame:
    """In the order of the values of some labels, numbers in them as numbers, and then of all labels."""
    return by_labels(invocation, vector, names, 1)


def sort_by_label_desc(invocation: Invocation, vector: Frame, *names: Text) -> Frame:
    """The other way round."""
    return by_labels(invocation, vector, names, -1)


def by_labels(invocation: Invocation, vector: Frame, names: tuple[Text, ...], sign: int) -> Frame:
    """In the order of labels of an instant query."""
    if warned(invocation):
        return vector
    keys = [[natural_key(value) for value in vector.labels.values(name.value)] for name in names]
    sorted_labels = vector.labels.order()
    ranks = np.arange(len(vector))
    if sorted_labels is not None:
        ranks[np.frombuffer(sorted_labels, dtype=np.int64)] = np.arange(len(vector))

    def compare(a: int, b: int) -> int:
        for key in keys:
            if key[a] != key[b]:
                return sign if key[a] > key[b] else -sign
        return sign * int(ranks[a] - ranks[b])

    order = np.array(sorted(range(len(vector)), key=cmp_to_key(compare)), dtype=np.int64)
    return replace(vector.take(order), ordered=True)


def warned(invocation: Invocation) -> bool:
    """The series of a range query are in the order of their labels, whatever was asked for. One whose end comes before
    its second step is none less."""
    steps, evaluation = invocation.steps.whole, invocation.evaluation
    if steps.count == 1 and not (steps.step and evaluation.ends_later):
        return False
    text = "sort is ineffective for range queries since results are always ordered by labels"
    evaluation.annotations.warn(text, invocation.node.pos)
    return True


LABELS = {
    "label_join": Function(label_join, keeps_name=True),
    "label_replace": Function(label_replace, keeps_name=True),
    "sort": Function(sort, keeps_name=True),
    "sort_by_label": Function(sort_by_label, keeps_name=True),
    "sort_by_label_desc": Function(sort_by_label_desc, keeps_name=True),
    "sort_desc": Function(sort_desc, keeps_name=True),
}
