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
