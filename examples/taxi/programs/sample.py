"""A sample in the shape of the Chicago taxi rides, for machines that do not have them. The same on every machine."""

import random

COMPANIES = ["", "Taxi Affiliation Services", "Dispatch Taxi Affiliation", "Choice Taxi Association"]
ROWS = {"train.csv": 4000, "eval.csv": 2000}


def make(name):
    """The text of train.csv or eval.csv."""
    if name not in ROWS:
        raise SystemExit(f"example://taxi/{name}: there are {', '.join(ROWS)}, column-names.json, preprocessing.py")
    dice = random.Random(name)
    return "".join(",".join(map(str, _ride(dice))) + "\n" for _ in range(ROWS[name]))


def _ride(dice):
    """One ride, in the order of column-names.json. Cash is hardly ever tipped (nobody writes it down)."""
    area, to = dice.choice([8, 8, 8, 32, 32, 28, 6, 76]), dice.choice([8, 8, 32, 32, 28, 7, 77, ""])
    miles = round(dice.expovariate(0.4), 1)
    fare = round(3.25 + 2.1 * miles + dice.uniform(0, 3), 2)
    payment = dice.choices(["Cash", "Credit Card", "No Charge", "Unknown"], [66, 33, 0.6, 0.4])[0]
    generous = payment == "Credit Card" and dice.random() < (0.8 if fare < 15 else 0.55)
    tips = round(fare * dice.uniform(0.21, 0.35), 2) if generous else 0.0
    time = dice.randrange(1357000200, 1483116300, 900)
    start = [41.88 + area % 7 / 50, -87.63 - area % 5 / 50]
    end = [41.88 + to % 7 / 50, -87.63 - to % 5 / 50] if to else ["", ""]
    seconds = int(180 + 220 * miles // 60 * 60)
    when = [dice.randint(1, 12), dice.randint(0, 23), dice.randint(1, 7), time]
    company = dice.choices(COMPANIES, [34, 34, 20, 12])[0]
    return [area, fare, *when, *start, *end, miles, "", "", payment, company, seconds, to, tips]
