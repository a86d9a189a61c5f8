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
