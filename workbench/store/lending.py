"""Conditions of policies, looked up: for which objects a policy lends its badges to one person, now.

A condition (`When`) speaks of objects of hers: those she follows, say. They are found once a question, through her own
eyes in their bucket, and become values of a pair that the rule compares: its cost does not follow theirs. Rights are of
now, whatever the date that is asked; no condition counts where another is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from workbench.registry import Moment
from workbench.store.keys import Reader, canonical
from workbench.store.policies import EMAIL, Access, Policy, When, access, concerned
from workbench.store.question import Filter
from workbench.store.reading import Eyes, passing
from workbench.store.rule_sql import has_pairs
from workbench.store.tables import KEY, OBJECT

__all__ = ["access_now"]

_NAMED = KEY.alias("named")
_SHARED = KEY.alias("shared")

_MOST = 1000
# Building the statement takes longer than running it, and it is asked with every question: by person, badges and
# condition, with the policies that it was built of.
_statements: dict[tuple[str, frozenset[str], str], tuple[Sequence[Policy], Select[Any]]] = {}


def access_now(
    connection: Connection, policies: Sequence[Policy], bucket: str, reader: Reader, now: datetime
) -> Access:
    """Say what policies mean for one person in one bucket, their conditions looked up."""
    conditions = {each.name: each.when for each in concerned(policies, bucket, reader.badges) if each.when is not None}
    if not conditions or not reader.email:
        return access(policies, bucket, reader)
    among = {name: _values(connection, policies, when, reader, now) for name, when in conditions.items()}
    return access(policies, bucket, reader, among)


def _values(
    connection: Connection, policies: Sequence[Policy], when: When, reader: Reader, now: datetime
) -> frozenset[str]:
    condition = canonical([when.bucket, dict(when.key), when.same, dict(when.value)])
    name = (reader.email, frozenset(reader.badges), condition)
    built = _statements.get(name)
    if built is None or built[0] is not policies:
        if len(_statements) >= _MOST:
            _statements.clear()
        built = _statements[name] = (policies, _wanted(policies, when, reader))
    return frozenset(connection.execute(built[1], {"moment": now}).scalars())


def _wanted(policies: Sequence[Policy], when: When, reader: Reader) -> Select[Any]:
    """Select the values of a condition, as of the parameter ``moment``."""
    moment: Any = bindparam("moment", type_=Moment)
    eyes = Eyes(access(policies, when.bucket, reader), when.bucket, moment)
    pairs = {name: value.replace(EMAIL, reader.email) for name, value in when.key.items()}
    # By the pair that names her: hers are few, and an index has them.
    name = next(each for each, value in when.key.items() if value == EMAIL)
    filters = [Filter(field, "=", value) for field, value in when.value.items()]
    return (
        select(_SHARED.c.value)
        .distinct()
        .select_from(_NAMED)
        .join(OBJECT, OBJECT.c.id == _NAMED.c.object_id)
        .join(_SHARED, _SHARED.c.object_id == _NAMED.c.object_id)
        .where(_NAMED.c.name == name, _NAMED.c.value == pairs.pop(name), OBJECT.c.bucket == when.bucket)
        .where(_SHARED.c.name == when.same, has_pairs(OBJECT.c.id, pairs), passing(eyes, filters, OBJECT.c.id))
    )
