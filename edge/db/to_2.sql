-- What a doomed file takes: retention reckons with it while the disk refuses to let it go.
alter table doomed add column size_bytes integer not null default 0;
