"""A trame made of formules written in a notebook."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.errors import require_kind
from workbench.trames.checks import check_field, check_textes, excerpt, require_right
from workbench.trames.model import Formule, Indicateur, Trame
from workbench.trames.problems import TrameError, TrameProblem, nearest
from workbench.trames.segments import split_texte

__all__ = ["trame_from_formules"]


def trame_from_formules(
    formules: Mapping[str, str],
    nomenclature: str | None = None,
    code: str = "trame",
    libelles: Mapping[str, str] | None = None,
) -> Trame:
    """Build a trame from formules written in a notebook.

    Parameters
    ----------
    formules
        Text of each indicateur by its code, years as RE-MIN and RE-MAX brackets; they may name one another.
    nomenclature
        Chart of accounts; None to be bound to none.
    code
        Code of the trame.
    libelles
        Libellés by code, for some indicateurs or all.

    Returns
    -------
    Trame
        Its indicateurs in the order of ``formules``.

    Raises
    ------
    TrameError
        With every error of every formule.

    Examples
    --------
    >>> trame = trame_from_formules({"A_VENTES": "C70[TA:BX]", "A_PART": "A_VENTES/$POP"}, nomenclature="M14")
    >>> trame.order, trame.nomenclature
    (('A_VENTES', 'A_PART'), 'M14')
    >>> trame_from_formules({"A_PART": "A_VENTE/$POP", "A_VENTES": "C70[TA:BX]"})
    Traceback (most recent call last):
        ...
    workbench.trames.problems.TrameError: La trame trame comporte 1 erreur.
    A_PART : l'indicateur A_VENTE n'existe pas
        A_VENTE/$POP
        ^^^^^^^
        → Vouliez-vous dire A_VENTES ?
    """
    require_kind(
        formules, Mapping, "formules", "un dictionnaire de formules par code", 'Par exemple {"A_VENTES": "C70[TA:BX]"}.'
    )
    require_kind(nomenclature, (str, type(None)), "nomenclature", "un texte", 'Par exemple nomenclature="M57".')
    for name, texte in formules.items():
        require_kind(name, str, "formules", "un dictionnaire dont les clés sont des codes")
        require_kind(
            texte, (str, type(None)), f"formules[{name!r}]", "le texte d'une formule", f'Par exemple "{texte}".'
        )
    names = dict(libelles or {})
    textes = [(name, texte) for name, texte in formules.items()]
    problems = [
        TrameProblem(name, "ce libellé est celui d'un indicateur qui n'existe pas", nearest(name, formules))
        for name in names
        if name not in formules
    ]
    problems += [TrameProblem(name, *wrong) for name in formules if (wrong := check_field("code_indicateur", name))]
    for rank, diagnostic, about_code in check_textes([(name, texte or " ") for name, texte in textes], list(formules)):
        name, texte = textes[rank]
        if diagnostic.severity == "error" and not about_code:
            problems.append(
                TrameProblem(
                    name, diagnostic.message, diagnostic.hint, excerpt(texte, diagnostic.span) if texte else ""
                )
            )
    if problems:
        raise TrameError.of(code, problems)
    trame = Trame(
        code,
        tuple(
            Indicateur(name, names.get(name, ""), tuple(Formule(*part) for part in split_texte(texte)))
            for name, texte in textes
        ),
        nomenclature=nomenclature,
    )
    require_right(trame)
    return trame
