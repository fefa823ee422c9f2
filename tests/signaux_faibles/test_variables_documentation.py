"""What is said of variables is what is declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.sources import sources
from workbench.signaux_faibles.variables import Definition, Scope, families, variables_of
from workbench.signaux_faibles.variables.compute import output_schema
from workbench.signaux_faibles.variables.documentation import described, document, variables_table
from workbench.signaux_faibles.variables.plan import chosen


def test_the_document_is_current(project: Path) -> None:
    written = (project / "docs" / "variables.md").read_text(encoding="utf-8")
    assert written == document(), "python -m workbench.signaux_faibles.variables.documentation > docs/variables.md"


@pytest.mark.parametrize("scope", Scope)
def test_every_variable_says_what_it_is(scope: Scope) -> None:
    every = [each for family in families(scope) for each in family.variables]
    assert len({each.code for each in every}) == len(every)
    for each in every:
        assert each.formule, each.code
        assert set(each.sources) <= set(sources()), each.code
        assert each.sources or each.code == "futur_connu", each.code


def test_the_reference_has_fewer_variables() -> None:
    compat, corrige = (variables_of(Scope.ETABLISSEMENT, each) for each in (Definition.COMPAT, Definition.CORRIGE))
    assert set(corrige) - set(compat) == {"outcome_failure", "signal_fort", "futur_connu"}
    assert len(compat) > 300


def test_the_schema_bears_units_and_formulas() -> None:
    from facts_of_companies import setting

    schema = output_schema(Scope.ETABLISSEMENT, ("cotisation", "tag_debit"), setting("2018-01", "2018-02"))
    assert schema.names == ["siret", "siren", "periode", "cotisation", "tag_debit"]
    assert schema.field("cotisation").metadata[b"unite"] == b"euros"
    assert str(schema.field("tag_debit").type) == "bool"


def test_help_and_choice() -> None:
    assert "Regarde l'avenir" in described("outcome")
    assert "compat" in described("tag_default")
    with pytest.raises(WorkbenchError, match="moyenne"):
        described("moyenne")
    assert variables_table(Scope.ENTREPRISE).num_rows == len(variables_of(Scope.ENTREPRISE))
    # Whatever the order in which they are named.
    assert chosen(("outcome", "age"), Scope.ETABLISSEMENT, Definition.CORRIGE) == ("age", "outcome")
    assert chosen((), Scope.ETABLISSEMENT, Definition.CORRIGE, ["ccsf", "compte"]) == ("compte_urssaf", "date_ccsf")
