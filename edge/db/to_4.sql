-- What each camera's segments take: a camera may have a quota of its own.
drop trigger segment_added;
drop trigger segment_removed;
drop table footprint;
create table footprint (
  camera_id  text    primary key,
  size_bytes integer not null
) strict;
insert into footprint select camera_id, sum(size_bytes) from segment group by camera_id;
create trigger segment_added after insert on segment begin
  insert into footprint (camera_id, size_bytes) values (new.camera_id, new.size_bytes)
    on conflict (camera_id) do update set size_bytes = size_bytes + excluded.size_bytes;
end;
create trigger segment_removed after delete on segment begin
  update footprint set size_bytes = size_bytes - old.size_bytes where camera_id = old.camera_id;
end;
-- Where decoding can begin in a file, so that a player asks for less than all of it.
alter table segment add column keys blob not null default x'';
-- The hash over the lines that prove what was deleted, and the file that they begin in.
alter table deletion add column manifest text;
alter table deletion add column manifest_from integer not null default 0;
-- Gaps that are too old to matter are found by their end.
create index gap_end on gap (end_us);
-- Holds by persons: who, when, until when and what became of it. The table is made anew, so that an
-- id is never used again.
alter table hold rename to hold_before;
create table hold (
  id        integer primary key autoincrement,
  camera_id text    not null,
  start_us  integer not null,
  end_us    integer not null,
  reason    text    not null,                -- 'alert:<uuid>' or a person's words
  until_us  integer not null,
  placed_by text,                            -- who, in words; null: an alert
  placed_us integer,
  review_on text                             -- YYYY-MM-DD in the box's zone
) strict;
insert into hold (id, camera_id, start_us, end_us, reason, until_us)
  select id, camera_id, start_us, end_us, reason, until_us from hold_before;
drop table hold_before;
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
-- How many people there were while an alert was open.
alter table alert add column curve text;
-- What the rules counted, for weeks.
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
-- After days without a link thousands of pieces wait, and the next is asked for at every part.
create index evidence_waiting on evidence (kind, due_us) where stored_us is null and failed is null;
-- The outbox is bounded: what found no room in it is told by its alert's row once there is some.
alter table alert add column untold integer not null default 0;
create index alert_untold on alert (started_us) where untold = 1;
create table backlog (
  id     integer primary key check (id = 1),
  rows   integer not null,
  bytes  integer not null,
  folded integer not null
) strict;
insert into backlog (id, rows, bytes, folded)
  select 1, count(*), coalesce(sum(length(payload)), 0), 0 from outbox where receipt_us is null;
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
-- What will never come is told, so that nobody waits for it.
alter table evidence add column lack text;
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
