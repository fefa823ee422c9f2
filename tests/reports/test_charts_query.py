"""The chart of a query: its groupings say which, its figures are those of the rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workbench.dgfip import Base, connect, query
from workbench.errors import WorkbenchError
from workbench.reports.charts import PLOTLY_MIME
from workbench.reports.charts_query import query_chart


@pytest.fixture(scope="module")
def base(demonstration_base: str) -> Iterator[Base]:
    with connect(demonstration_base) as opened:
        yield opened


def test_exercices_make_lines(base: Base) -> None:
    result = query(base).measure("C70").by("departement", "exercice").run()
    chart = query_chart(result)
    traces = chart.content()["data"]
    assert [trace["type"] for trace in traces] == ["scatter"] * 6
    assert list(traces[0]["x"]) == [str(year) for year in range(2017, 2025)]
    rows = {(row["departement"], row["exercice"]): row["C70"] for row in result.table.to_pylist()}
    code = traces[0]["name"].split()[0]
    assert [value * 1e6 for value in traces[0]["y"]] == pytest.approx([rows[code, year] for year in range(2017, 2025)])
    assert "M€" in chart.content()["layout"]["yaxis"]["ticksuffix"]
    assert chart.description.startswith("Graphique : C70. 031 Haute-Garonne :")
    assert chart.description in chart._repr_mimebundle_()["text/plain"]


def test_one_line_a_measure_without_other_groups(base: Base) -> None:
    result = query(base).measure("C70", "D60").measure("C73", per_inhabitant=True).by("exercice").run()
    assert [trace["name"] for trace in query_chart(result).content()["data"]] == ["C70", "D60"]
    (alone,) = query_chart(result, ["C73/hab"]).content()["data"]
    assert alone["customdata"][0].endswith("par habitant")


def test_groups_make_bars_the_largest_first(base: Base) -> None:
    result = query(base).where(nomenclature="M57").measure("D").exercices(2024).by("compte").run()
    content = query_chart(result).content()
    (bars,) = content["data"]
    assert bars["orientation"] == "h"
    assert len(bars["x"]) == 30
    assert list(bars["x"]) == sorted(bars["x"])
    assert f"les 30 plus importants de {len(result)}" in content["layout"]["title"]["subtitle"]["text"]


def test_labels_are_text(base: Base) -> None:
    result = query(base).measure("C70", libelle="<b onclick=x>Ventes</b>").by("collectivite").run()
    content = query_chart(result).content()
    assert "<b onclick" not in str(content["data"]) + str(content["layout"]["title"])
    assert "&lt;b onclick" in content["layout"]["title"]["text"]


def test_what_has_no_amount_is_refused(base: Base) -> None:
    for result in (
        query(base).by("exercice").run(),
        query(base).where(name="introuvable").measure("C70").by("exercice").run(),
    ):
        with pytest.raises(WorkbenchError) as caught:
            query_chart(result)
        assert caught.value.code == "requete_sans_montant"
    with pytest.raises(WorkbenchError) as caught:
        query_chart(query(base).measure("C70").run(), ["C71"])
    assert caught.value.code == "requete_choix"


def test_the_chart_is_drawn_in_a_notebook(base: Base) -> None:
    bundle = query_chart(query(base).measure("C70").run())._repr_mimebundle_()
    assert bundle[PLOTLY_MIME]["config"]["plotlyServerURL"] == ""
