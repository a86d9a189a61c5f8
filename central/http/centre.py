"""What the routes work with."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends
from starlette.requests import HTTPConnection

from central.activities.desk import ActivityDesk
from central.activities.effect import EffectWatch
from central.alerts.desk import AlertDesk
from central.auth.boxes import BoxRegister
from central.auth.limits import TryLimits
from central.auth.sessions import SessionDesk, SessionRules
from central.commands.desk import CommandDesk
from central.config import CentralConfig
from central.db.engine import Database
from central.evidence.caretaker import EvidenceCaretaker
from central.evidence.folder import MOVING
from central.evidence.places import open_partials, open_storages
from central.evidence.store import EvidenceStore
from central.evidence.uploads import Uploads
from central.examples.keeper import Choice, ExampleKeeper
from central.examples.shelf import ExampleShelf
from central.incidents.desk import IncidentDesk
from central.ingest.inbox import DatabaseInbox
from central.points.desk import PointDesk
from central.points.filing_desk import FilingDesk
from central.points.photos import SignPhotos
from central.quarantine.desk import QuarantineDesk
from central.relay.hub import RelayHub
from central.review.register import ViewingRegister
from central.sites.watch import Watch
from central.wall.pump import FeedPump
from central.wall.views import ChangeRenderer, VillageView
from protocol.clock import Clock

#: A storage that hangs holds so many threads of those that serve the pages, and no more.
_READS_AT_ONCE = 8
#: Each check of a password takes a core for some 20 ms: so many at once, so many more in line.
_CHECKS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Centre:
    """The services of one running centre."""

    config: CentralConfig
    clock: Clock
    database: Database
    village: VillageView
    sessions: SessionDesk
    boxes: BoxRegister
    alerts: AlertDesk
    incidents: IncidentDesk
    activities: ActivityDesk
    known: EffectWatch
    evidence: EvidenceStore
    uploads: Uploads
    points: PointDesk
    filing: FilingDesk
    photos: SignPhotos
    caretaker: EvidenceCaretaker
    evidence_reads: CapacityLimiter
    examples: ExampleShelf
    keeper: ExampleKeeper
    viewings: ViewingRegister
    quarantine: QuarantineDesk
    commands: CommandDesk
    pump: FeedPump
    watch: Watch
    hub: RelayHub
    password_checks: CapacityLimiter

    def start(self) -> None:
        """Start what works in the background. Raises StoreUnavailableError."""
        self.evidence.open()
        self.pump.start()
        self.watch.start()
        self.keeper.start()
        self.caretaker.start()

    async def leave_browsers(self) -> None:
        """Let go of everything that would stay connected for ever."""
        self.pump.end_all()
        await self.hub.aclose()

    def close(self) -> None:
        """Stop the background and the database; may be called again."""
        self.pump.close()
        self.watch.close()
        self.keeper.close()
        self.caretaker.close()
        self.database.close()


def build_centre(config: CentralConfig, database: Database, clock: Clock) -> Centre:
    """Put the services together; nothing starts yet."""
    village = config.village
    deadlines = config.deadlines.deadlines()
    rules = SessionRules(
        village.region_code,
        timedelta(hours=config.sessions.person_hours),
        timedelta(days=config.sessions.wall_days),
        timedelta(hours=config.sessions.operator_hours),
    )
    sessions = SessionDesk(database, clock, TryLimits(database, clock), rules)
    choice = Choice(config.examples.keep, config.examples.limits(), village.zone)
    storages = open_storages(config, clock)
    evidence = EvidenceStore(
        database, clock, open_partials(config, clock), storages, config.evidence.max_bytes
    )
    examples = ExampleShelf(database, clock, config.examples.folder)
    known = EffectWatch(database, clock, deadlines)
    filing = FilingDesk(database, clock, village.region_code, village.zone)
    keep_feed = timedelta(hours=config.feed.keep_hours)
    return Centre(
        config=config,
        clock=clock,
        database=database,
        village=VillageView(
            name=village.name, region_code=village.region_code, time_zone=village.time_zone
        ),
        sessions=sessions,
        boxes=BoxRegister(database),
        alerts=AlertDesk(database, clock, village.zone, deadlines, keeps_examples=choice.keeps),
        incidents=IncidentDesk(database, clock),
        activities=ActivityDesk(database, clock, village.region_code, village.zone),
        known=known,
        evidence=evidence,
        uploads=Uploads(),
        points=PointDesk(database, clock, village.region_code, village.zone),
        filing=filing,
        photos=SignPhotos(database, clock, storages, config.evidence.folder / MOVING),
        caretaker=EvidenceCaretaker(database, clock, storages),
        evidence_reads=CapacityLimiter(_READS_AT_ONCE),
        examples=examples,
        keeper=ExampleKeeper(database, clock, evidence, examples, choice),
        viewings=ViewingRegister(database, clock),
        quarantine=QuarantineDesk(database, clock, DatabaseInbox(database, clock, deadlines)),
        commands=CommandDesk(database, clock),
        pump=FeedPump(database, ChangeRenderer(clock, village.region_code)),
        watch=Watch(database, clock, sessions, known, filing, village.region_code, keep_feed),
        hub=RelayHub(),
        password_checks=CapacityLimiter(_CHECKS_AT_ONCE),
    )


def centre_of(connection: HTTPConnection) -> Centre:
    """Return the application's centre."""
    centre = connection.app.state.centre
    assert isinstance(centre, Centre)
    return centre


CentreDep = Annotated[Centre, Depends(centre_of)]
