-- What all segments take, kept by triggers: to add up millions of rows takes seconds.
create table footprint (
  only       integer primary key check (only = 1),
  size_bytes integer not null
) strict;
insert into footprint select 1, coalesce(sum(size_bytes), 0) from segment;
create trigger segment_added after insert on segment begin
  update footprint set size_bytes = size_bytes + new.size_bytes;
end;
create trigger segment_removed after delete on segment begin
  update footprint set size_bytes = size_bytes - old.size_bytes;
end;
create index segment_end on segment (camera_id, stream, end_us);
