"""What a system refuses, in French: its own words are in the language of the machine, most often English."""

from __future__ import annotations

import errno

__all__ = ["system_cause"]

_SENTENCES = {
    errno.EACCES: "le droit manque",
    errno.EPERM: "le système l'interdit",
    errno.EROFS: "ce système de fichiers est en lecture seule",
    errno.ENOSPC: "il n'y a plus de place sur le disque",
    errno.EDQUOT: "le quota de disque est atteint",
    errno.EFBIG: "le fichier serait trop gros",
    errno.ENOENT: "ce chemin n'existe pas",
    errno.ENOTDIR: "une partie du chemin n'est pas un dossier",
    errno.EISDIR: "c'est un dossier",
    errno.EEXIST: "un fichier porte déjà ce nom",
    errno.ENOTEMPTY: "le dossier n'est pas vide",
    errno.ENAMETOOLONG: "le nom est trop long",
    errno.ELOOP: "ses liens tournent en rond",
    errno.EMFILE: "ce programme a ouvert trop de fichiers",
    errno.ENFILE: "la machine a ouvert trop de fichiers",
    errno.ENOMEM: "la mémoire de la machine n'a pas suffi",
    errno.EIO: "le disque a répondu par une erreur",
    errno.ESTALE: "le partage réseau ne répond plus",
}


def system_cause(error: OSError) -> str:
    """Say in French why a system refused; in its own words when it is not one of the usual refusals.

    Examples
    --------
    >>> system_cause(PermissionError(13, "Permission denied"))
    'le droit manque'
    >>> system_cause(OSError("tel quel"))
    'tel quel'
    """
    known = _SENTENCES.get(error.errno) if error.errno is not None else None
    return known or error.strerror or str(error)
