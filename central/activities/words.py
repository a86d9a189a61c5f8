"""A planned event in the words of the village's records: Chinese, whatever a page speaks."""

from zoneinfo import ZoneInfo

from central.activities.book import Places, plan_of
from central.activities.plan import Occurrence
from central.codes import ACTIVITY_KINDS, ActivityKind
from central.db.models import Activity

_WEEKDAYS = "一二三四五六日"


def name_of(activity: Activity) -> str:
    """Return what is going on there: its kind, or its title where the kind says nothing."""
    if activity.kind is ActivityKind.OTHER:
        return activity.title
    return ACTIVITY_KINDS[activity.kind].zh


def tag_of(activity: Activity, occurrence: Occurrence) -> str:
    """Return the tag of an alert: 报备:婚宴 200人 11:00–15:00."""
    zone = ZoneInfo(activity.time_zone)
    hours = "–".join(
        f"{moment.astimezone(zone):%H:%M}" for moment in (occurrence.start, occurrence.end)
    )
    return f"报备:{name_of(activity)} {activity.expected}人 {hours}"


def terms_of(activity: Activity, places: Places) -> str:
    """Return the terms in one line, for the record of who agreed to what."""
    plan = plan_of(activity)
    start, end = plan.start.astimezone(plan.zone), plan.end.astimezone(plan.zone)
    if plan.weekdays:
        days = "".join(_WEEKDAYS[day - 1] for day in sorted(plan.weekdays))
        when = f"每周{days} {start:%H:%M}–{end:%H:%M},{start:%Y-%m-%d}至{plan.last_day}"
    else:
        same_day = start.date() == end.date()
        when = f"{start:%Y-%m-%d %H:%M}–{end:{'%H:%M' if same_day else '%m-%d %H:%M'}}"
    where = "、".join([*sorted(places.cameras), *sorted(places.grids)])
    what = f"{ACTIVITY_KINDS[activity.kind].zh}《{activity.title}》"
    return f"{what} {activity.expected}人 {when} {where} {activity.contact}".strip()
