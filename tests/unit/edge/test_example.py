from datetime import datetime
from pathlib import Path

from edge.config import EdgeConfig, load

ROOT = Path(__file__).resolve().parents[3]


def test_the_example_of_a_village_box_loads_and_shows_the_defaults() -> None:
    """What the comments call the default is the default: a reader may leave the key out."""
    config = load(ROOT / "configs" / "edge.village.toml")
    assert config.centre is not None
    plain = EdgeConfig.model_validate(
        {
            "box": config.box.model_dump(),
            "cameras": [
                {
                    **config.cameras[0].model_dump(
                        include={"id", "name", "grid_code", "place", "main_url", "sub_url"}
                    ),
                    "rules": [{"id": "square"}, {"kind": "fire", "id": "fire"}],
                }
            ],
        }
    )
    sections = ("http", "recording", "detect", "evidence", "commands")
    assert {name: getattr(config, name) for name in sections} == {
        name: getattr(plain, name) for name in sections
    }
    shown, default = (
        [rule.model_dump(exclude={"regions", "exclude"}) for rule in each.cameras[0].rules]
        for each in (config, plain)
    )
    assert shown == default


def test_the_schedule_that_the_example_leaves_out_can_be_taken_as_it_stands(tmp_path) -> None:
    text = (ROOT / "configs" / "edge.village.toml").read_text("utf-8")
    before, header, rows = text.partition("# [cameras.rules.schedule]\n")
    schedule = "".join(line.removeprefix("# ") for line in rows.splitlines(keepends=True))
    path = tmp_path / "edge.toml"
    path.write_text(
        before.replace("# holidays", "holidays") + header.removeprefix("# ") + schedule, "utf-8"
    )
    config = load(path)
    assert len(config.box.holidays) == 2
    section = config.cameras[0].rules[0].schedule
    assert section is not None
    work, zone = section.on(config.box.calendar()), config.box.calendar().zone
    friday_night = datetime(2026, 11, 28, 1, tzinfo=zone)
    holiday_morning = datetime(2027, 2, 6, 7, tzinfo=zone)
    assert work.is_on(friday_night)
    assert not work.is_on(holiday_morning)
