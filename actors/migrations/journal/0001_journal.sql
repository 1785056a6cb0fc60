-- Facts, as they were written. Nothing here is ever updated or deleted.
create table entry (
    position integer primary key,
    epoch integer not null,
    seq integer not null,
    kind integer not null,
    hash blob not null,
    bytes blob not null,
    -- Set on the entry that closed a ticket, so that none is closed twice.
    ticket blob,
    -- register/series/number, set where a receipt number was given.
    receipt text
);
create unique index entry_seq on entry (epoch, seq);
create unique index entry_ticket on entry (ticket) where ticket is not null;
create unique index entry_receipt on entry (receipt) where receipt is not null;
-- Everything but tickets and tenders is rare and read again at start.
create index entry_rare on entry (kind, position) where kind <> 8 and kind <> 9;

-- Every command that was ever accepted, for ever: what it was and which entry holds its outcome.
create table command (
    command_id blob primary key,
    body_hash blob not null,
    position integer not null
) without rowid;

-- Money taken for tickets that are still open, so that a restart finds it.
create table open_tender (
    ticket blob not null,
    position integer primary key
);
create index open_tender_ticket on open_tender (ticket);

-- Folds of the entries, kept in the same transaction so that a start need not read everything.
create table counter (register text not null, series integer not null, last integer not null, primary key (register, series)) without rowid;
create table till (till text primary key, version integer not null, state text not null) without rowid;
create table stock (sku text primary key, on_hand integer not null) without rowid;
-- Receipts that were taken back, and by which.
create table returned (receipt text primary key, by_receipt text not null) without rowid;

-- Signed stretches of the journal.
create table segment (epoch integer not null, first integer not null, last integer not null, body text not null, primary key (epoch, first)) without rowid;

-- A whole batch as one statement: each column is the JSON rows of one table. One statement is one transaction and one trip to the
-- thread that holds the file; what the tables refuse takes the whole batch back.
create view batch (entries, commands, counters, tills, stock, open_tenders, closed_tickets, returned, segments) as
    select '[]', '[]', '[]', '[]', '[]', '[]', '[]', '[]', '[]' where false;

create trigger write_batch instead of insert on batch
begin
    insert into entry (position, epoch, seq, kind, hash, bytes, ticket, receipt)
        select value ->> 0, value ->> 1, value ->> 2, value ->> 3, unhex(value ->> 4), unhex(value ->> 5), unhex(value ->> 6), value ->> 7
        from json_each(new.entries);
    insert into command (command_id, body_hash, position)
        select unhex(value ->> 0), unhex(value ->> 1), value ->> 2 from json_each(new.commands);
    insert into counter (register, series, last)
        select value ->> 0, value ->> 1, value ->> 2 from json_each(new.counters) where true
        on conflict do update set last = excluded.last;
    insert into till (till, version, state)
        select value ->> 0, value ->> 1, value ->> 2 from json_each(new.tills) where true
        on conflict do update set version = excluded.version, state = excluded.state;
    insert into stock (sku, on_hand)
        select value ->> 0, value ->> 1 from json_each(new.stock) where true
        on conflict do update set on_hand = on_hand + excluded.on_hand;
    insert into open_tender (ticket, position)
        select unhex(value ->> 0), value ->> 1 from json_each(new.open_tenders);
    delete from open_tender where ticket in (select unhex(value) from json_each(new.closed_tickets));
    insert into returned (receipt, by_receipt)
        select value ->> 0, value ->> 1 from json_each(new.returned);
    insert into segment (epoch, first, last, body)
        select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(new.segments);
end;
