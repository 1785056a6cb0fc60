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
