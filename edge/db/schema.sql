-- The box's one database: what is recorded, what was alerted, what the centre has not yet committed.
-- Times are integer microseconds since 1970-01-01 UTC; media times are 90 kHz ticks.

create table meta (
  key   text primary key,
  value text not null
) strict;

-- A row means a complete file of that size and hash (recording I1).
create table segment (
  id           integer primary key,
  camera_id    text    not null,
  stream       text    not null check (stream in ('main', 'sub')),
  run_id       text    not null,
  path         text    not null unique,      -- below the recordings folder
  start_us     integer not null,             -- wall time of the first sample
  end_us       integer not null check (end_us > start_us),  -- start_us plus the media duration
  start_dts    integer not null,             -- media time of the first sample in its run, ticks
  duration     integer not null check (duration > 0),       -- media duration, ticks
  wall_us      integer not null,             -- how long it took by the monotonic clock
  size_bytes   integer not null,
  init_bytes   integer not null,             -- length of ftyp + moov at the head
  sha256       text    not null,
  codec        text    not null,
  mime_codec   text    not null,
  width        integer not null,
  height       integer not null,
  starts_key   integer not null default 1,   -- 0: cut inside a very long group of pictures
  recovered    integer not null default 0,   -- 1: read back after a crash
  keys         blob    not null default x''  -- its key points (recording I19), 8 bytes each
) strict;
create index segment_time on segment (camera_id, stream, start_us);
create index segment_end  on segment (camera_id, stream, end_us);
create index segment_age  on segment (start_us);

-- What each camera's segments take, kept by triggers: to add up millions of rows takes seconds.
create table footprint (
  camera_id  text    primary key,
  size_bytes integer not null
) strict;
create trigger segment_added after insert on segment begin
  insert into footprint (camera_id, size_bytes) values (new.camera_id, new.size_bytes)
    on conflict (camera_id) do update set size_bytes = size_bytes + excluded.size_bytes;
end;
create trigger segment_removed after delete on segment begin
  update footprint set size_bytes = size_bytes - old.size_bytes where camera_id = old.camera_id;
end;

-- A stretch that should have been recorded and was not; it never overlaps a segment (recording I6).
create table gap (
  id        integer primary key,
  camera_id text    not null,
  stream    text    not null,
  start_us  integer not null,
  end_us    integer,                         -- null: still missing
  reason    text    not null
) strict;
create unique index gap_open on gap (camera_id, stream) where end_us is null;
create index gap_time on gap (camera_id, stream, start_us);
create index gap_end  on gap (end_us);

-- What may not be deleted, and why. Retention never plans a held segment (recording I4). What a
-- person holds says who placed it and when it is to be reviewed; an alert's hold does not (I17).
-- An id is never used again: the trace names it.
create table hold (
  id        integer primary key autoincrement,
  camera_id text    not null,
  start_us  integer not null,
  end_us    integer not null,
  reason    text    not null,                -- 'alert:<uuid>' or a person's words
  until_us  integer not null,
  placed_by text,                            -- who, in words; null: an alert
  placed_us integer,
  review_on text,                            -- YYYY-MM-DD in the box's zone
  lead_us   integer not null default 90000000  -- so far before start_us all stays too (I4)
) strict;
create index hold_time on hold (camera_id, start_us);

-- What became of persons' holds: a row an act, never changed, gone only years after the hold's end.
create table hold_event (
  id        integer primary key autoincrement,
  hold_id   integer not null,
  at_us     integer not null,
  act       text    not null check (act in ('placed', 'changed', 'released', 'ended')),
  actor     text    not null,                -- who, in words
  note      text    not null,                -- why
  camera_id text    not null,                -- the hold as it was after the act
  start_us  integer not null,
  end_us    integer not null,
  reason    text    not null,
  until_us  integer not null,
  placed_by text    not null,
  placed_us integer not null,
  review_on text    not null
) strict;
create index hold_event_of on hold_event (hold_id, at_us);
create trigger hold_event_stands before update on hold_event begin
  select raise(abort, 'what happened is not changed');
end;

-- Files whose rows retention has removed and that must go too; never indexed again (recording I3).
create table doomed (
  path       text primary key,               -- below the recordings folder
  size_bytes integer not null default 0      -- what the disk gets back when it goes
) strict;

-- Proof of what is no longer kept, a row a camera, day (of the box's zone, by start) and reason. A
-- line a file is in the numbered files below deletions; manifest is the hash that runs over those of
-- the row (recording I9).
create table deletion (
  camera_id text    not null,
  day       text    not null,                -- YYYY-MM-DD
  reason    text    not null,                -- age, quota, watermark; orphan, lost
  segments  integer not null,
  bytes     integer not null,
  first_us  integer not null,
  last_us   integer not null,
  at_us     integer not null,
  manifest  text,                            -- null: begun before there were lines
  manifest_from integer not null default 0,  -- number of the file that its lines begin in
  primary key (camera_id, day, reason)
) strict;

create table alert (
  alert_id   text    primary key,            -- UUIDv7
  camera_id  text    not null,
  rule_id    text    not null,
  region_id  text    not null,
  kind       text    not null,
  level      text    not null,
  mode       text    not null,
  started_us integer not null,
  ended_us   integer,
  count      integer not null,
  threshold  integer not null,
  peak       integer not null,
  confidence real,
  curve      text,                           -- JSON: protocol.messages.AlertCurve; null: no counts
  untold     integer not null default 0      -- 1: the outbox had no room for how it is now
) strict;
-- One open alert per camera, rule and region (alert I1).
create unique index alert_open on alert (camera_id, rule_id, region_id) where ended_us is null;
create index alert_time on alert (camera_id, started_us);
create index alert_untold on alert (started_us) where untold = 1;

-- How many people a rule counted in a region, a row a quarter of an hour: counts only (alert I10).
create table crowd (
  camera_id text    not null,
  rule_id   text    not null,
  region_id text    not null,
  start_us  integer not null,                -- a whole quarter of an hour
  peak      integer not null,
  minutes   blob    not null check (length(minutes) = 30),  -- 15 counts of 2 bytes; ffff: not seen
  primary key (camera_id, rule_id, region_id, start_us)
) strict;
create index crowd_age on crowd (start_us);

-- Alert, outbox row and hold commit together (alert I2). seq has no holes: it is taken inside the
-- transaction as max(seq) + 1, and the row with the highest seq is never deleted (alert I3).
create table outbox (
  seq         integer primary key,
  event_id    text    not null unique,
  payload     blob    not null,              -- the encoded AlertMessage
  created_us  integer not null,
  receipt_us  integer                        -- null: the centre has not committed it (alert I4)
) strict;
create index outbox_waiting on outbox (seq) where receipt_us is null;
-- What waits in the outbox, kept by triggers: every message asks whether there is room (alert I11).
-- folded messages found none; what they said is in their alert's row.
create table backlog (
  id     integer primary key check (id = 1),
  rows   integer not null,
  bytes  integer not null,
  folded integer not null
) strict;
insert into backlog (id, rows, bytes, folded) values (1, 0, 0, 0);
create trigger outbox_queued after insert on outbox when new.receipt_us is null begin
  update backlog set rows = rows + 1, bytes = bytes + length(new.payload);
end;
create trigger outbox_receipted after update of receipt_us on outbox
  when old.receipt_us is null and new.receipt_us is not null begin
  update backlog set rows = rows - 1, bytes = bytes - length(old.payload);
end;
create trigger outbox_reopened after update of receipt_us on outbox
  when old.receipt_us is not null and new.receipt_us is null begin
  update backlog set rows = rows + 1, bytes = bytes + length(old.payload);
end;
create trigger outbox_removed after delete on outbox when old.receipt_us is null begin
  update backlog set rows = rows - 1, bytes = bytes - length(old.payload);
end;

-- Pictures and clips on their way to the centre.
create table evidence (
  alert_id    text    not null,
  kind        text    not null check (kind in ('snapshot', 'clip')),
  due_us      integer not null,              -- make it at this time or later (a clip has a tail)
  start_us    integer not null,              -- what it shows
  end_us      integer not null,
  path        text,                          -- below the evidence folder; null: not made yet
  sha256      text,
  size_bytes  integer,
  tries       integer not null default 0,
  next_try_us integer not null default 0,
  stored_us   integer,                       -- null: the centre has not stored it
  failed      text,                          -- why it will never come, if so
  lack        text,                          -- why, for the centre; null: it knows, or need not
  primary key (alert_id, kind)
) strict;
create index evidence_waiting on evidence (kind, due_us) where stored_us is null and failed is null;
create index evidence_lacking on evidence (kind, next_try_us) where lack is not null;

-- What the centre had the box do: a row an id, so that nothing is done twice (protocol I20).
create table command (
  command_id text    primary key,
  kind       text    not null,
  camera_id  text,                           -- null: its arguments could not be read
  heard_us   integer not null,
  until_us   integer not null,               -- what is not done by then is given up
  outcome    text    not null,               -- protocol.messages.Outcome
  seq        integer not null                -- where in the outbox that is said
) strict;

-- Rules that raise no new alert for now (protocol I23).
create table disarmed (
  camera_id text    not null,
  rule_id   text    not null,                -- empty: all of the camera
  since_us  integer not null,
  until_us  integer not null,
  primary key (camera_id, rule_id)
) strict;

-- What rules look past by a person's word, for good (protocol I25).
create table mask (
  camera_id text    not null,
  rule_id   text    not null,
  exclude   text    not null,                -- JSON: polygons in place of the configuration's
  since_us  integer not null,
  actor     text    not null,
  reason    text    not null,
  primary key (camera_id, rule_id)
) strict;
