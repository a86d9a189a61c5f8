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
                    "rules": [{"id": "square"}],
                }
            ],
        }
    )
    sections = ("http", "recording", "detect", "evidence")
    assert {name: getattr(config, name) for name in sections} == {
        name: getattr(plain, name) for name in sections
    }
    rule = config.cameras[0].rules[0].model_dump(exclude={"regions", "exclude"})
    assert rule == plain.cameras[0].rules[0].model_dump(exclude={"regions", "exclude"})
