"""Policies, and the one access rule.

A policy applies to an object when its regular expression finds something in the bucket's name, the person owns all the
badges of its ``scope``, and the object has all the pairs of its ``key``. Policies that apply add badges to what an
object requires (``read``, ``write``) or to what a person has (``promote``). A promoted badge makes no other policy
apply. An object of several policies takes from all of them: their order is immaterial.

A policy that only lends may say ``when``: for the objects that share a pair with an object of the reader's own, such as
those of a company that she follows (`When`). Which they are is looked up once a question, by `lending`; until then the
policy lends nothing.

`Access` is what the policies mean for one person in one bucket, those whose key every object of the bucket has already
counted: what is left (`keyed`) depends on each object. The same `Access` answers in Python for one object
(`missing`) and in SQL for all of them (`rule_sql`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import re2

from workbench.errors import WorkbenchError
from workbench.store.keys import BUCKET, SYSTEM, Reader, checked_badges, checked_bucket, checked_key, checked_text

__all__ = ["FIELDS", "MANAGER", "Access", "Policy", "When", "access", "concerned", "policy"]

EMAIL = "$user.email"

FIELDS = ("match", "key", "scope", "read", "write", "promote", "writable", "when")

OF_WHEN = ("bucket", "key", "same", "value")

MANAGER = "manager"
"""The badge that a new store asks of those who read and write policies."""


@dataclass(frozen=True)
class When:
    """When a policy lends: an object of the reader's own says so, by a pair that it shares.

    Parameters
    ----------
    bucket
        Where that object is.
    key
        Pairs that it has; one of them names the reader (``$user.email``).
    same
        The name of the pair whose value both objects have.
    value
        What the properties that the reader sees of it, now, are.
    """

    bucket: str
    key: Mapping[str, str]
    same: str
    value: Mapping[str, bool | int | float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """One policy in force.

    Parameters
    ----------
    name
        Its name, for explanations.
    match
        Regular expression (RE2: its time is linear in the name's length), searched in the bucket's name.
    key
        Pairs that an object must have.
    scope
        Badges that a person must own.
    read, write
        Badges added to what reading and writing require.
    promote
        Badges lent to the person.
    writable
        The properties that may be written; None when this policy says nothing of them.
    when
        The condition of what it lends, if there is one.
    among
        Values of the pair ``when.same`` for which the condition holds, once looked up for a reader.
    """

    name: str
    match: str
    key: Mapping[str, str] = field(default_factory=dict)
    scope: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    write: frozenset[str] = frozenset()
    promote: frozenset[str] = frozenset()
    writable: frozenset[str] | None = None
    when: When | None = None
    among: frozenset[str] = frozenset()

    def concerns(self, key: Mapping[str, str]) -> bool:
        """Tell whether an object has the pairs that the policy asks for."""
        if not self.key.items() <= key.items():
            return False
        return self.when is None or key.get(self.when.same) in self.among


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return re2.compile(pattern, options)


def policy(name: str, value: Mapping[str, Any]) -> Policy:
    """Read the value of a policy object; a null or absent field is empty.

    Raises
    ------
    WorkbenchError
        ``politique_invalide``.

    Examples
    --------
    >>> policy("Bourgogne", {"match": "public", "scope": ["Bourgogne"], "promote": ["21", "58", "71", "89"]}).match
    'public'
    >>> policy("fausse", {"match": "("})
    Traceback (most recent call last):
        ...
    workbench.errors.WorkbenchError: La politique « fausse » est invalide : match n'est pas une expression régulière.
    Champs : match (obligatoire), key, scope, read, write, promote, writable, when.
    """

    def refuse(cause: str) -> WorkbenchError:
        return WorkbenchError("politique_invalide", nom=name, cause=cause)

    unknown = sorted(set(value) - set(FIELDS))
    if unknown:
        raise refuse(f"champ inconnu « {unknown[0]} »")
    match = value.get("match")
    if not isinstance(match, str):
        raise refuse("match doit être un texte")
    try:
        _expression(match)
    except (re2.error, UnicodeError):
        raise refuse("match n'est pas une expression régulière") from None
    try:
        key = checked_key(value.get("key") or {})
        lists = {each: checked_badges(value.get(each) or [], each) for each in ("scope", "read", "write", "promote")}
        writable = value.get("writable")
        names = None if writable is None else checked_badges(writable, "writable")
        when = None if value.get("when") is None else _when(value["when"])
    except WorkbenchError as error:
        raise refuse(error.message if error.code != "politique_invalide" else error.details["cause"]) from None
    if when is not None and (lists["read"] or lists["write"] or names is not None):
        raise refuse("avec when, une politique prête des badges (promote) et n'exige rien")
    return Policy(name, match, key, writable=names, when=when, **lists)


def _when(written: Any) -> When:
    def refuse(cause: str) -> WorkbenchError:
        return WorkbenchError("politique_invalide", nom="when", cause=cause)

    if not isinstance(written, Mapping) or not {"bucket", "key", "same"} <= set(written) <= set(OF_WHEN):
        raise refuse("when est un objet JSON de champs bucket, key, same et value")
    key = checked_key(written["key"], "when.key")
    if EMAIL not in key.values():
        # What an agent's own objects open stays small, and is hers.
        raise refuse(f"when.key n'a aucune paire de valeur {EMAIL}")
    properties = written.get("value") or {}
    if not isinstance(properties, Mapping) or not all(
        isinstance(each, bool | int | float | str) for each in properties.values()
    ):
        raise refuse("when.value associe des propriétés à des nombres, des textes ou des booléens")
    same = checked_text(written["same"], "when.same")
    if same == BUCKET:
        raise refuse("when.same nomme une paire de la clé, et non le seau")
    named = {checked_text(name, "when.value"): each for name, each in properties.items()}
    return When(checked_bucket(written["bucket"]), key, same, named)


@dataclass(frozen=True)
class Access:
    """What the policies mean for one person in one bucket.

    Parameters
    ----------
    granted
        Badges that the person has for every object of the bucket.
    required
        Badges that reading any object of the bucket takes.
    keyed
        The other policies that may apply, according to the object.
    policies
        All of them, for writing and for explanations.
    badges
        What the person owns by herself.
    closed
        Whether nobody may enter: the bucket of policies, when no policy protects it.
    """

    granted: frozenset[str]
    required: frozenset[str]
    keyed: tuple[Policy, ...]
    policies: tuple[Policy, ...]
    badges: frozenset[str]
    closed: bool

    def applying(self, key: Mapping[str, str]) -> list[Policy]:
        """Return the policies that apply to an object."""
        return [each for each in self.policies if each.concerns(key)]

    def missing(self, key: Mapping[str, str], scope: Iterable[str]) -> frozenset[str]:
        """Return the badges that reading a sheet lacks; empty when it is visible."""
        relevant = self.applying(key)
        needed = frozenset(scope).union(*(each.read for each in relevant))
        return needed - self.badges.union(*(each.promote for each in relevant))

    def missing_to_write(self, key: Mapping[str, str]) -> frozenset[str]:
        """Return the badges that writing an object lacks."""
        relevant = self.applying(key)
        needed: frozenset[str] = frozenset().union(*(each.write for each in relevant))
        return needed - self.badges.union(*(each.promote for each in relevant))

    def writable(self, key: Mapping[str, str]) -> frozenset[str] | None:
        """Return the properties that may be written in an object; None for all."""
        lists = [each.writable for each in self.applying(key) if each.writable is not None]
        return frozenset().union(*lists) if lists else None


def _for_reader(each: Policy, email: str, bucket: str) -> Policy | None:
    """Put the person in the policy's key; None when no object of the bucket can have that key."""
    key = dict(each.key)
    if any(EMAIL in value for value in key.values()):
        if not email:
            return None
        key = {name: value.replace(EMAIL, email) for name, value in key.items()}
    if key.pop(BUCKET, bucket) != bucket:
        return None
    return each if key == each.key else replace(each, key=key)


def concerned(policies: Sequence[Policy], bucket: str, badges: Collection[str]) -> list[Policy]:
    """Return the policies that apply to a person of these badges in a bucket, whatever the objects."""
    return [each for each in policies if each.scope <= set(badges) and _expression(each.match).search(bucket)]


def access(
    policies: Sequence[Policy], bucket: str, reader: Reader, among: Mapping[str, frozenset[str]] | None = None
) -> Access:
    """Say what policies mean for one person in one bucket.

    Parameters
    ----------
    policies
        Those in force.
    bucket, reader
        Where, and who.
    among
        What was looked up of conditions, by the names of policies; one whose condition was not lends nothing.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> agent = SimpleNamespace(email="a@exemple.fr", badges=["Bourgogne"])
    >>> rule = policy("Bourgogne", {"match": "public", "scope": ["Bourgogne"], "promote": ["21", "58"]})
    >>> access([rule], "public", agent).missing({}, ["21"])
    frozenset()
    >>> access([rule], "other", agent).missing({}, ["21"])
    frozenset({'21'})
    """
    badges = frozenset(reader.badges)
    found = [
        each if each.when is None else replace(each, among=(among or {}).get(each.name, frozenset()))
        for each in concerned(policies, bucket, badges)
    ]
    mine = (_for_reader(each, reader.email, bucket) for each in found if each.when is None or each.among)
    relevant = [each for each in mine if each is not None]
    plain = [each for each in relevant if not each.key and each.when is None]
    granted = badges.union(*(each.promote for each in plain))
    required: frozenset[str] = frozenset().union(*(each.read for each in plain))
    keyed = [
        each
        for each in relevant
        if (each.key or each.when is not None) and (each.read - granted or each.promote - granted)
    ]
    return Access(
        granted, required, tuple(keyed), tuple(relevant), badges, bucket == SYSTEM and not _protected(policies)
    )


def _protected(policies: Sequence[Policy]) -> bool:
    """Whether policies that everyone meets ask a badge of whoever reads or writes policies."""
    met = [each for each in policies if not each.scope and not each.key and _expression(each.match).search(SYSTEM)]
    return any(each.read for each in met) and any(each.write for each in met)
