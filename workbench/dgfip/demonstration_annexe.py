"""One exercice of a fictitious annexe budget (water in M49, parking in M4), as operations.

These budgets are commercial: they invoice with VAT and declare it, depreciate all their assets, and
pay the commune for the staff that works for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.dgfip.demonstration_communes import Commune, Draw
from workbench.dgfip.demonstration_habits import CYCLE, RATES
from workbench.dgfip.demonstration_ledger import (
    ENTRY_C,
    ENTRY_D,
    OTHER_D,
    Ledger,
    Position,
    carry_result,
    settle,
    shares,
)

__all__ = ["PARKING", "WATER", "Service", "found_annexe", "play_annexe"]

BANK = "515"
RECEIVABLES = {"4111": 0.18, "4432": 0.3}
PAYABLES = {"4011": 0.1, "4041": 0.15, "421": 0.0, "431": 0.01, "437": 0.01, "46711": 0.03}


@dataclass(frozen=True)
class Service:
    """What an annexe budget sells and buys.

    Parameters
    ----------
    nomenclature
        ``M49`` or ``M4``.
    name
        Start of the budget's label.
    activity
        Code of the activity (``cacti``).
    revenue
        Receipts an inhabitant, in euros.
    savings
        Rate of gross savings.
    vat
        Rate of VAT on sales.
    produits, charges, assets
        Weights by poste.
    levy
        True for the levy that a water service collects for the agence de l'eau.
    """

    nomenclature: str
    name: str
    activity: str
    revenue: float
    savings: float
    vat: float
    produits: dict[str, float] = field(default_factory=dict)
    charges: dict[str, float] = field(default_factory=dict)
    assets: dict[str, tuple[float, float, str, float]] = field(default_factory=dict)
    levy: bool = False


STAFF = {"6411": 7.0, "6451": 2.2, "6453": 1.4}
WATER = Service(
    nomenclature="M49",
    name="EAU ET ASSAINISSEMENT",
    activity="01",
    revenue=165.0,
    savings=0.30,
    vat=0.07,
    produits={"70111": 52, "70611": 38, "7064": 5, "704": 2, "7068": 1, "741": 1, "7588": 0.6, "773": 0.1},
    charges={
        "6215": 24, "604": 3, "6061": 12, "6062": 5, "6063": 4, "611": 20, "61523": 9, "6156": 5, "6161": 2,
        "6226": 1.5, "6262": 0.8, "6371": 4, "6541": 0.9, "658": 0.1, "673": 0.5,
    },
    assets={
        "2031": (1, 5, "28031", 0.2),
        "2051": (0.5, 1, "2805", 0.25),
        "2111": (1.5, 0.5, "", 0.0),
        "21311": (12, 8, "281311", 0.03),
        "21531": (38, 36, "281531", 0.02),
        "21532": (38, 32, "281532", 0.02),
        "21561": (4, 8, "281561", 0.1),
        "2182": (1, 2, "28182", 0.14),
        "2183": (0.5, 1, "28183", 0.25),
        "2188": (0.5, 1, "28188", 0.1),
        "2315": (3, 8, "", 0.0),
    },
    levy=True,
)  # fmt: skip
PARKING = Service(
    nomenclature="M4",
    name="STATIONNEMENT",
    activity="18",
    revenue=19.0,
    savings=0.22,
    vat=0.20,
    produits={"70111": 92, "7064": 6, "7588": 2},
    charges={
        "6215": 20, "6061": 8, "6063": 3, "611": 24, "6156": 14, "6161": 3, "6226": 3, "6262": 2, "6371": 8,
        "6541": 0.3, "658": 0.1, "673": 0.2,
    },
    assets={
        "2051": (1, 3, "2805", 0.25),
        "2111": (12, 2, "", 0.0),
        "21311": (60, 45, "281311", 0.03),
        "21561": (12, 28, "281561", 0.1),
        "2183": (2, 6, "28183", 0.25),
        "2188": (4, 8, "28188", 0.1),
        "2315": (4, 8, "", 0.0),
    },
)  # fmt: skip


def found_annexe(commune: Commune, service: Service, seed: int | str) -> Position:
    """Invent the balance sheet that the first exercice opens with."""
    draw = Draw(seed, "bilan", service.nomenclature, commune.number)
    revenue = round(commune.inhabitants * service.revenue * 100)
    gross = round(revenue * draw.between(8.0, 12.0))
    ledger = Ledger()
    weights = {poste: share * draw.between(0.7, 1.3) for poste, (share, *_) in service.assets.items()}
    for poste, amount in shares(gross, weights).items():
        ledger.enter(poste, amount)
        depreciation = service.assets[poste][2]
        if depreciation:
            ledger.enter(depreciation, -round(amount * draw.between(0.25, 0.5)))
    debt = round(revenue * draw.between(0.8, 2.2)) // 100 * 100
    grants = round(gross * draw.between(0.12, 0.2))
    result = round(revenue * draw.between(0.03, 0.09))
    attached = {"6061": round(revenue * 0.01)}
    opening = {
        "1641": -debt,
        "16884": -round(debt * RATES[2017] * 0.3),
        "13111": -grants,
        "139111": round(grants * draw.between(0.3, 0.45)),
        "1313": -round(grants * 0.3),
        "13913": round(grants * 0.3 * 0.4),
        "10222": -round(gross * 0.05),
        "1068": -round(gross * draw.between(0.15, 0.22)),
        "110": -round(revenue * draw.between(0.05, 0.2)),
        "12": -result,
        "4011": -round(revenue * 0.03),
        "4041": -round(revenue * 0.04),
        "408": -sum(attached.values()),
        "4111": round(revenue * 0.15),
        "4116": round(revenue * draw.between(0.01, 0.03)),
        BANK: round(revenue * draw.between(0.3, 0.7)),
    }
    for poste, amount in opening.items():
        ledger.enter(poste, amount)
    ledger.enter("1021", -sum(ledger.closing(poste) for poste in ledger.postes))
    return Position(ledger, attached, -result // 2, round(revenue * 0.2))


def play_annexe(
    commune: Commune, service: Service, position: Position, exercice: int, seed: int | str
) -> tuple[Position, int]:
    """Play one exercice; fill the position's ledger.

    Returns
    -------
    tuple
        The next exercice's position, and the cents owed to the commune for its staff.
    """
    year = _AnnexeYear(commune, service, position, exercice, seed)
    return year.play(), year.refund


class _AnnexeYear:
    def __init__(self, commune: Commune, service: Service, position: Position, exercice: int, seed: int | str) -> None:
        self.service, self.position, self.exercice = service, position, exercice
        self.ledger = position.ledger
        self.draw = Draw(seed, service.nomenclature, commune.number, exercice)
        habits = Draw(seed, "habitudes", service.nomenclature, commune.number)
        self.habits = {
            poste: habits.between(0.7, 1.3) for poste in (*service.produits, *service.charges, *service.assets)
        }
        years = exercice - 2017
        revenue = commune.population(years) * service.revenue * habits.between(0.8, 1.2)
        covid = 0.82 if exercice == 2020 and not service.levy else 1.0
        self.revenue = round(revenue * covid * (1 + 0.014 * years) * self.draw.between(0.98, 1.02) * 100)
        self.savings = service.savings * habits.between(0.75, 1.2)
        self.debt = -self.ledger.closing("1641")
        self.refund = 0
        self.attached: dict[str, int] = {}
        self.equipment = 0

    def play(self) -> Position:
        carry_result(self.ledger, -self.position.investment)
        self._sell()
        self._buy()
        self._invest()
        self._depreciate()
        self._declare_vat()
        settle(self.ledger, BANK, RECEIVABLES, PAYABLES, lambda: self.draw.between(0.8, 1.2))
        following = self.ledger.closed()
        return Position(following, self.attached, self.position.investment + self.ledger.investment(), self.equipment)

    def _spread(self, total: int, weights: dict[str, float], noise: float) -> dict[str, int]:
        bent = {
            poste: weight * self.habits.get(poste, 1.0) * self.draw.between(1 - noise, 1 + noise)
            for poste, weight in weights.items()
        }
        return shares(total, bent)

    def _sell(self) -> None:
        ledger, service = self.ledger, self.service
        for poste, amount in self._spread(self.revenue, service.produits, 0.02).items():
            taxed = poste.startswith("70")
            ledger.receive(poste, amount, by="4111" if taxed else "4432")
            ledger.move("4111", "44571", round(amount * service.vat) if taxed else 0)
        if service.levy:
            levied = round(self.revenue * self.draw.between(0.07, 0.09))
            ledger.receive("701241", levied, by="4111")
            ledger.spend("701249", round(levied * 0.98), by="46711")
        ledger.move("4116", "4111", round(self.revenue * self.draw.between(0.006, 0.012)))

    def _buy(self) -> None:
        ledger = self.ledger
        rate = RATES[self.exercice] + 0.004
        interest = round(self.debt * rate)
        self.repaid = round(self.debt * self.draw.between(0.06, 0.07))
        ledger.spend("1641", self.repaid, by="46711")
        ledger.spend("66111", interest, by="46711")
        ledger.spend("66112", -ledger.posted("16884", ENTRY_C), by="16884")
        ledger.spend("66112", round((self.debt - self.repaid) * rate * 0.3), by="16884")
        total = round(self.revenue * (1 - self.savings)) - interest
        weights = self.service.charges | (STAFF if self.service.levy else {})
        for poste, amount in self._spread(total, weights, 0.06).items():
            self._spend(poste, amount)
        wanted = round(max(0, ledger.closing("4116")) * 0.3)
        gap = wanted + ledger.closing("4911")
        if gap > 0:
            ledger.spend("6817", gap, by="4911")
        else:
            ledger.receive("7817", -gap, by="4911")

    def _spend(self, poste: str, amount: int) -> None:
        ledger = self.ledger
        if poste == "6215":
            self.refund = amount
            ledger.spend(poste, amount, by="46711")
        elif poste in STAFF:
            ledger.spend(poste, amount, by={"6411": "421", "6451": "431", "6453": "437"}[poste])
        elif poste == "6541":
            ledger.spend(poste, min(amount, max(0, ledger.closing("4116"))), by="4116")
        else:
            before = self.position.attached.get(poste, 0)
            now = round(amount * 0.06) if poste == "6061" else 0
            if now:
                self.attached[poste] = now
            ledger.spend(poste, amount + before - now, by="4011")
            ledger.spend(poste, now, by="408")
            ledger.spend(poste, -before, by="408")
            taxed = poste[:2] in {"60", "61", "62"}
            ledger.move("44566", "4011", round((amount + before - now) * 0.2) if taxed else 0)

    def _invest(self) -> None:
        ledger, draw = self.ledger, self.draw
        ledger.move("21532" if self.service.levy else "21311", "2315", round(ledger.closing("2315") * 0.7))
        savings = ledger.real("7") - ledger.real("6")
        cash = ledger.closing(BANK)
        wanted = round(self.revenue * draw.between(0.22, 0.42) * CYCLE[self.exercice])
        grants = round(wanted * draw.between(0.05, 0.2))
        own = savings - self.repaid + grants + round(0.5 * (cash - self.revenue * 0.35))
        step = 1_000_000
        room = round(savings * 11) - self.debt + self.repaid
        loan = max(0, min(wanted - own, room)) // step * step
        self.equipment = max(round(self.revenue * 0.03), min(wanted, own + loan))
        ledger.receive("1641", loan, by="4432")
        for poste, amount in shares(grants, {"13111": 3.0, "1313": 1.0}).items():
            ledger.receive(poste, amount, by="4432")
        weights = {poste: share for poste, (_, share, *_) in self.service.assets.items()}
        for poste, amount in self._spread(self.equipment, weights, 0.5).items():
            ledger.spend(poste, amount, by="4041")
            ledger.move("44562", "4041", round(amount * 0.2))

    def _depreciate(self) -> None:
        ledger = self.ledger
        for poste, (_, _, depreciation, rate) in self.service.assets.items():
            if depreciation:
                left = ledger.closing(poste) + ledger.closing(depreciation)
                ledger.order("6811", depreciation, min(round(ledger.posted(poste, ENTRY_D) * rate), max(0, left)))
        for poste, taken in (("13111", "139111"), ("1313", "13913")):
            left = -ledger.closing(poste) - ledger.closing(taken)
            ledger.order(taken, "777", min(round(ledger.posted(poste, ENTRY_C) * 0.04), max(0, left)))
        ledger.move("580", "580", ledger.ordered())

    def _declare_vat(self) -> None:
        """Set the VAT paid against the VAT collected; pay the difference or carry it over."""
        ledger = self.ledger
        ledger.move("44571", "44551", -ledger.closing("44571"))
        for poste in ("44566", "44562", "44567"):
            ledger.move("44551", poste, ledger.closing(poste))
        due = -ledger.closing("44551")
        if due > 0:
            ledger.move("44551", BANK, due - round(ledger.posted("44551", OTHER_D) * 0.01) if due > 1000 else due)
        else:
            ledger.move("44567", "44551", -due)
