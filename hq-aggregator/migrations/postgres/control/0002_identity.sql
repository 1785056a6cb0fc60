-- Which head office these books belong to: the key which all its stores know it by. One row.
create table identity (
    "only" bigint primary key check ("only" = 1),
    public_key text collate "C" not null
);
