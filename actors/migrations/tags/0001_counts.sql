-- Counts of places with RFID readers. An ended one keeps its row for a while, so that whoever still asks for it hears how it ended.
create table count (
    -- The command that began it.
    id blob primary key,
    place text not null,
    -- reading, paused, keeping, kept or dropped.
    stage text not null,
    -- JSON array of reader names.
    readers text not null,
    started_micros integer not null,
    reads integer not null,
    -- The command that keeps it: the count is kept once this is in the journal.
    keep_command blob
) without rowid;

-- Commands that began a count or went on with one.
create table start (command blob primary key, body_hash blob not null, count blob not null) without rowid;

-- The tags of a count, each once.
create table tag (
    count blob not null,
    epc blob not null,
    seen_micros integer not null,
    antenna integer not null,
    rssi_dbm integer,
    primary key (count, epc)
) without rowid;

-- The kept count of each place, with which the next one is compared, and where it stands in the journal.
create table kept (
    place text primary key,
    count blob not null,
    at_micros integer not null,
    epoch integer not null,
    seq integer not null,
    tags integer not null
) without rowid;

-- Things that were sold by their own number, from the journal, which is read through to here.
create table sold (
    gtin text not null,
    serial text not null,
    receipt text not null,
    at_micros integer not null,
    epoch integer not null,
    seq integer not null,
    primary key (gtin, serial)
) without rowid;
create index sold_receipt on sold (receipt);
create table read_through (only_one integer primary key check (only_one = 1), epoch integer not null, seq integer not null);
