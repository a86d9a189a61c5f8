-- The hash over the lines that prove what was deleted, and the file that they begin in.
alter table deletion add column manifest text;
alter table deletion add column manifest_from integer not null default 0;
-- Gaps that are too old to matter are found by their end.
create index gap_end on gap (end_us);
