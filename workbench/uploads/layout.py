"""How files lie on the disk: the seed's layout and the one that came after, as data.

Source: specification of Signaux Faibles, 1.4. In both, ``tusd/`` is the working area that the service alone enters, and
what arrived whole gets a second name, a hard link, in ``public/`` or in the folder of its space.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.errors import WorkbenchError
from workbench.identity.actor import is_space

__all__ = ["LAYOUTS", "SEED", "TUSD", "Layout", "check_space"]

TUSD = "tusd"
PUBLIC = "public"


@dataclass(frozen=True)
class Layout:
    """One way of laying files.

    Parameters
    ----------
    name
        What the configuration calls it.
    suffix
        Of the data files.
    file_mode, directory_mode
        Of what is published, and of the folders made for it.
    makes_folders
        The folder of a space is made when it is needed; otherwise the operator makes it beforehand.
    owned_by_space
        Published files belong to the user whom the space names; otherwise to the service.
    public_group, private_group
        Their groups; an empty one is the space's own.
    tells_path
        ``.info`` has the member ``Storage``, as since tusd 1.x.
    """

    name: str
    suffix: str
    file_mode: int
    directory_mode: int
    makes_folders: bool
    owned_by_space: bool
    public_group: str
    private_group: str
    tells_path: bool

    def group(self, space: str, *, private: bool) -> str:
        """Return the group that published files get.

        Examples
        --------
        >>> SEED.group("urssaf", private=False), SEED.group("urssaf", private=True)
        ('users', 'goup')
        """
        return (self.private_group if private else self.public_group) or space

    def folder(self, space: str, *, private: bool) -> str:
        """Return the name of the folder where files are published.

        Examples
        --------
        >>> SEED.folder("urssaf", private=True)
        'urssaf'
        """
        return space if private else PUBLIC


SEED = Layout("2019", ".bin", 0o660, 0o770, False, True, "users", "goup", False)
LATER = Layout("2020", "", 0o640, 0o750, True, False, PUBLIC, "", True)

LAYOUTS = {each.name: each for each in (SEED, LATER)}


def check_space(space: str) -> str:
    """Return the name of a space, which is the name of a folder too.

    Raises
    ------
    WorkbenchError
        ``depot_espace_absent``: none, or one that would leave the storage or enter the service's own folders.

    Examples
    --------
    >>> check_space("urssaf")
    'urssaf'
    >>> check_space("../tusd")
    Traceback (most recent call last):
        ...
    workbench.errors.WorkbenchError: Votre identité ne nomme pas d'espace de dépôt (le nom donné ne convient pas).
    Demandez à l'exploitant de renseigner votre attribut goup_path.
    """
    if not space:
        raise WorkbenchError("depot_espace_absent", cause="aucun nom n'est donné")
    if not is_space(space):
        raise WorkbenchError("depot_espace_absent", cause="le nom donné ne convient pas")
    return space
