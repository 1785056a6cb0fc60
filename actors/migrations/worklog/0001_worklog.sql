-- What happened to tickets that are still open: one row per event, deleted some time after the ticket was closed.
create table step (
    ticket blob not null,
    version integer not null,
    register text not null,
    command_id blob not null,
    body_hash blob not null,
    event text not null,
    primary key (ticket, version)
) without rowid;
