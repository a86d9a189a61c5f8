-- A hold reaches back to its first key frame, however far before it that is.
alter table hold add column lead_us integer not null default 90000000;
