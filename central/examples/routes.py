"""Examples, for the administrator alone: what is kept, one picture, deleting, taking away."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import FileResponse, StreamingResponse

from central.db.models import Example
from central.examples.archive import Picture, archive
from central.examples.views import ExamplePage, ExampleSummary, example_page, example_summary
from central.http.access import ADMIN, ActorDep, allow
from central.http.centre import Centre, CentreDep
from central.people.views import View

router = APIRouter(prefix="/api/v1/examples", tags=["examples"])

#: Ids as both databases can keep them.
ExampleId = Annotated[int, Path(ge=1, le=2**63 - 1)]
#: Why they are taken away: it goes into the record.
Purpose = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^\x00]*\S[^\x00]*$")]


class Deleted(View):
    """How many pictures are gone."""

    pictures: int


@router.get("/summary", **allow(*ADMIN))
def summary(centre: CentreDep) -> ExampleSummary:
    """Say whether examples are kept, how many there are of each kind, and what became of others."""
    with centre.database.read() as session:
        return example_summary(session, centre.keeper.choice)


@router.get("", **allow(*ADMIN))
def examples(
    centre: CentreDep,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 60,
) -> ExamplePage:
    """List examples, newest first."""
    with centre.database.read() as session:
        return example_page(session, before, limit)


@router.get("/archive.zip", response_class=StreamingResponse, **allow(*ADMIN))
def take_away(reason: Purpose, actor: ActorDep, centre: CentreDep) -> StreamingResponse:
    """Return all examples as a ZIP for training; who takes it and what for is entered first."""
    found = centre.examples.for_export(actor.id, reason.strip())
    day = centre.clock.now().astimezone(centre.config.village.zone).date()
    headers = {
        "content-disposition": f'attachment; filename="examples-{day.isoformat()}.zip"',
        "cache-control": "no-store",
    }
    pictures = (_picture(centre, row) for row in found)
    return StreamingResponse(archive(pictures), media_type="application/zip", headers=headers)


@router.get("/{example_id}/picture", response_class=FileResponse, **allow(*ADMIN))
def picture(example_id: ExampleId, centre: CentreDep) -> FileResponse:
    """Return one picture."""
    headers = {"cache-control": "private, no-store"}  # once deleted it is nowhere
    path = centre.examples.path_of(example_id)
    return FileResponse(path, media_type="image/jpeg", headers=headers)


@router.delete("/{example_id}", status_code=204, **allow(*ADMIN))
def delete_one(example_id: ExampleId, actor: ActorDep, centre: CentreDep) -> None:
    """Delete one example."""
    centre.examples.delete(example_id, actor.id)


@router.delete("", **allow(*ADMIN))
def delete_all(actor: ActorDep, centre: CentreDep) -> Deleted:
    """Delete all examples."""
    return Deleted(pictures=centre.examples.delete_all(actor.id))


def _picture(centre: Centre, row: Example) -> Picture:
    return Picture(
        id=row.id,
        path=centre.examples.folder / row.path,
        kind=row.kind,
        reason=row.reason,
        model=row.model,
        camera=row.camera,
        day=row.day,
    )
