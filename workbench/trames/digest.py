"""The version of a trame: what decides of its figures, as one digest."""

from __future__ import annotations

import json
from hashlib import sha256

from workbench.trames.model import Trame
from workbench.trames.serie import trames_of

__all__ = ["trame_digest"]


def trame_digest(trame: Trame) -> str:
    """Return the digest of the figures that a trame asks for, in hexadecimal.

    Nomenclature, codes, unités and formules count, in their order; words for people do not, nor does the file's
    format. Of a serie, those of each of its trames.

    Examples
    --------
    >>> from workbench.trames import trame_from_formules
    >>> one, other = ({"A_B": texte} for texte in ("C70[TA:BX]", "C71[TA:BX]"))
    >>> digests = [trame_digest(trame_from_formules(each, nomenclature="M14")) for each in (one, one, other)]
    >>> digests[0] == digests[1], digests[0] == digests[2], len(digests[0])
    (True, False, 64)
    """
    content = [
        [
            one.nomenclature,
            [
                [
                    each.code,
                    each.unite,
                    [[segment.texte, segment.exercice_min, segment.exercice_max] for segment in each.formules],
                ]
                for each in one.indicateurs
            ],
        ]
        for one in trames_of(trame)
    ]
    return sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
