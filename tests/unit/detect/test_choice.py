from edge.config import CameraSection, DetectSection
from edge.detect.choice import choose
from edge.detect.feed import Task
from edge.rule_config import FireSection, GatheringSection
from protocol.messages import AlertKind
from tests.support import own_models

SMALL = "ssdlite-mobilenetv2-person"


def camera(*rules):
    return CameraSection(
        id="gate",
        name="村口",
        grid_code="330521100201001",
        main_url="rtsp://10.0.0.9/main",
        rules=rules,
    )


def test_only_what_a_rule_needs_is_looked_for():
    crowd = camera(GatheringSection(id="crowd"))
    choice = choose(DetectSection(model=SMALL, fire_model="nothing"), [crowd])
    assert set(choice.selections) == {Task.PEOPLE}
    assert choice.refusal is None
    assert choice.fire_scores() is None
    name = choice.name(Task.PEOPLE)
    assert name is not None
    assert name.startswith(f"{SMALL}/")
    assert choice.names == name


def test_a_model_that_is_refused_leaves_the_other_at_work_and_says_why():
    both = camera(GatheringSection(id="crowd"), FireSection(id="fire"))
    choice = choose(DetectSection(model=SMALL, fire_model="nothing"), [both])
    assert set(choice.selections) == {Task.PEOPLE}
    assert set(choice.refusals) == {Task.FIRE}
    assert "nothing" in (choice.refusal or "")


def test_without_rules_there_are_no_models():
    choice = choose(DetectSection(model="nothing"), [camera()])
    assert (choice.selections, choice.refusals, choice.names) == ({}, {}, None)


def test_a_model_of_another_task_is_refused():
    choice = choose(DetectSection(fire_model=SMALL), [camera(FireSection(id="fire"))])
    assert choice.get(Task.FIRE) is None
    assert "'task' must be fire, not person" in (choice.refusal or "")


def test_a_users_fire_model_may_know_other_things_too_and_smoke_alone(tmp_path):
    weights = own_models.network([[1], [1], [1], [1], [1], [0]])
    classes = ("dust", "smoke")
    text = own_models.entry_text("my-fire", weights, task="fire", classes=classes)
    own_models.put(tmp_path, "my-fire", weights, text)
    detect = DetectSection(fire_model="my-fire", model_dirs=(tmp_path,))
    choice = choose(detect, [camera(FireSection(id="fire"))])
    assert choice.refusal is None
    assert choice.fire_scores() == {AlertKind.SMOKE: 0.4, AlertKind.FLAME: 1.0}
