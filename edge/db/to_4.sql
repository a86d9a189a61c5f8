-- Where decoding can begin in a file, so that a player asks for less than all of it.
alter table segment add column keys blob not null default x'';
