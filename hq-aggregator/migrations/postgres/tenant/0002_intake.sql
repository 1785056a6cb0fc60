-- How many times a store's entries were taken in. Who remembers another number has an old picture of them and looks again.
create table intake (
    store text collate "C" primary key,
    version bigint not null
);
