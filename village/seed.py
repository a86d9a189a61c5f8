"""The demo village as the centre takes it in, and the sheet of its logins."""

from dataclasses import asdict
from datetime import date, time

from village import demo
from village.home import Home
from village.toml import Value, dumps

#: Only the rotation's phase hangs on it.
_FIRST_DAY = date(2026, 1, 1)
_SHIFTS = (("白班", time(8), time(20)), ("夜班", time(20), time(8)))


def seed_document(home: Home) -> str:
    """Return seed.toml (central/seed.py); secrets are in the files it names."""
    people = tuple(person.id for person in demo.PEOPLE)
    home.pins(people)
    document: dict[str, Value] = {
        "grids": [
            {"code": grid.code, "name": grid.name, "worker": grid.worker_id} for grid in demo.GRIDS
        ],
        "people": [
            {**asdict(person), "pin": {"file": home.secrets / f"pin-{person.id}"}}
            for person in demo.PEOPLE
        ],
        "users": [_user(home, account) for account in demo.ACCOUNTS],
        "boxes": [
            {
                "id": demo.BOX_ID,
                "name": demo.BOX_NAME,
                "token": {"file": home.token("box-token")},
            }
        ],
        "roster": {
            "first_day": _FIRST_DAY,
            "days": 35,
            "shifts": [
                {"name": name, "start": start.isoformat(), "end": end.isoformat()}
                for name, start, end in _SHIFTS
            ],
            "teams": [asdict(team) for team in demo.TEAMS],
        },
    }
    return "# Written by `python -m village run` at every start.\n\n" + dumps(document)


def _user(home: Home, account: demo.Account) -> dict[str, Value]:
    user: dict[str, Value] = {
        "username": account.username,
        "role": account.role,
        "name": account.name,
        "password": {"file": home.password(f"password-{account.username}")},
    }
    if account.person_id is not None:
        user["person"] = account.person_id
    return user


def logins_text(home: Home, web_url: str) -> str:
    """Return the addresses and passwords as a sheet for the terminal."""
    pages = {"wall": "/wall", "duty": "/", "admin": "/"}
    lines = ["打开以下地址登录 · open and sign in:"]
    for account in demo.ACCOUNTS:
        password = home.word(home.password(f"password-{account.username}"))
        page = f"{web_url}{pages[account.username]}"
        lines.append(f"  {page:<34} {account.username:<6} {password}   {account.name}")
    lines.append(f"  {web_url + '/review':<34} 用 duty 登录查看录像 · footage, signed in as duty")
    return "\n".join(lines)


def pins_text(home: Home) -> str:
    """Return everybody's PIN for signing at the wall."""
    pins = home.pins(tuple(person.id for person in demo.PEOPLE))
    lines = ["大屏签收用 PIN · PINs for signing at the wall:"]
    lines += [f"  {pins[person.id]}  {person.name}  {person.post}" for person in demo.PEOPLE]
    return "\n".join(lines)
