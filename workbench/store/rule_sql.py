"""The access rule in SQL: which sheets one person may see, decided where the rows are.

A row is visible when what the person has, and what matching policies lend her, holds all that the row's scope and
matching policies require. Policies without a key were counted beforehand (`Access`); the rest is expanded badge by
badge: a badge she lacks is lent when the object has the key of a policy that promotes it. The expression grows with
the number of policies that depend on the object, not with their subsets.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, case, false, not_, or_, select, true

from workbench.store.policies import Access, Policy
from workbench.store.tables import KEY, SCOPE_BADGE

__all__ = ["concerns", "found", "has_pairs", "object_allowed", "scope_allowed"]

Condition = ColumnElement[bool]

# Made once: building an alias costs more than finding a row. Each stands alone in its own subquery.
_PAIR = KEY.alias("pair")
_ASKED = SCOPE_BADGE.alias("asked")


def found(rows: Select[Any]) -> Condition:
    """Say that there is such a row, looked for when a row that asks is at hand.

    ``EXISTS`` says the same, and a planner would turn it into a join of whole tables; it takes a ``CASE`` as it is.
    """
    return case((rows.limit(1).scalar_subquery().is_not(None), true()), else_=false())


def has_pairs(object_id: ColumnElement[Any], pairs: Mapping[str, str]) -> Condition:
    """Say that an object has all these pairs in its key."""
    conditions: list[Condition] = []
    for name, value in pairs.items():
        same = (_PAIR.c.object_id == object_id, _PAIR.c.name == name, _PAIR.c.value == value)
        conditions.append(found(select(1).select_from(_PAIR).correlate_except(_PAIR).where(*same)))
    return and_(true(), *conditions)


@lru_cache(maxsize=256)
def _among(name: str, values: frozenset[str]) -> CTE:
    """Return values of a pair as rows: given once a statement, however often they are asked."""
    return select(KEY.c.value).where(KEY.c.name == name, KEY.c.value.in_(sorted(values))).distinct().cte()


def concerns(object_id: ColumnElement[Any], policy: Policy) -> Condition:
    """Say that an object has the pairs that a policy asks for."""
    pairs = has_pairs(object_id, policy.key)
    if policy.when is None:
        return pairs
    shared = select(_among(policy.when.same, policy.among).c.value)
    same = (_PAIR.c.object_id == object_id, _PAIR.c.name == policy.when.same, _PAIR.c.value.in_(shared))
    return and_(pairs, found(select(1).select_from(_PAIR).correlate_except(_PAIR).where(*same)))


def _lent(access: Access, badge: str, object_id: ColumnElement[Any]) -> Condition:
    return or_(false(), *(concerns(object_id, each) for each in access.keyed if badge in each.promote))


def object_allowed(access: Access, object_id: ColumnElement[Any]) -> Condition:
    """Say that policies ask nothing of this object's readers that the person lacks."""
    if access.closed:
        return false()
    asked = [_lent(access, badge, object_id) for badge in sorted(access.required - access.granted)]
    for each in access.keyed:
        lacking = sorted(each.read - access.granted)
        if lacking:
            all_lent = and_(*(_lent(access, badge, object_id) for badge in lacking))
            asked.append(or_(not_(has_pairs(object_id, each.key)), all_lent))
    return and_(true(), *asked)


@lru_cache(maxsize=256)
def _beyond(granted: frozenset[str]) -> CTE:
    """Return the scopes with a badge that is not granted: read once a statement, however often it is asked."""
    return select(SCOPE_BADGE.c.scope_id).where(SCOPE_BADGE.c.badge.not_in(sorted(granted))).cte("store_beyond")


def scope_allowed(access: Access, scope_id: ColumnElement[Any], object_id: ColumnElement[Any]) -> Condition:
    """Say that a sheet's scope asks nothing that the person lacks for this object."""
    plainly = scope_id.not_in(select(_beyond(access.granted).c.scope_id))
    lending = [each for each in access.keyed if each.promote - access.granted]
    if not lending:
        return plainly
    asked = _ASKED
    lent = (
        and_(asked.c.badge.in_(sorted(each.promote - access.granted)), concerns(object_id, each)) for each in lending
    )
    lacking = (
        select(1)
        .select_from(asked)
        .correlate_except(asked)
        .where(asked.c.scope_id == scope_id, asked.c.badge.not_in(sorted(access.granted)), not_(or_(*lent)))
    )
    return or_(plainly, not_(found(lacking)))
