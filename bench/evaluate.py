"""``make eval``: models and whole rules over every labelled item at hand.

People on PETS and on labelled pictures, gatherings through the whole rule from the model's own
boxes, flame and smoke on labelled pictures and through the whole rule on clips, baselines beside
them. The footage is the assets folder's, or that of ``--data DIR`` with a ``truth.toml``
(docs/design/evaluation.md). What can't be judged is said and costs nothing else; its figures are
null. The last line is JSON; exit status 2 where nothing could be judged. Cameras that are covered
or turned are judged by ``make eval-pictures``, which takes minutes.
"""

import argparse
import sys

from bench import fire, gatherings, persons, scene
from bench.material import Material, add_data_argument, lose, material
from bench.report import emit, rounded, table
from models.errors import ModelError
from models.evaluation.fire import add_model_arguments, chosen
from models.evaluation.persons import CURVE_SCORE, score
from models.evaluation.pets import boxes_of, read_truth
from models.person import load
from models.store import AUTO, ModelStore, Selection

#: What the last line begins with, in this order; None where it was not judged.
KEYS = ("pets_ap50", "gatherings_found", "gatherings_false", *fire.KEYS)


def main() -> None:
    """Print the tables and the line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_arguments(parser)
    add_data_argument(parser)
    parser.add_argument("--person-model", default=AUTO, help="a name of the manifest")
    given = parser.parse_args()
    try:
        found = material(given.data)
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    report: dict[str, object] = dict.fromkeys(KEYS)
    try:
        report |= judge_people(found, ModelStore().select(given.person_model))
    except ModelError as error:
        lose(found.lost, f"people and gatherings: {error}")
    try:
        report |= fire.judge_model(found, *chosen(given))
    except ModelError as error:
        lose(found.lost, f"flame and smoke: {error}")
    report["baselines"] = fire.judge_baselines(found)
    print("cameras covered, turned, frozen: judged by make eval-pictures")
    emit(sys.stdout, report | {"lost": found.lost})
    sys.exit(0 if found.judged else 2)


def judge_people(found: Material, selection: Selection) -> dict[str, object]:
    """Print what a person model and the gathering rule are worth, and return the figures.

    Raises ModelError where the file is not the model.
    """
    entry = selection.entry
    report: dict[str, object] = {"person_model": entry.name}
    scores = {}
    if found.pets is not None:
        with found.losing():
            truth = read_truth(found.pets)
            seen = scene.look(selection, found.pets, None)
            one = score(seen, boxes_of(truth, range(scene.FRAMES)), entry.min_score)
            scores["PETS09-S2L1"] = seen, one
            runs = gatherings.pets(seen, entry, truth)
            print(f"gatherings on PETS09-S2L1, {entry.name}\n{gatherings.show_pets(runs)}\n")
            report |= {"pets_ap50": round(one.ap50, 3), "pets": persons.figures(one)}
            report |= gatherings.pets_figures(runs)
            report["person_ms"] = rounded(seen.ms_per_picture)
    if found.person_pictures:
        with found.losing():
            seen = persons.see(selection, found.person_pictures)
            one = score(seen, persons.people_of(found.person_pictures), entry.min_score)
            scores["labelled pictures"] = seen, one
            report |= {"people": persons.figures(one), "person_ms": rounded(seen.ms_per_picture)}
    if scores:
        print(f"people, {entry.name}, one thread\n{persons.show(scores)}\n")
    in_clips = _judge_gatherings(found, selection)
    # With PETS the first keys are its own.
    return report | ({"clip_gatherings": in_clips} if in_clips and found.pets else in_clips)


def _judge_gatherings(found: Material, selection: Selection) -> dict[str, object]:
    clips = [clip for clip in found.clips if clip.gathering]
    if not clips:
        return {}
    model = load(selection.entry, selection.path, CURVE_SCORE)
    outcomes, rows = [], []
    for clip in clips:
        with found.losing():
            of_clip = gatherings.play(found.folder / clip.file, clip, model)
            outcomes += of_clip
            rows += [
                (clip.file, f"N>={truth.threshold}", *outcome.row())
                for truth, outcome in zip(clip.gathering, of_clip, strict=True)
            ]
    print(f"gatherings in clips, {selection.entry.name}")
    print(f"{table(('clip', 'people', *gatherings.HEAD), rows)}\n")
    return gatherings.figures(outcomes) if outcomes else {}


if __name__ == "__main__":
    main()
