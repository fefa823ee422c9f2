"""One exercice of a fictitious commune's main budget, as operations in its ledger.

Amounts follow from targets: recettes réelles an inhabitant, a rate of gross savings, a share of
personnel, an effort of investment; the loan is what is left to finance. What the year leaves (cash,
debts, assets, result) opens the next one, so a fragile commune stays so for reasons that a reader
of its accounts can find.
"""

from __future__ import annotations

from workbench.dgfip.demonstration_communes import Commune, Draw
from workbench.dgfip.demonstration_habits import (
    ASSETS,
    CHARGES,
    CYCLE,
    DEPRECIATION,
    ENERGY,
    GRANTS,
    PERSONNEL,
    PRODUITS,
    RATES,
    Bounds,
)
from workbench.dgfip.demonstration_ledger import (
    BUDGET_D,
    ENTRY_C,
    ENTRY_D,
    OTHER_C,
    OTHER_D,
    Ledger,
    Position,
    carry_result,
    settle,
    shares,
)

__all__ = ["found", "play_principal"]

BANK = "515"
CREDIT_LINE = "51931"
ACCRUED = ("60612", "611", "6156", "6288")
"""Postes of expenses attached at the year's end (factures non parvenues)."""
RECEIVABLES = {
    "4111": 0.12, "4141": 0.15, "44312": 0.25, "44322": 0.45, "44332": 0.35, "44352": 0.05, "46721": 0.12, "4621": 0.0,
}  # fmt: skip
"""Share of the year's titles that the year leaves to collect, by third party."""
PAYABLES = {"4011": 0.07, "4041": 0.14, "421": 0.0002, "431": 0.0, "437": 0.004, "4421": 0.0, "46711": 0.01}
"""Share of the year's mandates that the year leaves to pay, by third party."""
ADVANCE = {"47131": 0.0, "47132": 0.0, "47138": 0.008, "4711": 0.004}
"""Share of the receipts cashed before their title that stays without title."""
SAVINGS_SHOCK = {2020: -0.008, 2022: -0.006, 2023: -0.012, 2024: -0.006}
REVENUE_SHOCK = {2020: -0.012, 2022: 0.012, 2023: 0.022, 2024: 0.015}
DEBT_LIMIT = {"solide": 4.0, "ordinaire": 8.0, "degradation": 16.0}
"""Years of gross savings that the debt may reach by a new loan."""
COMPENSATED = 0.16404
"""Rate of the FCTVA."""


def within(bounds: Bounds, inhabitants: int) -> bool:
    """Tell whether a commune has the size of a poste."""
    return bounds[0] <= inhabitants < bounds[1]


def found(commune: Commune, seed: int | str) -> Position:
    """Invent the balance sheet that a commune's first exercice opens with."""
    draw = Draw(seed, "bilan", commune.number)
    inhabitants = commune.inhabitants
    revenue = round(inhabitants * commune.revenue * 100)
    gross = round(revenue * draw.between(4.2, 5.8))
    ledger = Ledger()
    stock = {poste: share for poste, (share, _, bounds) in ASSETS.items() if within(bounds, inhabitants) and share}
    assets = shares(gross, {poste: share * draw.between(0.5, 1.5) for poste, share in stock.items()})
    for poste, amount in assets.items():
        ledger.enter(poste, amount)
        if poste in DEPRECIATION and _depreciates(poste, inhabitants):
            ledger.enter(DEPRECIATION[poste][0], -round(amount * draw.between(0.4, 0.65)))
    debt = round(inhabitants * commune.debt) * 100
    result = round(revenue * (commune.savings_first * 0.7))
    attached = {poste: round(revenue * draw.between(0.001, 0.003)) for poste in ACCRUED}
    opening = {
        "1641": -debt,
        "16884": -round(debt * RATES[2017] * 0.3),
        "165": -round(revenue * draw.between(0.0002, 0.001)),
        "10222": -round(gross * draw.between(0.09, 0.13)),
        "10226": -round(gross * draw.between(0.01, 0.02)),
        "10251": -round(gross * draw.between(0.0, 0.01)),
        "1068": -round(gross * draw.between(0.2, 0.28)),
        "110": -round(revenue * draw.between(0.02, 0.09)),
        "12": -result,
        "192": -round(gross * draw.between(0.002, 0.02)),
        "193": round(gross * draw.between(0.001, 0.006)),
        "261": round(revenue * draw.between(0.0, 0.01)),
        "271": round(revenue * draw.between(0.0, 0.0005)),
        "275": round(revenue * draw.between(0.0, 0.0005)),
        "4011": -round(revenue * draw.between(0.012, 0.022)),
        "4041": -round(revenue * draw.between(0.02, 0.04)),
        "408": -sum(attached.values()),
        "4111": round(revenue * draw.between(0.006, 0.012)),
        "4116": round(revenue * draw.between(0.003, 0.006)),
        "44312": round(revenue * draw.between(0.005, 0.015)),
        "46721": round(revenue * draw.between(0.003, 0.008)),
        BANK: round(revenue * draw.between(0.12, 0.3) * (0.35 if commune.profile == "fragile" else 1)),
    }
    if inhabitants >= 3500:
        opening |= {
            "4911": -round(revenue * 0.0008),
            "15111": -round(revenue * draw.between(0.0, 0.004)),
            "5411": 50_000,
        }
    grants = {poste: weight for poste, (weight, _, bounds) in GRANTS.items() if within(bounds, inhabitants)}
    for poste, amount in shares(-round(gross * draw.between(0.13, 0.19)), grants).items():
        opening[poste] = amount
        if poste.startswith("131"):
            opening[f"1391{poste[-1]}"] = -round(amount * draw.between(0.3, 0.5))
    for poste, amount in opening.items():
        ledger.enter(poste, amount)
    ledger.enter("1021", -sum(ledger.closing(poste) for poste in ledger.postes))
    need = -round(result * draw.between(0.4, 0.9))
    return Position(ledger, attached, need, round(revenue * draw.between(0.18, 0.26)))


def _depreciates(poste: str, inhabitants: int) -> bool:
    """Tell whether a commune depreciates an asset: below 3 500 inhabitants, subventions only."""
    return inhabitants >= 3500 or poste.startswith("204")


def play_principal(
    commune: Commune, position: Position, exercice: int, rank: float, refund: int, seed: int | str
) -> Position:
    """Play one exercice; fill the position's ledger and open the next one's.

    Parameters
    ----------
    rank
        Place of the exercice in the demonstration, from 0 (first) to 1 (last).
    refund
        Cents that the annexe budgets pay for the staff they use.
    """
    return _Year(commune, position, exercice, rank, refund, seed).play()


class _Year:
    def __init__(
        self, commune: Commune, position: Position, exercice: int, rank: float, refund: int, seed: int | str
    ) -> None:
        self.commune, self.position, self.exercice, self.refund = commune, position, exercice, refund
        self.ledger = position.ledger
        self.draw = Draw(seed, "exercice", commune.number, exercice)
        habits = Draw(seed, "habitudes", commune.number)
        tables = (PRODUITS, PERSONNEL, CHARGES, GRANTS, ASSETS)
        self.habits = {poste: habits.between(0.55, 1.45) for table in tables for poste in table}
        # Sizes decide which postes exist: those of the first exercice, lest postes come and go.
        self.inhabitants = commune.inhabitants
        population = commune.population(exercice - 2017)
        growth = 1 + 0.009 * (exercice - 2017) + sum(s for year, s in REVENUE_SHOCK.items() if year <= exercice)
        self.revenue = round(population * commune.revenue * growth * self.draw.between(0.992, 1.008) * 100)
        savings = commune.savings_first + (commune.savings_last - commune.savings_first) * rank
        savings += SAVINGS_SHOCK.get(exercice, 0.0) + self.draw.between(-0.008, 0.008)
        self.expenses = round(self.revenue * (1 - savings))
        self.debt = -self.ledger.closing("1641")
        risk = 0.007 if commune.profile == "fragile" else 0.0
        self.interest = round(self.debt * (RATES[exercice] + risk))
        self.attached: dict[str, int] = {}
        self.equipment = 0

    def play(self) -> Position:
        self._repay_credit_line()
        self._affect_result()
        self._collect()
        self._consume()
        self._provide()
        self._dispose()
        self._invest()
        self._order()
        self._settle()
        following = self.ledger.closed()
        return Position(following, self.attached, self.position.investment + self.ledger.investment(), self.equipment)

    def _spread(self, total: int, weights: dict[str, float], noise: float = 0.06, whole: int = 1) -> dict[str, int]:
        """Share a total by weights, each bent by the commune's habit and by the year."""
        bent = {
            poste: weight * self.habits[poste] * self.draw.between(1 - noise, 1 + noise)
            for poste, weight in weights.items()
        }
        return shares(total, bent, whole)

    def _repay_credit_line(self) -> None:
        self.ledger.move(CREDIT_LINE, BANK, -self.ledger.closing(CREDIT_LINE))

    def _affect_result(self) -> None:
        need = max(0, -self.position.investment) + round(self.revenue * self.draw.between(0.0, 0.02))
        carry_result(self.ledger, need, saved=0.5 if self.commune.profile == "solide" else 0.0)

    def _collect(self) -> None:
        weights = {poste: weight for poste, (weight, _, bounds) in PRODUITS.items() if within(bounds, self.inhabitants)}
        # A commune pays into the equalisation fund or draws from it, never both.
        weights.pop("73223" if self.commune.number % 3 == 0 else "739223")
        if self.exercice >= 2021 and "74835" in weights:
            # The taxe d'habitation of main homes gave way to a share of the taxe foncière.
            weights["73111"] += weights.pop("74835")
        if self.exercice % 5 != 4 and self.inhabitants < 10_000:
            weights.pop("7484")
        for poste, amount in self._spread(self.revenue - self.refund, weights, 0.03).items():
            whole = round(amount / 100) * 100 if poste.startswith(("731", "741")) else amount
            if whole >= 0:
                self.ledger.receive(poste, whole, by=PRODUITS[poste][1])
            else:
                # What is given back stands on the debit of its own comptes (739…).
                self.ledger.spend(poste, -whole, by=PRODUITS[poste][1])
        self.ledger.receive("70841", self.refund, by="46721")

    def _consume(self) -> None:
        ledger = self.ledger
        self._pay_debt()
        staff = round(self.expenses * self.commune.personnel * self.draw.between(0.99, 1.01)) + self.refund
        weights = {
            poste: weight for poste, (weight, _, bounds) in PERSONNEL.items() if within(bounds, self.inhabitants)
        }
        if self.exercice > 2019:
            weights.pop("64162", None)
        for poste, amount in self._spread(staff, weights, 0.02).items():
            if amount > 0:
                ledger.spend(poste, amount, by=PERSONNEL[poste][1])
            else:
                ledger.receive(poste, -amount, by=PERSONNEL[poste][1])
        wages = ledger.posted("421", OTHER_C)
        for poste, share in {"431": 0.11, "437": 0.10, "4421": 0.05 if self.exercice >= 2019 else 0.0}.items():
            ledger.move("421", poste, round(wages * share))
        interest = self.interest + ledger.posted("66112", BUDGET_D) + ledger.posted("6615", BUDGET_D)
        charges = {poste: weight for poste, (weight, bounds) in CHARGES.items() if within(bounds, self.inhabitants)}
        if self.inhabitants < 3500:
            charges["6531"] *= 2.5
        price = ENERGY.get(self.exercice, 1.0)
        charges |= {poste: charges[poste] * price for poste in ("60612", "60621")}
        for poste, amount in self._spread(self.expenses - staff - interest, charges).items():
            self._buy(poste, amount)

    def _buy(self, poste: str, amount: int) -> None:
        """Spend on a poste so that its net is ``amount``, with last year's and this year's attachments."""
        ledger = self.ledger
        if poste in {"6541", "6542"}:
            # Irrecoverable claims first become disputed ones.
            ledger.move("4116", "4111", round(amount * self.draw.between(1.0, 1.2)))
            ledger.spend(poste, amount, by="4116")
            return
        before = self.position.attached.get(poste, 0)
        now = round(amount * self.draw.between(0.03, 0.07)) if poste in ACCRUED else 0
        if now:
            self.attached[poste] = now
        ledger.spend(poste, amount + before - now, by="4011")
        ledger.spend(poste, now, by="408")
        ledger.spend(poste, -before, by="408")

    def _pay_debt(self) -> None:
        ledger = self.ledger
        fast = 0.092 if self.commune.profile in {"fragile", "redressement"} else 0.078
        self.repaid = round(self.debt * fast * self.draw.between(0.96, 1.04))
        ledger.spend("1641", self.repaid, by="46711")
        ledger.spend("66111", self.interest, by="46711")
        accrued = round((self.debt - self.repaid) * RATES[self.exercice] * 0.3)
        ledger.spend("66112", -ledger.posted("16884", ENTRY_C), by="16884")
        ledger.spend("66112", accrued, by="16884")
        if ledger.posted(CREDIT_LINE, ENTRY_C):
            ledger.spend("6615", round(ledger.posted(CREDIT_LINE, ENTRY_C) * 0.012), by="46711")
        deposits = -ledger.closing("165")
        ledger.spend("165", round(deposits * self.draw.between(0.02, 0.1)), by="46711")
        ledger.receive("165", round(deposits * self.draw.between(0.02, 0.1)), by="46721")

    def _provide(self) -> None:
        """Provide for disputes and bad debts (semi-budgetary: no opération d'ordre)."""
        ledger = self.ledger
        if self.inhabitants < 3500:
            return
        stock = -ledger.closing("15111")
        if stock and self.draw.chance(0.35):
            ledger.receive("7815", round(stock * self.draw.between(0.3, 0.9)), by="15111")
        elif self.draw.chance(0.35):
            ledger.spend("6815", round(self.revenue * self.draw.between(0.0005, 0.002)) // 10_000 * 10_000, by="15111")
        wanted = round(max(0, ledger.closing("4116")) * 0.25) // 100 * 100
        gap = wanted + ledger.closing("4911")
        if gap > 0:
            ledger.spend("6817", gap, by="4911")
        else:
            ledger.receive("7817", -gap, by="4911")

    def _dispose(self) -> None:
        """Sell land, a building or a vehicle; the difference with its value goes to compte 192."""
        self.sold = 0
        if not self.draw.chance(0.45):
            return
        ledger = self.ledger
        poste = ("2111", "2115", "2118", "2182")[int(self.draw.between(0, 4))]
        value = round(ledger.closing(poste) * self.draw.between(0.005, 0.06))
        if poste == "2182" and self.inhabitants >= 3500:
            worn = min(round(value * 0.7), -ledger.closing("28182"))
            ledger.move("28182", poste, worn)
            value -= worn
        price = round(value * self.draw.between(0.5, 2.8)) // 1000 * 1000
        if value <= 0 or price <= 0:
            return
        self.sold = price
        ledger.receive("775", price, by="4621")
        ledger.order("675", poste, value)
        ledger.order("6761", "192", price - value)
        ledger.order("192", "7761", value - price)

    def _invest(self) -> None:
        ledger, draw, profile = self.ledger, self.draw, self.commune.profile
        # What is in progress at the opening is finished: it changes account, outside the budget.
        for poste, finished in {"2313": "21318", "2315": "2151", "2312": "2128"}.items():
            ledger.move(finished, poste, round(max(0, ledger.closing(poste)) * draw.between(0.55, 0.9)))
        ledger.order("2313", "2031", round(max(0, ledger.closing("2031")) * 0.15) if self.inhabitants >= 3500 else 0)
        compensated = round(self.position.equipment * 0.9 * COMPENSATED)
        tax = round(self.commune.population(self.exercice - 2017) * draw.between(6, 16)) * 100
        cash = max(0, ledger.closing(BANK))
        cushion = round(self.expenses * (0.10 if profile == "fragile" else 0.24))
        bounds = (0.55, 1.6) if self.inhabitants < 3500 else (0.85, 1.15)
        effort = {"solide": 0.27, "ordinaire": 0.24, "fragile": 0.10, "degradation": 0.30, "redressement": 0.12}[
            profile
        ]
        wanted = self.revenue * effort * CYCLE[self.exercice] * draw.between(*bounds) + 0.4 * max(0, cash - cushion)
        grants = round(wanted * draw.between(0.14, 0.26))
        savings = ledger.real("7") - ledger.real("6")
        own = savings - self.repaid + compensated + tax + self.sold + grants + round(0.6 * (cash - cushion))
        loan = self._loan(round(wanted) - own, savings)
        self.equipment = max(round(self.revenue * 0.02), min(round(wanted), own + loan))
        ledger.receive("1641", loan, by="46721")
        ledger.receive("10222", compensated, by="44312")
        ledger.receive("10226", tax, by="46721")
        received = {poste: weight for poste, (weight, _, size) in GRANTS.items() if within(size, self.inhabitants)}
        for poste, amount in self._spread(grants, received, 0.6).items():
            ledger.receive(poste, amount, by=GRANTS[poste][1])
        bought = {
            poste: share for poste, (_, share, size) in ASSETS.items() if within(size, self.inhabitants) and share
        }
        for poste, amount in self._spread(self.equipment, bought, 0.5).items():
            ledger.spend(poste, amount, by="4041")

    def _loan(self, need: int, savings: int) -> int:
        """Borrow what is needed, within what the situation of the commune lets lenders accept."""
        profile, owed = self.commune.profile, self.debt - self.repaid
        if profile == "fragile":
            limit = round(self.repaid * 0.95)
        elif profile == "redressement":
            limit = round(self.repaid * 0.35)
        else:
            limit = round(DEBT_LIMIT[profile] * max(0, savings)) - owed
        step = 10_000_00 if self.inhabitants >= 3500 else 1_000_00
        loan = max(0, min(need, limit)) // step * step
        return loan if loan > self.revenue * 0.005 else 0

    def _order(self) -> None:
        """Post the depreciations, the share of grants taken into the result, the works in house."""
        ledger = self.ledger
        for poste, (depreciation, rate) in DEPRECIATION.items():
            if _depreciates(poste, self.inhabitants):
                left = ledger.closing(poste) + ledger.closing(depreciation)
                opening = ledger.posted(poste, ENTRY_D)
                ledger.order("6811", depreciation, min(round(opening * rate), max(0, left)))
        for poste in ("1311", "1312", "1313", "1318"):
            taken = f"1391{poste[-1]}"
            left = -ledger.closing(poste) - ledger.closing(taken)
            if self.inhabitants >= 3500:
                ledger.order(taken, "777", min(round(ledger.posted(poste, ENTRY_C) * 0.1), max(0, left)))
        if self.inhabitants >= 3500:
            ledger.order("21318", "722", round(self.equipment * self.draw.between(0.005, 0.02)))
        # What is worn out leaves the balance sheet, outside the budget.
        worn = round(-ledger.closing("28183") * 0.1)
        ledger.move("28183", "2183", max(0, min(worn, ledger.closing("2183"))))
        total = ledger.ordered()
        ledger.move("580", "580", total)

    def _settle(self) -> None:
        """Cash what is due, pay what is owed, leave at the year's end what years leave."""
        ledger = self.ledger
        for poste, share in ADVANCE.items():
            titled = ledger.posted(poste, OTHER_D)
            ledger.move(BANK, poste, max(0, ledger.closing(poste) + round(titled * share)))
        ledger.move(BANK, "4116", round(max(0, ledger.closing("4116")) * 0.1))
        settle(ledger, BANK, RECEIVABLES, PAYABLES, lambda: self.draw.between(0.8, 1.2))
        if self.inhabitants >= 3500:
            advanced = round(self.draw.between(40_000, 90_000))
            ledger.move("5411", BANK, advanced)
            ledger.move(BANK, "5411", advanced)
        floor = round(self.expenses * 0.02)
        if ledger.closing(BANK) < floor:
            ledger.move(BANK, CREDIT_LINE, -(-(floor - ledger.closing(BANK)) // 10_000_00) * 10_000_00)
